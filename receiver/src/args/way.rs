//! The options that say how links to the sender are made.

use std::net::IpAddr;

use xbproto::cli::{ListenOn, PortChoice, PortRange, Times};
use xbproto::quantity::Span;
use xbproto::quic::Family;

/// Who dials, who listens, and for how long.
#[derive(Clone, clap::Args, Debug)]
pub struct WayArgs {
    /// Port to listen on, of UDP and TCP, or address and port; port 0 takes a free one
    #[arg(short, long, value_name = "[ADDR:]PORT", default_value = "9999", help_heading = "Connection")]
    listen: ListenOn,

    /// Listen on a free UDP port of this range, such as 9999-10010, instead of the port of --listen; with --ssh, there
    #[arg(long, value_name = "LO-HI", help_heading = "Connection")]
    pub ports: Option<PortRange>,

    /// Instead of listening, connect to an xbsend --listen; port 9999 if none is given
    ///
    /// With --ssh it is the way to the xbsend that is started there, where that is not HOST itself.
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "listen", help_heading = "Connection")]
    pub connect: Option<String>,

    /// Take N backups, one after the other; 0 goes on until it is ended
    ///
    /// In the FILE of -o and the DIR of -C, %n is the number of the backup, from 1; without it they would be in the way of
    /// the second. A backup that fails is counted too, and told; in the end the exit code is that of the last one that
    /// failed, if one did.
    #[arg(long, value_name = "N", help_heading = "Connection")]
    pub times: Option<Times>,

    /// How long to wait for the sender [default: for ever; with --connect, 15s]
    #[arg(long, value_name = "DURATION", help_heading = "Connection")]
    pub wait: Option<Span>,
}

impl WayArgs {
    /// Where to listen, and for which addresses, if `family` is wished.
    pub fn listen(&self, family: Family) -> (IpAddr, Family) {
        let (address, family) = self.listen.bind(family);
        (address.ip(), family)
    }

    /// Which port to listen on.
    pub fn port(&self) -> PortChoice {
        let (address, _) = self.listen.bind(Family::Any);
        self.ports.clone().map_or(PortChoice::Only(address.port()), PortChoice::Of)
    }
}
