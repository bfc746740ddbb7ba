//! The certificate a listener shows, and the form it is kept in.

use std::fmt;

use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::Zeroize;

/// No certificate could be made.
#[derive(Debug, thiserror::Error)]
#[error("making a certificate: {0}")]
pub struct IdentityError(#[from] rcgen::Error);

/// What was kept is no identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a kept identity of {found} bytes ends inside its {part}")]
pub struct KeptIdentityError {
    found: usize,
    part: &'static str,
}

/// A certificate and its private key. `Debug` does not show the key.
#[derive(Debug)]
pub struct Identity {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) private_key: PrivateKeyDer<'static>,
}

impl Identity {
    /// A self-signed certificate (Ed25519) that nobody has seen before. It names nobody: the proofs
    /// of the key say who is who.
    ///
    /// # Errors
    /// [`IdentityError`], practically never.
    pub fn one_time() -> Result<Identity, IdentityError> {
        let key = KeyPair::generate_for(&PKCS_ED25519)?;
        let certificate = CertificateParams::new(vec!["xbstream-link".to_owned()])?.self_signed(&key)?;
        let private_key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Ok(Identity { certificate: certificate.der().clone(), private_key })
    }

    /// The form to keep it in, for as long as its private key is as safe there as the shared key.
    pub fn keep(&self) -> KeptIdentity {
        let certificate = self.certificate.as_ref();
        let length = (certificate.len() as u32).to_be_bytes();
        KeptIdentity([length.as_slice(), certificate, self.private_key.secret_der()].concat())
    }

    /// The identity that was kept as `bytes`. Whether the key is that of the certificate shows when it is used.
    ///
    /// # Errors
    /// [`KeptIdentityError`] when they are too short.
    pub fn restore(bytes: &[u8]) -> Result<Identity, KeptIdentityError> {
        let ends_inside = |part| KeptIdentityError { found: bytes.len(), part };
        let (length, rest) = bytes.split_first_chunk().ok_or(ends_inside("length"))?;
        let (certificate, private_key) =
            rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or(ends_inside("certificate"))?;
        if private_key.is_empty() {
            return Err(ends_inside("private key"));
        }
        let private_key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(private_key.to_vec()));
        Ok(Identity { certificate: CertificateDer::from(certificate.to_vec()), private_key })
    }
}

impl Clone for Identity {
    fn clone(&self) -> Identity {
        Identity { certificate: self.certificate.clone(), private_key: self.private_key.clone_key() }
    }
}

/// An [`Identity`] as bytes: `u32` length of the certificate, the certificate (DER), the private key (PKCS#8 DER).
/// Masked in `Debug`, wiped on drop.
pub struct KeptIdentity(Vec<u8>);

impl KeptIdentity {
    /// The bytes, secret ones among them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for KeptIdentity {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for KeptIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptIdentity(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::server_config;

    #[test]
    fn a_kept_identity_is_the_same_and_works() {
        let identity = Identity::one_time().unwrap();
        let restored = Identity::restore(identity.keep().as_bytes()).unwrap();
        assert_eq!(restored.certificate, identity.certificate);
        assert_eq!(restored.private_key, identity.private_key);
        server_config(&restored).unwrap();
    }

    #[test]
    fn what_is_cut_is_refused() {
        let kept = Identity::one_time().unwrap().keep();
        let certificate = u32::from_be_bytes(*kept.as_bytes().first_chunk().unwrap()) as usize;
        for cut in 0..=4 + certificate {
            assert!(Identity::restore(&kept.as_bytes()[..cut]).is_err(), "{cut}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let identity = Identity::one_time().unwrap();
        let some = format!("{:?}", identity.private_key.secret_der().last_chunk::<8>().unwrap());
        let shown = format!("{identity:?} {:?}", identity.keep());
        assert!(shown.contains("elided") && !shown.contains(some.trim_matches(['[', ']'])), "{shown}");
    }
}
