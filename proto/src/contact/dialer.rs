//! One attempt to reach a listener.

use std::net::SocketAddr;
use std::time::Duration;

use quinn::Endpoint;

use crate::failure::Party;
use crate::link::{Admission, Link, LinkError, knock};
use crate::quic::{Tuning, connect};
use crate::tls::Credentials;
use crate::wire::VERSIONS;

/// How long one attempt may take: several lost packets on a slow path.
pub const ATTEMPT: Duration = Duration::from_secs(5);

/// What links to a listener are made with.
#[derive(Clone, Debug)]
pub struct Dialer {
    /// Where packets leave.
    pub endpoint: Endpoint,
    /// What is shown and proved, and has to be.
    pub credentials: Credentials,
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
        let opening = connect(&self.endpoint, address, &self.credentials, &self.tuning);
        let opening = opening.map_err(|error| LinkError::Lost(error.to_string()))?;
        let admission = Admission { credentials: &self.credentials, role: self.role, versions: VERSIONS };
        knock(opening.await?.into(), admission).await
    }
}
