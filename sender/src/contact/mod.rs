//! How a sender comes by links to its receiver: it dials, or it listens.

mod dials;
mod listens;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use xbproto::contact::Comeback;
use xbproto::failure::{Failure, Party};
use xbproto::link::{Link, Outage};

pub use dials::Dials;
pub use listens::Listens;

/// A way to come by links to the receiver.
pub trait Contact: Send {
    /// Who makes the links.
    fn dials(&self) -> Party;

    /// How long another link is waited for, if this side tries to come back for `retry_for`.
    fn patience(&self, retry_for: Duration) -> Duration;

    /// The first link.
    ///
    /// # Errors
    /// The failure of a session that has none.
    fn first(&mut self) -> impl Future<Output = Result<Link, Failure>> + Send;

    /// Minds whoever else comes, while a link is served.
    fn mind(&mut self) -> impl Future<Output = Infallible> + Send;

    /// The search for another link than the lost one to a receiver that was at `peer`.
    fn search(&self, outage: Outage, peer: SocketAddr) -> Comeback;

    /// Another link.
    ///
    /// # Errors
    /// Why it was given up.
    fn again(&mut self, comeback: &mut Comeback) -> impl Future<Output = Result<Link, String>> + Send;
}
