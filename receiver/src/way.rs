//! Which way links to the sender are made.

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use quinn::{Endpoint, EndpointConfig, Runtime, TokioRuntime};
use xbproto::cli::Reporter;
use xbproto::contact::{self, Dialer, Port, Route};
use xbproto::failure::Party;
use xbproto::key::Key;
use xbproto::quic::{self, Tuning};
use xbproto::tls::Identity;

use crate::entrance::Entrance;

/// Who makes the links.
#[derive(Debug)]
pub enum Way {
    /// The sender does.
    Listen {
        /// What this side shows.
        identity: Identity,
        /// How long to wait for a sender; for ever if not set.
        wait: Option<Duration>,
    },
    /// This side does.
    Dial {
        /// Where the sender is.
        route: Route,
    },
}

impl Way {
    /// How long a sender is waited for that comes by itself.
    pub(crate) fn wait(&self) -> Option<Duration> {
        match self {
            Way::Listen { wait, .. } => *wait,
            Way::Dial { .. } => None,
        }
    }

    /// Makes an entrance of it, on `socket`. Call it within the runtime that is to drive it.
    pub(crate) fn open(
        self,
        socket: UdpSocket,
        key: Key,
        tuning: Tuning,
        reporter: &Reporter,
    ) -> io::Result<(Endpoint, Entrance)> {
        match self {
            Way::Listen { identity, .. } => {
                let (endpoint, acceptor) = contact::listen(socket, &key, &identity, tuning)?;
                let port = Port::new(endpoint.clone(), acceptor, Entrance::greeting(Arc::new(key)));
                Ok((endpoint, Entrance::Port(port)))
            }
            Way::Dial { route } => {
                let endpoint = quic::dialer(TokioRuntime.wrap_udp_socket(socket)?, EndpointConfig::default())?;
                let (key, role) = (Arc::new(key), Party::Receiver);
                let dialer = Dialer { endpoint: endpoint.clone(), key, role, tuning };
                Ok((endpoint, Entrance::seek(dialer, route, reporter.clone())))
            }
        }
    }
}
