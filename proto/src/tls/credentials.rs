//! Who this side is, and whom it believes: all that decides whether two sides talk to each other.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Identity, IdentityError, Trust};
use crate::key::Key;

/// What one side shows, and what it demands of the other: a shared key, a certificate that satisfies a [`Trust`], or both.
/// There are none that demand nothing.
///
/// They are the same for dialers and listeners, for senders and receivers, and for every form of connection:
/// [`client_config`](super::client_config) and [`server_config`](super::server_config) judge certificates by them, and
/// the [handshake](crate::link) the key.
#[derive(Clone, Debug)]
pub struct Credentials {
    key: Option<Key>,
    identity: Option<Arc<Identity>>,
    trust: Option<Arc<Trust>>,
}

impl Credentials {
    /// Whoever has `key` is trusted, whatever certificate it shows.
    pub fn shared_key(key: Key) -> Credentials {
        Credentials { key: Some(key), identity: None, trust: None }
    }

    /// Whoever shows a certificate that satisfies `trust` is trusted, if it has no key either.
    pub fn certificates(identity: Identity, trust: Trust) -> Credentials {
        Credentials { key: None, identity: Some(Arc::new(identity)), trust: Some(Arc::new(trust)) }
    }

    /// The same, and this certificate is shown.
    #[must_use]
    pub fn showing(self, identity: Identity) -> Credentials {
        Credentials { identity: Some(Arc::new(identity)), ..self }
    }

    /// The same, and the peer's certificate has to satisfy `trust` too.
    #[must_use]
    pub fn demanding(self, trust: Trust) -> Credentials {
        Credentials { trust: Some(Arc::new(trust)), ..self }
    }

    /// The same for a listener, which always shows a certificate: one that nobody has seen before, if it was given none.
    ///
    /// # Errors
    /// [`IdentityError`] when none can be made.
    pub fn for_listener(self) -> Result<Credentials, IdentityError> {
        match self.identity {
            Some(_) => Ok(self),
            None => Ok(self.showing(Identity::one_time()?)),
        }
    }

    /// The key that both sides prove to have; nothing if certificates alone decide.
    pub fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    /// The certificate that is shown, if there is one.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_deref()
    }

    /// What the peer's certificate has to satisfy, if anything.
    pub(super) fn trust(&self) -> Option<&Arc<Trust>> {
        self.trust.as_ref()
    }

    /// Bytes that only this side has, or both: from which a listener derives what has to be the same after a restart.
    /// Without a shared key they are those of its private key.
    pub(crate) fn secret(&self) -> Zeroizing<Vec<u8>> {
        let key = self.key.iter().flat_map(|key| key.as_bytes());
        match (&self.key, &self.identity) {
            (None, Some(identity)) => Zeroizing::new(identity.private_key.secret_der().to_vec()),
            _ => Zeroizing::new(key.copied().collect()),
        }
    }
}
