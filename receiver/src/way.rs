//! Which way links to the sender are made.

use std::io;
use std::net::UdpSocket;
use std::time::Duration;

use quinn::{Endpoint, EndpointConfig, Runtime, TokioRuntime};
use xbproto::cli::Reporter;
use xbproto::contact::{self, Dialer, Port, Route};
use xbproto::failure::Party;
use xbproto::quic::{self, Tuning};
use xbproto::tls::Credentials;

use crate::entrance::Entrance;

/// Who makes the links.
#[derive(Debug)]
pub enum Way {
    /// The sender does.
    Listen {
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
            Way::Listen { wait } => *wait,
            Way::Dial { .. } => None,
        }
    }

    /// Makes an entrance of it, on `socket`. Call it within the runtime that is to drive it.
    pub(crate) fn open(
        self,
        socket: UdpSocket,
        credentials: Credentials,
        tuning: Tuning,
        reporter: &Reporter,
    ) -> io::Result<(Endpoint, Entrance)> {
        match self {
            Way::Listen { .. } => {
                let (endpoint, acceptor) = contact::listen(socket, credentials.clone(), tuning)?;
                let port = Port::new(endpoint.clone(), acceptor, Entrance::greeting(credentials));
                Ok((endpoint, Entrance::Port(port)))
            }
            Way::Dial { route } => {
                let endpoint = quic::dialer(TokioRuntime.wrap_udp_socket(socket)?, EndpointConfig::default())?;
                let role = Party::Receiver;
                let dialer = Dialer { endpoint: endpoint.clone(), credentials, role, tuning };
                Ok((endpoint, Entrance::seek(dialer, route, reporter.clone())))
            }
        }
    }
}
