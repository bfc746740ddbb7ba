//! Which way links to the sender are made.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use xbproto::cli::Reporter;
use xbproto::contact::{Dialer, Endpoints, Port, Route, Sockets, Worked};
use xbproto::failure::Party;
use xbproto::key::Key;
use xbproto::quic::Tuning;
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

    /// Makes an entrance of it, on `sockets`. Call it within the runtime that is to drive it.
    pub(crate) fn open(
        self,
        sockets: Sockets,
        key: Key,
        tuning: Tuning,
        reporter: &Reporter,
    ) -> io::Result<(Endpoints, Entrance)> {
        match self {
            Way::Listen { identity, .. } => {
                let (endpoints, acceptor) = Endpoints::listener(sockets, &key, &identity, tuning)?;
                let port = Port::new(endpoints.clone(), acceptor, Entrance::greeting(Arc::new(key)));
                Ok((endpoints, Entrance::Port(port)))
            }
            Way::Dial { route } => {
                let transport = route.transport;
                let endpoints = Endpoints::dialer(sockets.udp, transport, tuning.liveness)?;
                let (key, role, reporter, worked) =
                    (Arc::new(key), Party::Receiver, reporter.clone(), Worked::default());
                let dialer = Dialer {
                    endpoints: endpoints.clone(),
                    transport,
                    key,
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
