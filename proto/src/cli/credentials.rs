//! What the command line and the environment say of whom to trust, whichever side it is.

use super::{KeyArgs, Meeting, SecretError, TlsArgs, TlsError, given_key};
use crate::tls::Credentials;

/// What somebody has provided beforehand.
#[derive(Debug)]
pub struct GivenCredentials {
    /// Nothing if there is no word of a key or of certificates: a key is made then, or asked for.
    pub credentials: Option<Credentials>,
    /// What the user should change about the files.
    pub warnings: Vec<String>,
}

/// What was provided will not do. It is wrong usage, and shows before anybody is contacted.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// The key.
    #[error(transparent)]
    Key(#[from] SecretError),
    /// The certificates.
    #[error(transparent)]
    Certificates(#[from] TlsError),
}

impl GivenCredentials {
    /// Reads the key and the certificates of these options, for sides that meet like this.
    ///
    /// # Errors
    /// [`CredentialsError`]
    pub fn read(key: &KeyArgs, tls: &TlsArgs, meeting: Meeting<'_>) -> Result<GivenCredentials, CredentialsError> {
        let given = given_key(key.key_file.as_deref())?;
        let (key, warning) = given.map_or((None, None), |given| (Some(given.key), given.warning));
        let certified = tls.credentials(key.clone(), meeting)?;
        let warnings = warning.into_iter().chain(tls.warning()).collect();
        Ok(GivenCredentials { credentials: certified.or(key.map(Credentials::shared_key)), warnings })
    }
}
