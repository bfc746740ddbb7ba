//! SHA-256 fingerprints of certificates, in the forms people have them in.

use std::fmt;
use std::str::FromStr;

use rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};

/// The SHA-256 of a certificate's DER, as `openssl x509 -fingerprint -sha256` shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

/// It is no such fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// It does not say that it is one of SHA-256.
    #[error(
        "expected SHA256: and 64 hexadecimal digits, as `openssl x509 -in FILE -noout -fingerprint -sha256` shows them"
    )]
    Kind,
    /// Something stands there that is no digit.
    #[error("character {position} is no hexadecimal digit; expected SHA256: and 64 of them, with or without colons")]
    Character {
        /// Its place in the text as given, from 1.
        position: usize,
    },
    /// There are too few digits, or too many.
    #[error("it has {found} hexadecimal digits, expected 64 (SHA-256); one of SHA-1, with 40, is not enough")]
    Length {
        /// How many there are.
        found: usize,
    },
}

impl Fingerprint {
    /// That of a certificate.
    pub fn of(certificate: &CertificateDer<'_>) -> Fingerprint {
        Fingerprint(Sha256::digest(certificate).into())
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    /// Takes `SHA256:` and digits, and the line that openssl prints (`sha256 Fingerprint=AA:BB:…`).
    fn from_str(text: &str) -> Result<Fingerprint, FingerprintError> {
        let given = text.trim();
        let digits = ["sha256:", "sha256 fingerprint="].iter().find_map(|start| {
            given.get(..start.len()).filter(|found| found.eq_ignore_ascii_case(start)).map(|_| &given[start.len()..])
        });
        let digits = digits.ok_or(FingerprintError::Kind)?;
        let before = text.find(digits).map_or(0, |at| text[..at].chars().count());
        let (mut bytes, mut found) = ([0; 32], 0);
        for (at, character) in digits.chars().enumerate().filter(|(_, character)| *character != ':') {
            let wrong = FingerprintError::Character { position: before + at + 1 };
            let digit = character.to_digit(16).ok_or(wrong)? as u8;
            if let Some(byte) = bytes.get_mut(found / 2) {
                *byte = *byte << 4 | digit;
            }
            found += 1;
        }
        if found == 64 { Ok(Fingerprint(bytes)) } else { Err(FingerprintError::Length { found }) }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SHA256")?;
        self.0.iter().try_for_each(|byte| write!(f, ":{byte:02X}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Fingerprint {
        Fingerprint::of(&CertificateDer::from(b"abc".to_vec()))
    }

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn every_form_that_people_have_is_read() {
        let shown = some().to_string();
        let colons = shown.trim_start_matches("SHA256:").to_owned();
        for form in [
            shown.clone(),
            shown.to_lowercase(),
            format!("SHA256:{HEX}"),
            format!("sha256:{}", HEX.to_uppercase()),
            format!("sha256 Fingerprint={colons}\n"),
            format!("SHA256 Fingerprint={colons}"),
        ] {
            assert_eq!(form.parse(), Ok(some()), "{form}");
        }
    }

    #[test]
    fn each_mistake_has_its_own_error() {
        let refused = |text: &str| text.parse::<Fingerprint>().expect_err("no fingerprint");
        assert_eq!(refused(""), FingerprintError::Kind);
        assert_eq!(refused(HEX), FingerprintError::Kind);
        assert_eq!(refused("SHA1:aa"), FingerprintError::Kind);
        assert_eq!(refused("SHA256:"), FingerprintError::Length { found: 0 });
        assert_eq!(refused(&format!("SHA256:{}", &HEX[..40])), FingerprintError::Length { found: 40 });
        assert_eq!(refused(&format!("SHA256:{HEX}00")), FingerprintError::Length { found: 66 });
        assert_eq!(refused("SHA256:uOZ4"), FingerprintError::Character { position: 8 });
        assert_eq!(refused("SHA256:é"), FingerprintError::Character { position: 8 });
    }
}
