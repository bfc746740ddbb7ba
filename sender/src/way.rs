//! Which way links to the receiver are made, and what has to be had for that before anything is run.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use xbproto::contact::{Route, Sockets};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::quic::{self, Family};

/// Who makes the links.
#[derive(Debug)]
pub enum Way {
    /// This side does.
    Dial(Dial),
    /// The receiver does.
    Listen(Listen),
}

/// What it takes to dial.
#[derive(Clone, Debug)]
pub struct Dial {
    /// Where the receiver is.
    pub route: Route,
    /// The local address to send from.
    pub bind: Option<IpAddr>,
    /// How many links to send over, 1 to [`MAX_LINKS`](xbproto::wire::MAX_LINKS).
    pub links: u8,
}

/// What it takes to listen.
#[derive(Debug)]
pub struct Listen {
    /// The port, bound already.
    pub sockets: Sockets,
    /// How long to wait for a receiver; for ever if not set.
    pub wait: Option<Duration>,
    /// Who is served after this one.
    pub next: Next,
}

/// Whether another backup follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// This is the last.
    Nobody,
    /// Another receiver may have the next.
    Another,
}

impl Way {
    /// How many links there are to be.
    pub fn links(&self) -> u8 {
        match self {
            Way::Dial(dial) => dial.links.max(1),
            Way::Listen(_) => 1,
        }
    }
}

impl Dial {
    /// A socket for each link.
    pub(crate) fn sockets(&self) -> Result<Vec<UdpSocket>, Failure> {
        (0..self.links.max(1)).map(|_| self.socket()).collect()
    }

    fn socket(&self) -> Result<UdpSocket, Failure> {
        let local = self.bind.map_or(self.route.local(), |address| SocketAddr::new(address, 0));
        quic::bind(local, Family::Any).map_err(|error| match error.error.kind() {
            // Invalid is a link-local address, for it says nothing of the link.
            io::ErrorKind::AddrNotAvailable | io::ErrorKind::InvalidInput if self.bind.is_some() => {
                let words = format!("{error}; --bind takes an address of this host");
                Failure::new(Cause::Usage, Party::Sender, words)
            }
            _ => Failure::new(Cause::Unforeseen, Party::Sender, error),
        })
    }
}
