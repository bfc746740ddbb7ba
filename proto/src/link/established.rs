//! An authenticated connection.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Connection, ControlReader, ControlWriter, LinkError};
use crate::wire::CloseCode;

/// A connection whose peer has proved the key, with its control stream.
#[derive(Debug)]
pub struct Link {
    /// Blocks go over streams of this.
    pub connection: Connection,
    /// What the peer says.
    pub reader: ControlReader,
    /// What we say.
    pub writer: ControlWriter,
    /// The protocol version both speak.
    pub version: u16,
}

impl Link {
    /// The peer's present address.
    pub fn peer(&self) -> SocketAddr {
        canonical(self.connection.peer())
    }
}

/// An address as people write it: a socket for both families sees IPv4 ones as `::ffff:…`.
pub fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// The longest close reason, in bytes: it has to fit into one packet of the smallest size.
pub const MAX_REASON: usize = 900;

/// Closes a connection as of no more use when it is dropped, whatever has ended its use, and however. A close that came
/// before stands.
#[derive(Debug)]
pub struct ClosedAtLast<'a>(pub &'a Connection);

impl Drop for ClosedAtLast<'_> {
    fn drop(&mut self) {
        self.0.close(CloseCode::Broken, "this link is of no more use");
    }
}

impl Link {
    /// Closes it now. What was written and not delivered may be lost.
    pub fn close(&self, code: CloseCode, reason: &str) {
        self.connection.close(code, reason);
    }

    /// Gives the peer `patience` to close first, as whoever heard the last message does; then
    /// closes. Returns how it ended.
    pub async fn closed_by_peer(&self, patience: Duration, code: CloseCode, reason: &str) -> Option<LinkError> {
        let closed = tokio::time::timeout(patience, self.connection.closed()).await;
        self.close(code, reason);
        closed.ok()
    }
}
