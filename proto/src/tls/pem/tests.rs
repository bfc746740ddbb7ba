//! The files that people have, made by openssl as they make them, and what is said of those that will not do.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use tempfile::TempDir;

use super::*;
use crate::tls::sample::july;

/// A folder in which openssl makes files.
struct Bench(TempDir);

impl Bench {
    fn new() -> Bench {
        Bench(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: &str) -> PathBuf {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    fn openssl(&self, line: &str) -> &Bench {
        let ended = Command::new("openssl").args(line.split(' ')).current_dir(self.0.path()).output().unwrap();
        assert!(ended.status.success(), "openssl {line}: {}", String::from_utf8_lossy(&ended.stderr));
        self
    }

    /// A self-signed certificate `cert.pem` and its key `key.pem`, of this kind.
    fn pair(self, kind: &str) -> Bench {
        let days = "-days 36500 -subj /CN=db1";
        self.openssl(&format!("req -x509 -newkey {kind} -nodes -keyout key.pem -out cert.pem {days}"));
        self
    }

    fn identity(&self, certificate: &str, key: &str) -> Result<Identity, PemError> {
        let key = PemFile::new(PemUse::Key, &self.path(key));
        PemFile::new(PemUse::Certificate, &self.path(certificate)).identity(&key, UnixTime::now())
    }

    fn authority(&self, name: &str) -> Result<Authority, PemError> {
        PemFile::new(PemUse::Authority, &self.path(name)).authority(UnixTime::now())
    }

    /// What is said of a pair that will not do: the option and the file first, and this in it.
    fn expect(&self, certificate: &str, key: &str, begins: &str, says: &[&str]) {
        let said = self.identity(certificate, key).unwrap_err().to_string();
        assert!(said.starts_with(begins), "{said}");
        says.iter().for_each(|words| assert!(said.contains(words), "{said:?} without {words:?}"));
    }
}

#[test]
fn every_common_kind_of_key_is_read() {
    for kind in
        ["rsa:2048", "ec -pkeyopt ec_paramgen_curve:prime256v1", "ec -pkeyopt ec_paramgen_curve:secp384r1", "ed25519"]
    {
        let bench = Bench::new().pair(kind);
        assert_eq!(bench.identity("cert.pem", "key.pem").unwrap().chain.len(), 1, "{kind}");
    }
}

#[test]
fn keys_in_their_older_forms_are_read() {
    let bench = Bench::new().pair("rsa:2048");
    bench.openssl("rsa -in key.pem -traditional -out pkcs1.pem");
    assert!(fs::read_to_string(bench.path("pkcs1.pem")).unwrap().contains("BEGIN RSA PRIVATE KEY"));
    bench.identity("cert.pem", "pkcs1.pem").unwrap();
    let bench = Bench::new();
    // With the parameters before it, as openssl writes it.
    bench
        .openssl("ecparam -name prime256v1 -genkey -out key.pem")
        .openssl("req -x509 -key key.pem -out cert.pem -subj /CN=db1");
    assert!(fs::read_to_string(bench.path("key.pem")).unwrap().contains("BEGIN EC PARAMETERS"));
    bench.identity("cert.pem", "key.pem").unwrap();
}

#[test]
fn text_before_a_certificate_does_not_matter_and_chains_are_kept() {
    let bench = Bench::new().pair("ed25519");
    bench.openssl("x509 -in cert.pem -text -out with-text.pem");
    let text = fs::read_to_string(bench.path("with-text.pem")).unwrap();
    bench.file("chain.pem", &format!("{text}{text}"));
    assert_eq!(bench.identity("chain.pem", "key.pem").unwrap().chain.len(), 2);
}

#[test]
fn what_is_missing_empty_or_something_else_is_named() {
    let bench = Bench::new().pair("ed25519");
    let cert = bench.path("cert.pem").display().to_string();
    bench.file("empty", " \n");
    bench.file("other", "rubbish\n");
    let path = |name: &str| bench.path(name).display().to_string();
    let says =
        |name: &str, words: &[&str]| bench.expect(name, "key.pem", &format!("--ssl-cert {}: ", path(name)), words);
    says("missing", &["No such file", "ls -l "]);
    says("empty", &["empty", "ls -l "]);
    says("other", &["no certificate", "openssl x509 -inform DER"]);
    says("key.pem", &["private key and no certificate", "exchanged", "grep BEGIN"]);
    let says =
        |name: &str, words: &[&str]| bench.expect("cert.pem", name, &format!("--ssl-key {}: ", path(name)), words);
    says("missing", &["No such file"]);
    says("empty", &["empty"]);
    says("other", &["no private key"]);
    says("cert.pem", &["certificate and no private key", "exchanged"]);
    assert!(bench.identity(".", "key.pem").unwrap_err().to_string().contains("directory"));
    assert!(fs::read_to_string(cert).unwrap().contains("CERTIFICATE"));
}

#[test]
fn a_damaged_file_is_told_from_one_of_another_kind() {
    let bench = Bench::new().pair("ed25519");
    let text = fs::read_to_string(bench.path("cert.pem")).unwrap();
    bench.file("cut.pem", &text[..text.len() - 30]);
    bench.file("wrong.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    bench.expect("cut.pem", "key.pem", "--ssl-cert ", &["damaged", "openssl x509 -in"]);
    bench.expect("wrong.pem", "key.pem", "--ssl-cert ", &["damaged", "openssl x509 -in"]);
    assert!(bench.authority("wrong.pem").unwrap_err().to_string().starts_with("--ssl-ca "));
}

#[test]
fn an_encrypted_key_is_to_be_decrypted() {
    let bench = Bench::new().pair("rsa:2048");
    bench.openssl("pkey -in key.pem -aes256 -passout pass:x -out pkcs8.pem");
    bench.openssl("rsa -in key.pem -traditional -aes256 -passout pass:x -out pkcs1.pem");
    for name in ["pkcs8.pem", "pkcs1.pem"] {
        let command = format!("openssl pkey -in {} -out NEW_FILE", bench.path(name).display());
        bench.expect("cert.pem", name, "--ssl-key ", &["encrypted", &command]);
    }
}

#[test]
fn the_key_of_another_certificate_is_refused() {
    let (bench, other) = (Bench::new().pair("rsa:2048"), Bench::new().pair("rsa:2048"));
    fs::copy(other.path("key.pem"), bench.path("other-key.pem")).unwrap();
    let cert = bench.path("cert.pem").display().to_string();
    bench.expect("cert.pem", "other-key.pem", "--ssl-key ", &["not that of", &cert, "-noout -pubkey", "-pubout"]);
}

#[test]
fn a_key_that_is_too_weak_is_refused() {
    let bench = Bench::new().pair("rsa:1024");
    bench.expect("cert.pem", "key.pem", "--ssl-key ", &["cannot be used", "openssl pkey -in"]);
}

#[test]
fn a_certificate_before_or_after_its_time_is_refused_with_both_dates() {
    let bench = Bench::new();
    bench.openssl("req -x509 -newkey ed25519 -nodes -keyout key.pem -out cert.pem -days 30 -subj /CN=db1");
    let key = PemFile::new(PemUse::Key, &bench.path("key.pem"));
    let certificate = PemFile::new(PemUse::Certificate, &bench.path("cert.pem"));
    for (year, word) in [(2060, "has expired"), (2020, "not valid yet")] {
        let said = certificate.identity(&key, july(year)).unwrap_err().to_string();
        assert!(said.contains(word) && said.contains(" from 20") && said.contains(" to 20"), "{said}");
        assert!(said.ends_with(&format!("openssl x509 -in {} -noout -dates", certificate.path.display())), "{said}");
        let authority = PemFile::new(PemUse::Authority, &certificate.path);
        assert!(authority.authority(july(year)).unwrap_err().to_string().contains(word));
    }
}

#[test]
fn version_one_is_refused_for_a_host_and_not_for_an_authority() {
    let bench = Bench::new();
    bench.openssl("req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=db1");
    // Without extensions openssl makes version 1.
    bench.openssl("x509 -req -in request.pem -signkey key.pem -days 36500 -out cert.pem");
    bench.expect("cert.pem", "key.pem", "--ssl-cert ", &["version 1", "-extfile", "-noout -text"]);
    bench.authority("cert.pem").unwrap();
}

#[test]
fn a_file_with_several_authorities_is_read_whole() {
    let (bench, other) = (Bench::new().pair("ed25519"), Bench::new().pair("ed25519"));
    let both = [&bench, &other].map(|bench| fs::read_to_string(bench.path("cert.pem")).unwrap()).concat();
    bench.file("ca.pem", &both);
    bench.authority("ca.pem").unwrap();
    assert!(bench.authority("key.pem").unwrap_err().to_string().starts_with("--ssl-ca "));
}

#[test]
fn a_key_that_others_may_read_is_warned_of() {
    let bench = Bench::new().pair("ed25519");
    let key = PemFile::new(PemUse::Key, &bench.path("key.pem"));
    fs::set_permissions(&key.path, PermissionsExt::from_mode(0o644)).unwrap();
    assert!(key.exposed().unwrap().contains("has mode 0644"));
    fs::set_permissions(&key.path, PermissionsExt::from_mode(0o600)).unwrap();
    assert_eq!(key.exposed(), None);
}
