//! The open port: who comes there, from a first packet to the first words.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use quinn::Incoming;
use tokio::time::timeout;

use super::{Arrivals, Endpoints};
use crate::failure::Party;
use crate::link::{Admission, Connection, Eventually, Link, LinkError, TurnedAway, admit, canonical};
use crate::quic::Acceptor;
use crate::tcp;
use crate::tls::Credentials;
use crate::wire::VERSIONS;

/// How long a peer may take from its first packet to its first words.
const ADMISSION: Duration = Duration::from_secs(10);

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
    endpoints: Endpoints,
    acceptor: Acceptor,
    greeting: Greeting<T>,
    arrivals: Arrivals<Arrival<T>>,
}

impl<T: Send + 'static> Port<T> {
    /// Opens it.
    pub fn new(endpoints: Endpoints, acceptor: Acceptor, greeting: Greeting<T>) -> Port<T> {
        Port { endpoints, acceptor, greeting, arrivals: Arrivals::default() }
    }

    /// Waits for the next who came so far as to show what it is. Cancel-safe.
    pub async fn next(&mut self) -> Arrival<T> {
        loop {
            tokio::select! {
                biased;
                arrival = self.arrivals.next() => return arrival,
                Some(incoming) = self.endpoints.quic.accept() => self.knocked(incoming),
                incoming = next_over_tcp(&self.endpoints) => self.connected(incoming),
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

    /// TCP has shown that it has its address.
    fn connected(&mut self, incoming: tcp::Incoming) {
        let peer = incoming.remote_address();
        let connection = async { Ok(incoming.establish().await?) };
        self.arrivals.admit(peer.ip(), greet(peer, connection, self.greeting.clone()));
    }
}

/// The next who has connected over TCP; for ever nobody, where that is not served.
async fn next_over_tcp(endpoints: &Endpoints) -> tcp::Incoming {
    match &endpoints.tcp {
        Some(tcp) => tcp.accept().await,
        None => std::future::pending().await,
    }
}

/// From a connection that is being made to a guest.
async fn greet<T>(
    peer: SocketAddr,
    connection: impl Future<Output = Result<Connection, TurnedAway>>,
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
        f.debug_struct("Port").field("endpoints", &self.endpoints).finish_non_exhaustive()
    }
}
