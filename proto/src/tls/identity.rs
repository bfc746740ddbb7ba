//! The certificate a listener shows.

use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// No certificate could be made.
#[derive(Debug, thiserror::Error)]
#[error("making a certificate: {0}")]
pub struct IdentityError(#[from] rcgen::Error);

/// A certificate and its private key.
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
}
