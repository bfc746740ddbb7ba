//! The options that say how links to the receiver are made.

use std::net::IpAddr;

use xbproto::cli::{ListenOn, PortRange, Times};
use xbproto::quantity::Span;
use xbproto::wire::MAX_LINKS;

/// Who dials, who listens, and for how long.
#[derive(Clone, clap::Args, Debug)]
pub struct WayArgs {
    /// Where xbrecv listens; port 9999 if none is given
    ///
    /// With --ssh it is the way to the xbrecv that is started there, where that is not HOST itself.
    #[arg(value_name = "HOST:PORT", required_unless_present_any = ["listen", "ssh"])]
    pub to: Option<String>,

    /// Listen on this port, or address and port, for an xbrecv --connect; port 0 takes a free one and prints it
    #[arg(short, long, value_name = "[ADDR:]PORT", conflicts_with_all = ["to", "links", "bind", "check"], help_heading = "Connection")]
    pub listen: Option<ListenOn>,

    /// Listen on a free UDP port of this range, such as 9999-10010, instead of the port of --listen; with --ssh, there
    #[arg(long, value_name = "LO-HI", requires = "listener", help_heading = "Connection")]
    pub ports: Option<PortRange>,

    /// With --listen, make the backup for N receivers, one after the other; 0 goes on until it is ended
    ///
    /// A backup that fails is counted too, and told; in the end the exit code is that of the last one that failed, if one
    /// did.
    #[arg(long, value_name = "N", requires = "listen", conflicts_with_all = ["to", "checksum_file", "receipt"], help_heading = "Connection")]
    pub times: Option<Times>,

    /// Send over N links at a time, up to 16, each with a thread and a socket of its own
    ///
    /// Pays where one core on each side cannot keep up (more than 10 Gbit/s), on paths that divide their capacity by
    /// flow, and with --congestion cubic. Each further link has an eighth of the receiver's --window: raise it on long
    /// paths.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_LINKS)), help_heading = "Connection")]
    pub links: u8,

    /// How long to try to reach the receiver before giving up (such as 30s, 5m; 0 tries once) [default: 15s; with
    /// --listen, for ever]
    #[arg(long, value_name = "DURATION", help_heading = "Connection")]
    pub wait: Option<Span>,

    /// Local address to send from
    #[arg(long, value_name = "ADDR", help_heading = "Connection")]
    pub bind: Option<IpAddr>,
}
