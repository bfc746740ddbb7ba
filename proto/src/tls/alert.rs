//! What the peer says, and no more, when it refuses this side's certificate.

use std::fmt;

/// A TLS alert by its number: all that a side learns of why its certificate was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert(pub u8);

impl Alert {
    /// `certificate_required`: the peer asked for a certificate, and there was none.
    pub const CERTIFICATE_REQUIRED: Alert = Alert(116);

    /// The number of the alert by which either side is told that TLS has no protocol in common: ALPN.
    pub const NO_APPLICATION_PROTOCOL: Alert = Alert(120);

    /// Whether it is about the certificate of whoever hears it.
    pub fn is_about_a_certificate(self) -> bool {
        self.cause().is_some()
    }

    /// Its name in RFC 8446.
    fn name(self) -> &'static str {
        match self.0 {
            10 => "unexpected_message",
            40 => "handshake_failure",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            44 => "certificate_revoked",
            45 => "certificate_expired",
            46 => "certificate_unknown",
            47 => "illegal_parameter",
            48 => "unknown_ca",
            49 => "access_denied",
            50 => "decode_error",
            51 => "decrypt_error",
            70 => "protocol_version",
            80 => "internal_error",
            109 => "missing_extension",
            116 => "certificate_required",
            120 => "no_application_protocol",
            _ => "an unknown alert",
        }
    }

    /// What it most likely means, and the arguments by which `openssl x509` shows it.
    pub(super) fn cause(self) -> Option<(&'static str, &'static str)> {
        Some(match self.0 {
            42 => ("it is not for the name that the peer has dialled", "-subject -ext subjectAltName"),
            43 => ("it is not for TLS, or of version 1", "-text"),
            44 => ("it has been revoked", "-serial"),
            45 => ("it has expired or is not valid yet, or a clock is wrong", "-dates"),
            46 => ("the peer cannot make sense of it", "-text"),
            48 => ("no authority that the peer was given (its --ssl-ca) has signed it", "-issuer"),
            49 => ("its fingerprint is none of those that the peer was given", "-fingerprint -sha256"),
            51 => ("a signature in its chain is wrong, or of a kind that the peer does not take", "-text"),
            116 => ("it was shown none", ""),
            _ => return None,
        })
    }
}

impl fmt::Display for Alert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), self.0)
    }
}
