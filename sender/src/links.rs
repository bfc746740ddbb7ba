//! The threads of a session's links: one for each, with a socket of its own, on which nothing else is done.

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use quinn::{Endpoint, EndpointConfig, Runtime, TokioRuntime};
use tokio::task::JoinSet;
use xbproto::cli::Reporter;
use xbproto::failure::{Cause, Failure, Party};
use xbproto::place::Place;
use xbproto::session::{LinkId, Sender, Sent};
use xbproto::shared::Shared;
use xbproto::tls::Credentials;
use xbproto::{link, quic};

use crate::joined::keep_joined;
use crate::resume::keep_linked;
use crate::route::Route;
use crate::uplink::Uplink;

/// How long the packets that say goodbye may take.
const LAST_PACKETS: Duration = Duration::from_secs(1);

/// What links are made with.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    pub(crate) route: Route,
    pub(crate) credentials: Credentials,
    pub(crate) uplink: Uplink,
    pub(crate) reporter: Reporter,
}

impl Links {
    /// Starts a thread for each socket. That of the first reaches the receiver and serves the session; the others join it.
    /// The session fails if one ends early.
    ///
    /// # Errors
    /// When a thread cannot be made.
    pub(crate) fn start(self, sockets: Vec<UdpSocket>) -> io::Result<JoinSet<()>> {
        let mut threads = JoinSet::new();
        let (session, joining) = (self.uplink.session.clone(), LinkId::joining(self.uplink.links));
        for (link, socket) in std::iter::once(LinkId::MAIN).chain(joining).zip(sockets) {
            let links = self.clone();
            let work = Place::Threads.start(&link.to_string(), move || links.keep(link, socket))?;
            threads.spawn(link::watch(work, session.clone()));
        }
        Ok(threads)
    }

    /// Keeps one link over this socket until the session is over.
    async fn keep(self, link: LinkId, socket: UdpSocket) {
        let Links { route, credentials, uplink, reporter } = self;
        match dialer(socket) {
            Ok(endpoint) => {
                match link {
                    LinkId::MAIN => keep_linked(&endpoint, &route, &credentials, &uplink, &reporter).await,
                    _ => keep_joined(link, &endpoint, &credentials, &uplink, &reporter).await,
                }
                say_goodbye(&endpoint, &uplink.session).await;
            }
            Err(error) => uplink.session.change(|s| s.fail(Failure::new(Cause::Unforeseen, Party::Sender, error))),
        }
    }
}

fn dialer(socket: UdpSocket) -> io::Result<Endpoint> {
    quic::dialer(TokioRuntime.wrap_udp_socket(socket)?, EndpointConfig::default())
}

async fn say_goodbye(endpoint: &Endpoint, session: &Arc<Shared<Sender>>) {
    // A peer that is lost would not hear it.
    if !session.look(|s| matches!(s.outcome(), Some(Sent::Failed(f)) if f.cause == Cause::PeerLost)) {
        let _ = tokio::time::timeout(LAST_PACKETS, endpoint.wait_idle()).await;
    }
}
