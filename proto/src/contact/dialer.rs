//! One attempt to reach a listener.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::Endpoint;

use crate::failure::Party;
use crate::key::Key;
use crate::link::{Admission, Link, LinkError, knock};
use crate::quic::{Tuning, connect};
use crate::wire::VERSIONS;

/// How long one attempt may take: several lost packets on a slow path.
pub const ATTEMPT: Duration = Duration::from_secs(5);

/// What links to a listener are made with.
#[derive(Clone, Debug)]
pub struct Dialer {
    /// Where packets leave.
    pub endpoint: Endpoint,
    /// What is proved, and has to be.
    pub key: Arc<Key>,
    /// Which half of the session this side is.
    pub role: Party,
    /// The transport's settings.
    pub tuning: Tuning,
}

impl Dialer {
    /// Connects to whoever listens at `address`, and proves the key. The caller limits how long it may take.
    ///
    /// # Errors
    /// [`LinkError`]
    pub async fn dial(&self, address: SocketAddr) -> Result<Link, LinkError> {
        let connecting = connect(&self.endpoint, address, &self.tuning);
        let connecting = connecting.map_err(|error| LinkError::Lost(error.to_string()))?;
        let admission = Admission { key: &self.key, role: self.role, versions: VERSIONS };
        knock(connecting.await?.into(), admission).await
    }
}
