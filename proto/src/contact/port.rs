//! The open port: who comes there, from a first packet to the first words.

use std::fmt;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use quinn::{Endpoint, Incoming, Runtime, TokioRuntime};
use tokio::time::timeout;

use super::Arrivals;
use crate::failure::Party;
use crate::link::{Admission, Connection, Eventually, Link, LinkError, TurnedAway, admit, canonical};
use crate::quic::{self, Acceptor, Tuning, listener_config};
use crate::tls::Credentials;
use crate::wire::VERSIONS;

/// How long a peer may take from its first packet to its first words.
const ADMISSION: Duration = Duration::from_secs(10);

/// How long the packets that say goodbye may take.
const LAST_PACKETS: Duration = Duration::from_secs(1);

/// Takes a port: an endpoint on `socket` that is known by `credentials`, also after a restart.
///
/// # Errors
/// When the socket is not usable, or TLS cannot be set up.
pub fn listen(socket: UdpSocket, credentials: Credentials, tuning: Tuning) -> io::Result<(Endpoint, Acceptor)> {
    let config = listener_config(&credentials, &place(socket.local_addr()?));
    let acceptor = Acceptor::new(credentials, tuning)?;
    Ok((quic::listener(TokioRuntime.wrap_udp_socket(socket)?, config, &acceptor)?, acceptor))
}

/// Closes an endpoint, and lets its last packets leave.
pub async fn close(endpoint: &Endpoint) {
    endpoint.close(0u32.into(), b"");
    let _ = timeout(LAST_PACKETS, endpoint.wait_idle()).await;
}

/// What tells this port of this host from any other, and stays the same when the program is started again.
fn place(address: SocketAddr) -> Vec<u8> {
    let machine = std::fs::read("/etc/machine-id").unwrap_or_default();
    let host = rustix::system::uname().nodename().to_bytes().to_vec();
    [machine, host, address.port().to_be_bytes().to_vec()].concat()
}

/// Hears what a peer that has proved the key says first, or has nothing to hear.
pub type FirstWords<T> = fn(Link) -> Eventually<'static, Result<T, LinkError>>;

/// What has to pass between both sides before a peer is a guest.
pub struct Greeting<T> {
    /// What the peer has to show and to prove.
    pub credentials: Credentials,
    /// Which half of the session this side is.
    pub role: Party,
    /// What makes a peer with the key a guest.
    pub first_words: FirstWords<T>,
}

/// Somebody who came, and what became of it.
#[derive(Debug)]
pub struct Arrival<T> {
    /// From where.
    pub peer: SocketAddr,
    /// A guest, or why it is none.
    pub greeted: Result<T, TurnedAway>,
}

/// An open port. Guests are `T`.
pub struct Port<T> {
    endpoint: Endpoint,
    acceptor: Acceptor,
    greeting: Greeting<T>,
    arrivals: Arrivals<Arrival<T>>,
}

impl<T: Send + 'static> Port<T> {
    /// Opens it.
    pub fn new(endpoint: Endpoint, acceptor: Acceptor, greeting: Greeting<T>) -> Port<T> {
        Port { endpoint, acceptor, greeting, arrivals: Arrivals::default() }
    }

    /// Waits for the next who came so far as to show what it is. Cancel-safe.
    pub async fn next(&mut self) -> Arrival<T> {
        loop {
            tokio::select! {
                biased;
                arrival = self.arrivals.next() => return arrival,
                Some(incoming) = self.endpoint.accept() => self.knocked(incoming),
            }
        }
    }

    /// Sends everybody away who is not a guest yet.
    pub async fn close(&mut self) {
        self.arrivals.close().await;
    }

    fn knocked(&mut self, incoming: Incoming) {
        if self.arrivals.is_crowded() && incoming.may_retry() {
            // Fails only for those who have shown their address already.
            let _ = incoming.retry();
            return;
        }
        let peer = canonical(incoming.remote_address());
        // Fails only for packets that are no beginning of a connection.
        if let Ok(opening) = self.acceptor.accept(incoming) {
            let connection = async { Ok(opening.await?.into()) };
            self.arrivals.admit(peer.ip(), greet(peer, connection, self.greeting.clone()));
        }
    }
}

/// From a connection that is being made to a guest.
async fn greet<T>(
    peer: SocketAddr,
    connection: impl Future<Output = Result<Connection, LinkError>>,
    greeting: Greeting<T>,
) -> Arrival<T> {
    let greeted = async {
        let admission = Admission { credentials: &greeting.credentials, role: greeting.role, versions: VERSIONS };
        let link = admit(connection.await?, admission).await?;
        Ok((greeting.first_words)(link).await?)
    };
    let late = || Err(LinkError::Lost("it took too long to prove itself".into()).into());
    Arrival { peer, greeted: timeout(ADMISSION, greeted).await.unwrap_or_else(|_| late()) }
}

impl<T> Clone for Greeting<T> {
    fn clone(&self) -> Greeting<T> {
        Greeting { credentials: self.credentials.clone(), role: self.role, first_words: self.first_words }
    }
}

impl<T> fmt::Debug for Port<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
