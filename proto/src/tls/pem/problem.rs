//! What can be wrong with a PEM file, and the command that shows it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::tls::certificate::Validity;

/// What a PEM file is for: the option it was given with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PemUse {
    /// `--ssl-ca`: whom this side believes.
    Authority,
    /// `--ssl-cert`: what it shows.
    Certificate,
    /// `--ssl-key`: the private key of that.
    Key,
}

impl fmt::Display for PemUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PemUse::Authority => "--ssl-ca",
            PemUse::Certificate => "--ssl-cert",
            PemUse::Key => "--ssl-key",
        })
    }
}

/// A PEM file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{used_as} {}: {problem}: {}", path.display(), problem.command(path))]
pub struct PemError {
    pub(super) used_as: PemUse,
    pub(super) path: PathBuf,
    pub(super) problem: PemProblem,
}

/// What is wrong with it.
#[derive(Debug, thiserror::Error)]
pub enum PemProblem {
    /// It is not there, or not to be read.
    #[error("{0}; is it there, and may this user read it? See")]
    Read(io::Error),
    /// It has no bytes, or only blank ones.
    #[error("the file is empty; see")]
    Empty,
    /// There is a private key in it, and no certificate.
    #[error("it holds a private key and no certificate; were --ssl-cert and --ssl-key exchanged? See")]
    KeyInstead,
    /// There is a certificate in it, and no private key.
    #[error("it holds a certificate and no private key; were --ssl-cert and --ssl-key exchanged? See")]
    CertificateInstead,
    /// There is no certificate in it.
    #[error("no certificate (-----BEGIN CERTIFICATE-----) is in it; if it is in DER form, turn it into PEM")]
    NoCertificate,
    /// There is no private key in it.
    #[error("no private key (-----BEGIN ... PRIVATE KEY-----) is in it; see")]
    NoKey,
    /// The private key is encrypted, and nobody is there to be asked for the password.
    #[error(
        "the private key is encrypted, and there is nobody to ask for its password; decrypt it into a file of mode 0600"
    )]
    EncryptedKey,
    /// The private key is of no kind that TLS 1.3 knows.
    #[error(
        "the private key cannot be used ({words}); RSA of 2048 bits or more, EC (P-256, P-384, P-521) and Ed25519 can; see"
    )]
    UnknownKey {
        /// What is said of it.
        words: String,
    },
    /// The private key belongs to another certificate.
    #[error("the private key is not that of {}; these two lines have to be the same", certificate.display())]
    OtherKey {
        /// The file of the certificate.
        certificate: PathBuf,
    },
    /// It begins like PEM, and goes on otherwise.
    #[error("it is damaged ({words}); see")]
    Malformed {
        /// What is said of it.
        words: String,
    },
    /// The certificate's time is over.
    #[error("the certificate has expired: it was valid {validity}; make a new one, or look at the clock; see")]
    Expired {
        /// When it was valid.
        validity: Validity,
    },
    /// The certificate's time has not come.
    #[error("the certificate is not valid yet: it is {validity}; is the clock right (date -u)? See")]
    NotYetValid {
        /// When it will be valid.
        validity: Validity,
    },
    /// The certificate is of X.509 version 1.
    #[error(
        "the certificate is of X.509 version 1, which TLS 1.3 has no use for; sign a request for it again with any extension \
         (openssl x509 -req -extfile with the line basicConstraints=CA:FALSE) to get one of version 3; see"
    )]
    VersionOne,
}

impl PemProblem {
    /// What shows it, or mends it.
    fn command(&self, path: &Path) -> String {
        let path = path.display();
        match self {
            PemProblem::Read(_) | PemProblem::Empty => format!("ls -l {path}"),
            PemProblem::KeyInstead | PemProblem::CertificateInstead | PemProblem::NoKey => {
                format!("grep BEGIN {path}")
            }
            PemProblem::NoCertificate => format!("openssl x509 -inform DER -in {path} -out NEW_FILE"),
            PemProblem::EncryptedKey => format!("openssl pkey -in {path} -out NEW_FILE"),
            PemProblem::UnknownKey { .. } => format!("openssl pkey -in {path} -noout -text"),
            PemProblem::OtherKey { certificate } => {
                let certificate = certificate.display();
                format!(
                    "openssl x509 -in {certificate} -noout -pubkey | sha256sum; openssl pkey -in {path} -pubout | sha256sum"
                )
            }
            PemProblem::Malformed { .. } | PemProblem::VersionOne => format!("openssl x509 -in {path} -noout -text"),
            PemProblem::Expired { .. } | PemProblem::NotYetValid { .. } => {
                format!("openssl x509 -in {path} -noout -dates")
            }
        }
    }
}
