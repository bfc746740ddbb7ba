//! The options that say how links to the sender are made.

use std::net::SocketAddr;

use xbproto::cli::{ListenOn, Times};
use xbproto::quantity::Span;
use xbproto::quic::Family;

/// Who dials, who listens, and for how long.
#[derive(Clone, clap::Args, Debug)]
pub struct WayArgs {
    /// UDP port to listen on, or address and port; port 0 takes a free one
    #[arg(short, long, value_name = "[ADDR:]PORT", default_value = "9999", help_heading = "Connection")]
    listen: ListenOn,

    /// Instead of listening, connect to an xbsend --listen; port 9999 if none is given
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "listen", help_heading = "Connection")]
    pub connect: Option<String>,

    /// Take N backups, one after the other; 0 goes on until it is ended
    ///
    /// In the FILE of -o and the DIR of -C, %n is the number of the backup, from 1; without it they would be in the way of
    /// the second. A backup that fails is counted too, and told; in the end the exit code is that of the last one that
    /// failed, if one did.
    #[arg(long, value_name = "N", help_heading = "Connection")]
    pub times: Option<Times>,

    /// How long to wait for the sender [default: for ever; with --connect, 30s]
    #[arg(long, value_name = "DURATION", help_heading = "Connection")]
    pub wait: Option<Span>,
}

impl WayArgs {
    /// Where to listen, and for which addresses, if `family` is wished.
    pub fn listen(&self, family: Family) -> (SocketAddr, Family) {
        self.listen.bind(family)
    }
}
