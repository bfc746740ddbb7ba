//! Certificates as people have them: PEM files in the folder of a scene.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    PKCS_ECDSA_P256_SHA256, date_time_ymd,
};

use crate::Scene;

/// An authority, its certificate in a file, and what it signs.
pub struct Authority {
    folder: PathBuf,
    /// The file with its certificate.
    pub file: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its private key, in files.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The file with the certificate.
    pub file: String,
    /// The file with the private key.
    pub key: String,
}

/// What is to be signed: for no host, valid, and for any purpose, unless told.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The alternative names.
    pub names: Vec<String>,
    /// Whether its time is over.
    pub expired: bool,
    /// What it is for.
    pub purposes: Vec<ExtendedKeyUsagePurpose>,
}

impl Authority {
    /// One with this name, in `NAME.pem` of the scene's folder.
    pub fn new(scene: &Scene, name: &str) -> Authority {
        Authority::called(scene, name, name)
    }

    /// One that is called `common_name`, in `NAME.pem` of the scene's folder.
    pub fn called(scene: &Scene, name: &str, common_name: &str) -> Authority {
        let (mut params, key) = (params(common_name, &[]), key());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a certificate");
        let file = scene.file(&format!("{name}.pem"), certificate.pem()).display().to_string();
        Authority { folder: scene.folder().to_owned(), file, issuer: Issuer::new(params, key) }
    }

    /// Signs one that is valid and for no host, in `NAME.pem` and `NAME-key.pem`.
    pub fn sign(&self, name: &str) -> Certificate {
        self.sign_one(name, &Wanted::default())
    }

    /// Signs one as it is wanted.
    pub fn sign_one(&self, name: &str, wanted: &Wanted) -> Certificate {
        let (mut params, key) = (params(name, &wanted.names), key());
        params.extended_key_usages = wanted.purposes.clone();
        if wanted.expired {
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        store(&self.folder, name, &certificate.pem(), &key.serialize_pem())
    }
}

impl Certificate {
    /// One that an openssl of a DBA has made: self-signed, of an RSA key.
    pub fn self_signed(scene: &Scene, name: &str) -> Certificate {
        let made = Certificate::at(scene.folder(), name);
        let Certificate { file, key } = &made;
        let subject = format!("/CN={name}");
        let pair = ["-keyout", key, "-out", file, "-days", "3650", "-subj", &subject];
        openssl(scene.folder(), &[&["req", "-x509", "-newkey", "rsa:2048", "-nodes"][..], &pair].concat());
        made
    }

    /// The options that show it.
    pub fn options(&self) -> [&str; 4] {
        ["--ssl-cert", &self.file, "--ssl-key", &self.key]
    }

    /// Its fingerprint, as openssl prints it.
    pub fn fingerprint(&self) -> String {
        let folder = Path::new(&self.file).parent().expect("a folder");
        openssl(folder, &["x509", "-in", &self.file, "-noout", "-fingerprint", "-sha256"])
    }

    fn at(folder: &Path, name: &str) -> Certificate {
        let path = |end: &str| folder.join(format!("{name}{end}.pem")).display().to_string();
        Certificate { file: path(""), key: path("-key") }
    }
}

/// What MySQL makes in its data directory when it is first started: the authority `ca.pem`, and two pairs signed by it,
/// `server-cert.pem` and `client-cert.pem` with `server-key.pem` and `client-key.pem`.
pub fn like_mysql(folder: &Path) -> [Certificate; 2] {
    let name = |of: &str| format!("/CN=MySQL_Server_8.0.36_Auto_Generated_{of}_Certificate");
    let request = |of: &str, name: &str| {
        let key = format!("{of}-key.pem");
        openssl(
            folder,
            &["req", "-newkey", "rsa:2048", "-nodes", "-keyout", &key, "-subj", name, "-out", "request.pem"],
        );
        // As MySQL writes it.
        openssl(folder, &["rsa", "-in", &key, "-traditional", "-out", &key]);
        owned(&folder.join(key));
    };
    write(folder, "ca.ext", "basicConstraints=CA:TRUE\n");
    write(folder, "host.ext", "basicConstraints=CA:FALSE\n");
    let sign = ["x509", "-req", "-in", "request.pem", "-days", "3650", "-sha256"];
    request("ca", &name("CA"));
    let itself = ["-extfile", "ca.ext", "-set_serial", "1", "-signkey", "ca-key.pem", "-out", "ca.pem"];
    openssl(folder, &[&sign[..], &itself].concat());
    [("server", "Server", "2"), ("client", "Client", "3")].map(|(of, title, serial)| {
        request(of, &name(title));
        let file = format!("{of}-cert.pem");
        let signed =
            ["-extfile", "host.ext", "-set_serial", serial, "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-out", &file];
        openssl(folder, &[&sign[..], &signed].concat());
        let path = |name: &str| folder.join(name).display().to_string();
        Certificate { file: path(&file), key: path(&format!("{of}-key.pem")) }
    })
}

/// Runs openssl in a folder; what it prints.
fn openssl(folder: &Path, args: &[&str]) -> String {
    let ended = Command::new("openssl").args(args).current_dir(folder).output().expect("openssl");
    assert!(ended.status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).expect("UTF-8").trim().to_owned()
}

fn params(name: &str, names: &[String]) -> CertificateParams {
    let mut params = CertificateParams::new(names).expect("names");
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2120, 1, 1);
    params
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key")
}

fn store(folder: &Path, name: &str, certificate: &str, key: &str) -> Certificate {
    let stored = Certificate::at(folder, name);
    write(folder, &format!("{name}.pem"), certificate);
    owned(&write(folder, &format!("{name}-key.pem"), key));
    stored
}

fn write(folder: &Path, name: &str, content: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).unwrap_or_else(|error| panic!("writing {}: {error}", path.display()));
    path
}

/// Lets only the owner read it.
fn owned(path: &Path) {
    let mode = PermissionsExt::from_mode(0o600);
    fs::set_permissions(path, mode).unwrap_or_else(|error| panic!("changing {}: {error}", path.display()));
}
