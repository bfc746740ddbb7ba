//! Why the certificate of a peer was refused, in words for whoever has to mend it.

use std::fmt;
use std::path::PathBuf;

use rustls::CertificateError;

use super::{Certificate, Fingerprint};

/// A certificate that does not satisfy the [`Trust`](super::Trust) of this side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is none.
    #[error(
        "the peer shows no certificate, and this side demands one (--ssl-ca or --fingerprint): give it --ssl-cert and --ssl-key"
    )]
    NoCertificate,
    /// It is something else.
    #[error("what the peer shows is no X.509 certificate; look at its file there: openssl x509 -in FILE -noout -text")]
    Unreadable,
    /// It is not the right one.
    #[error("the peer's certificate ({seen}) is refused: {reason}")]
    Refused {
        /// What the peer has shown.
        seen: Box<Certificate>,
        /// What is wrong with it.
        reason: Reason,
    },
}

/// What is wrong with a certificate. The messages end with the command that shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// The peer has made it for the occasion.
    OneTime,
    /// It is of X.509 version 1.
    VersionOne,
    /// None of the authorities has signed it.
    UnknownAuthority {
        /// What was given with `--ssl-ca`.
        ca: PathBuf,
    },
    /// It says that an authority has signed it, but that one has another key.
    OtherAuthority {
        /// What was given with `--ssl-ca`.
        ca: PathBuf,
    },
    /// It is that of an authority, which should sign others and not speak for a host.
    IsAuthority,
    /// It is for neither side of TLS.
    Purpose,
    /// It is for other hosts.
    WrongName {
        /// What was dialled.
        dialled: String,
        /// What it is for.
        names: String,
    },
    /// It is none of the pinned ones.
    NotPinned {
        /// The pinned ones.
        pins: Vec<Fingerprint>,
    },
    /// What webpki says of it, or of one that leads from it to the authority.
    Chain {
        /// What was given with `--ssl-ca`.
        ca: PathBuf,
        /// In its words.
        words: String,
    },
}

impl Refusal {
    /// The same in TLS's words, from which follows the alert that the peer hears.
    pub(super) fn for_tls(&self) -> CertificateError {
        let reason = match self {
            Refusal::NoCertificate => return CertificateError::ApplicationVerificationFailure,
            Refusal::Unreadable => return CertificateError::BadEncoding,
            Refusal::Refused { reason, .. } => reason,
        };
        match reason {
            Reason::Expired => CertificateError::Expired,
            Reason::NotYetValid => CertificateError::NotValidYet,
            Reason::VersionOne | Reason::IsAuthority | Reason::Purpose => CertificateError::InvalidPurpose,
            Reason::OneTime | Reason::UnknownAuthority { .. } | Reason::OtherAuthority { .. } => {
                CertificateError::UnknownIssuer
            }
            Reason::WrongName { .. } => CertificateError::NotValidForName,
            Reason::NotPinned { .. } => CertificateError::ApplicationVerificationFailure,
            Reason::Chain { .. } => CertificateError::Other(rustls::OtherError(std::sync::Arc::new(self.clone()))),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Expired => f.write_str(
                "it has expired; make a new one, or look at the clock (on its host: openssl x509 -in FILE -noout -dates)",
            ),
            Reason::NotYetValid => f.write_str(
                "it is not valid yet; is the clock of this host or of the one that made it wrong? (date -u; on its host: \
                 openssl x509 -in FILE -noout -dates)",
            ),
            Reason::OneTime => f.write_str(
                "it was made for this occasion, for the peer was given none, and this side demands one that it knows (--ssl-ca or \
                 --fingerprint): give the peer --ssl-cert and --ssl-key",
            ),
            Reason::VersionOne => f.write_str(
                "it is of X.509 version 1, which TLS 1.3 has no use for; make one of version 3 (on its host: \
                 openssl x509 -in FILE -noout -text | grep Version)",
            ),
            Reason::UnknownAuthority { ca } => write!(
                f,
                "no certificate in {ca} (--ssl-ca) has signed it; here: openssl x509 -in {ca} -noout -subject -dates",
                ca = ca.display()
            ),
            Reason::OtherAuthority { ca } => write!(
                f,
                "it was signed by another authority of the same name as the one in {ca} (--ssl-ca), as when each server has \
                 made its own: both sides need the same CA (compare on both hosts: openssl x509 -in {ca} -noout \
                 -fingerprint -sha256)",
                ca = ca.display()
            ),
            Reason::IsAuthority => f.write_str(
                "it is the certificate of an authority (CA:TRUE); use one that it has signed, or pin this one with \
                 --ssl-mode PINNED (on its host: openssl x509 -in FILE -noout -ext basicConstraints)",
            ),
            Reason::Purpose => f.write_str(
                "it is for neither side of TLS (on its host: openssl x509 -in FILE -noout -ext extendedKeyUsage)",
            ),
            Reason::WrongName { dialled, names } => write!(
                f,
                "it is for {names} and not for {dialled}, which was dialled; dial a name that it has, or use --ssl-mode VERIFY_CA (on its \
                 host: openssl x509 -in FILE -noout -subject -ext subjectAltName)"
            ),
            Reason::NotPinned { pins } => {
                let pins: Vec<_> = pins.iter().map(Fingerprint::to_string).collect();
                let pins = pins.join(" or ");
                write!(
                    f,
                    "its fingerprint is not {pins} (--fingerprint); if the certificate is new, pin that (on its host: \
                     openssl x509 -in FILE -noout -fingerprint -sha256)"
                )
            }
            Reason::Chain { ca, words } => write!(
                f,
                "it cannot be followed to {ca} (--ssl-ca): {words} (with its file: openssl verify -CAfile {ca} FILE)",
                ca = ca.display()
            ),
        }
    }
}
