//! The certificate that one side shows, and the form a one-time one is kept in.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use zeroize::Zeroize;

/// The name in certificates that are made for an occasion: the same for all, so it tells nothing, but that.
pub(super) const OCCASION: &str = "xbstream-link";

/// There is no certificate to show.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// None could be made.
    #[error("making a certificate: {0}")]
    Make(#[from] rcgen::Error),
    /// The private key is of no kind that TLS knows, or not that of the certificate.
    #[error("the private key cannot be used: {0}")]
    Use(#[from] rustls::Error),
}

/// What was kept is no identity.
#[derive(Debug, thiserror::Error)]
pub enum KeptIdentityError {
    /// It is too short.
    #[error("a kept identity of {found} bytes ends inside its {part}")]
    EndsInside {
        /// How long it is.
        found: usize,
        /// Where it ends.
        part: &'static str,
    },
    /// Its parts are not what they should be.
    #[error(transparent)]
    Unusable(#[from] IdentityError),
}

/// A certificate, those that lead from it to an authority, and its private key. `Debug` does not show the key.
pub struct Identity {
    /// The own one first.
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) private_key: PrivateKeyDer<'static>,
    /// What shows it, in handshakes of either side.
    pub(super) shown: Arc<SingleCertAndKey>,
    /// Where the chain was read; nothing if it was made here.
    pub(super) file: Option<PathBuf>,
}

impl Identity {
    /// A self-signed certificate (Ed25519) that nobody has seen before. It names nobody: the proofs
    /// of the key say who is who.
    ///
    /// # Errors
    /// [`IdentityError`], practically never.
    pub fn one_time() -> Result<Identity, IdentityError> {
        let key = KeyPair::generate_for(&PKCS_ED25519)?;
        let certificate = CertificateParams::new(vec![OCCASION.to_owned()])?.self_signed(&key)?;
        let private_key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        Identity::new(vec![certificate.der().clone()], private_key, None)
    }

    /// This chain, the own certificate first, with the private key that belongs to it; read from `file`, if from any.
    ///
    /// # Errors
    /// [`IdentityError::Use`]
    pub(super) fn new(
        chain: Vec<CertificateDer<'static>>,
        private_key: PrivateKeyDer<'static>,
        file: Option<PathBuf>,
    ) -> Result<Identity, IdentityError> {
        let certified = CertifiedKey::from_der(chain.clone(), private_key.clone_key(), &aws_lc_rs::default_provider())?;
        Ok(Identity { chain, private_key, shown: Arc::new(SingleCertAndKey::from(certified)), file })
    }

    /// The form to keep it in, for as long as its private key is as safe there as the shared key.
    pub fn keep(&self) -> KeptIdentity {
        let certificate = self.chain.first().map_or(&[][..], |certificate| certificate.as_ref());
        let length = (certificate.len() as u32).to_be_bytes();
        KeptIdentity([length.as_slice(), certificate, self.private_key.secret_der()].concat())
    }

    /// The identity that was kept as `bytes`.
    ///
    /// # Errors
    /// [`KeptIdentityError`]
    pub fn restore(bytes: &[u8]) -> Result<Identity, KeptIdentityError> {
        let ends_inside = |part| KeptIdentityError::EndsInside { found: bytes.len(), part };
        let (length, rest) = bytes.split_first_chunk().ok_or(ends_inside("length"))?;
        let (certificate, private_key) =
            rest.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or(ends_inside("certificate"))?;
        if private_key.is_empty() {
            return Err(ends_inside("private key"));
        }
        let private_key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(private_key.to_vec()));
        Ok(Identity::new(vec![CertificateDer::from(certificate.to_vec())], private_key, None)?)
    }
}

impl Clone for Identity {
    fn clone(&self) -> Identity {
        let Identity { chain, private_key, shown, file } = self;
        Identity {
            chain: chain.clone(),
            private_key: private_key.clone_key(),
            shown: shown.clone(),
            file: file.clone(),
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Identity");
        shown.field("certificates", &self.chain.len()).field("file", &self.file);
        shown.field("private_key", &format_args!("[secret key elided]")).finish()
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

    #[test]
    fn a_kept_identity_is_the_same_and_works() {
        let identity = Identity::one_time().unwrap();
        let restored = Identity::restore(identity.keep().as_bytes()).unwrap();
        assert_eq!(restored.chain, identity.chain);
        assert_eq!(restored.private_key, identity.private_key);
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
