//! What the peer says, and no more, when it refuses this side's certificate.

use std::fmt;
use std::path::PathBuf;

use super::Credentials;

/// A TLS alert by its number: all that a side learns of why its certificate was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert(pub u8);

impl Alert {
    /// `certificate_required`: the peer asked for a certificate, and there was none.
    pub const CERTIFICATE_REQUIRED: Alert = Alert(116);

    /// Whether it is about the certificate of whoever hears it.
    pub fn is_about_a_certificate(self) -> bool {
        self.cause().is_some()
    }

    /// Its name in RFC 8446, what it most likely means, and the arguments with which `openssl x509` shows it.
    fn cause(self) -> Option<(&'static str, &'static str, &'static str)> {
        Some(match self.0 {
            42 => {
                ("bad_certificate", "it is not for the name that the peer has dialled", "-subject -ext subjectAltName")
            }
            43 => ("unsupported_certificate", "it is that of an authority, or not for TLS, or of version 1", "-text"),
            44 => ("certificate_revoked", "it has been revoked", "-serial"),
            45 => ("certificate_expired", "it has expired or is not valid yet, or a clock is wrong", "-dates"),
            46 => {
                ("certificate_unknown", "the certificates between it and the peer's authority are not right", "-text")
            }
            48 => ("unknown_ca", "no authority that the peer was given (its --ssl-ca) has signed it", "-issuer"),
            49 => (
                "access_denied",
                "its fingerprint is none of those that the peer was given (its --fingerprint)",
                "-fingerprint -sha256",
            ),
            51 => (
                "decrypt_error",
                "a signature in its chain is wrong, or of a kind that the peer does not take",
                "-text",
            ),
            116 => ("certificate_required", "there is none", "-subject"),
            _ => return None,
        })
    }
}

/// This side's certificate was refused by the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distrust {
    alert: Alert,
    shown: Shown,
}

/// What it was.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Shown {
    /// It is not known here.
    Something,
    /// None that was given, so none that anybody could know.
    Nothing,
    /// That of a file.
    File(PathBuf),
}

impl Distrust {
    /// The peer has said `alert`.
    pub fn new(alert: Alert) -> Distrust {
        Distrust { alert, shown: Shown::Something }
    }

    /// The same, and what was shown is that of these `credentials`.
    #[must_use]
    pub fn of(self, credentials: &Credentials) -> Distrust {
        let file = credentials.identity().and_then(|identity| identity.file.clone());
        Distrust { shown: file.map_or(Shown::Nothing, Shown::File), ..self }
    }
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, cause, arguments) = self.alert.cause().unwrap_or(("no known alert", "it does not say why", "-text"));
        let number = self.alert.0;
        match &self.shown {
            Shown::Nothing => write!(
                f,
                "the peer demands a certificate that it trusts, and this side was given none: use --ssl-cert and --ssl-key \
                 (it says {name}, TLS alert {number})"
            ),
            Shown::Something => {
                write!(f, "the peer has refused this side's certificate: {cause} (it says {name}, TLS alert {number})")
            }
            Shown::File(file) => {
                let file = file.display();
                write!(
                    f,
                    "the peer has refused this side's certificate {file} (--ssl-cert): it says {name} (TLS alert {number}), most \
                     likely because {cause}; look at both: openssl x509 -in {file} -noout {arguments}"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_about_certificates_is_told_from_what_is() {
        assert!(Alert(48).is_about_a_certificate() && Alert::CERTIFICATE_REQUIRED.is_about_a_certificate());
        assert!(!Alert(40).is_about_a_certificate() && !Alert(120).is_about_a_certificate());
    }
}
