//! The receiver listens, and this side dials.

use std::time::Duration;

use xbproto::cli::Reporter;
use xbproto::contact::{Comeback, Dialer, Route, reach};
use xbproto::failure::{Failure, Party};
use xbproto::link::{Link, Outage};
use xbproto::wire::SessionId;

use super::Contact;

/// What links to a listening receiver are made with.
#[derive(Debug)]
pub struct Dials {
    /// Makes them.
    pub dialer: Dialer,
    /// Where the receiver is.
    pub route: Route,
    /// Whose name makes the pauses between attempts unlike those of others.
    pub session: SessionId,
    /// Who is told.
    pub reporter: Reporter,
}

impl Contact for Dials {
    fn dials(&self) -> Party {
        Party::Sender
    }

    fn patience(&self, retry_for: Duration) -> Duration {
        retry_for
    }

    async fn first(&mut self) -> Result<Link, Failure> {
        let dial = |attempt| self.dialer.dial(attempt);
        reach(&self.route, Party::Sender, &self.reporter, self.dialer.tries(), dial).await
    }

    async fn mind(&mut self) -> std::convert::Infallible {
        std::future::pending().await
    }

    fn search(&self, outage: Outage, lost: std::net::SocketAddr) -> Comeback {
        let [a, b, c, d, e, f, g, h, ..] = self.session.0;
        Comeback::new(outage, Some(lost), u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }

    async fn again(&mut self, comeback: &mut Comeback) -> Result<Link, String> {
        let dial = |attempt| self.dialer.dial(attempt);
        comeback.search(&self.route, Party::Sender, &self.reporter, self.dialer.tries(), dial).await
    }
}
