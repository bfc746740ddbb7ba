//! An authenticated connection.

use std::net::SocketAddr;
use std::time::Duration;

use quinn::{Connection, RecvStream, SendStream, VarInt};

use super::{ControlReader, ControlWriter, LinkError};
use crate::wire::CloseCode;

/// A connection whose peer has proved the key, with its control stream.
#[derive(Debug)]
pub struct Link {
    /// Blocks go over streams of this.
    pub connection: Connection,
    /// What the peer says.
    pub reader: ControlReader<RecvStream>,
    /// What we say.
    pub writer: ControlWriter<SendStream>,
    /// The protocol version both speak.
    pub version: u16,
}

impl Link {
    /// The peer's present address.
    pub fn peer(&self) -> SocketAddr {
        canonical(self.connection.remote_address())
    }
}

/// An address as people write it: a socket for both families sees IPv4 ones as `::ffff:…`.
pub fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// The longest close reason, in bytes: it has to fit into one packet of the smallest size.
const MAX_REASON: usize = 900;

/// Closes `connection` with a code and a sentence.
pub(super) fn close(connection: &Connection, code: CloseCode, reason: &str) {
    let reason = &reason[..reason.floor_char_boundary(MAX_REASON)];
    connection.close(VarInt::from_u32(code.number()), reason.as_bytes());
}

/// Closes a connection as of no more use when it is dropped, whatever has ended its use, and however. A close that came
/// before stands.
#[derive(Debug)]
pub struct ClosedAtLast<'a>(pub &'a Connection);

impl Drop for ClosedAtLast<'_> {
    fn drop(&mut self) {
        close(self.0, CloseCode::Broken, "this link is of no more use");
    }
}

impl Link {
    /// Closes it now. What was written and not delivered may be lost.
    pub fn close(&self, code: CloseCode, reason: &str) {
        close(&self.connection, code, reason);
    }

    /// Gives the peer `patience` to close first, as whoever heard the last message does; then
    /// closes. Returns how it ended.
    pub async fn closed_by_peer(&self, patience: Duration, code: CloseCode, reason: &str) -> Option<LinkError> {
        let closed = tokio::time::timeout(patience, self.connection.closed()).await;
        self.close(code, reason);
        closed.ok().map(LinkError::from)
    }
}
