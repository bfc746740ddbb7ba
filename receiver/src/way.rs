//! Which way links to the sender are made.

use std::io;
use std::time::Duration;

use xbproto::cli::Reporter;
use xbproto::contact::{Dialer, Endpoints, Port, Route, Sockets, Worked};
use xbproto::failure::Party;
use xbproto::quic::Tuning;
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

    /// Makes an entrance of it, on `sockets`. Call it within the runtime that is to drive it.
    pub(crate) fn open(
        self,
        sockets: Sockets,
        credentials: Credentials,
        tuning: Tuning,
        reporter: &Reporter,
    ) -> io::Result<(Endpoints, Entrance)> {
        match self {
            Way::Listen { .. } => {
                let (endpoints, acceptor) = Endpoints::listener(sockets, credentials.clone(), tuning)?;
                let port = Port::new(endpoints.clone(), acceptor, Entrance::greeting(credentials));
                Ok((endpoints, Entrance::Port(port)))
            }
            Way::Dial { route } => {
                let transport = route.transport;
                let endpoints = Endpoints::dialer(sockets.udp, transport, tuning.liveness)?;
                let (role, reporter, worked) = (Party::Receiver, reporter.clone(), Worked::default());
                let dialer = Dialer {
                    endpoints: endpoints.clone(),
                    transport,
                    credentials,
                    role,
                    tuning,
                    reporter: reporter.clone(),
                    worked,
                };
                Ok((endpoints, Entrance::seek(dialer, route, reporter)))
            }
        }
    }
}
