//! Which port is taken.

use clap::Args;
use xbproto::cli::PortRange;

/// The ports to choose from.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct PortsArgs {
    /// Listen on a free UDP port of this range, such as 9999-10010, instead of the port of --listen
    #[arg(long, value_name = "LO-HI", help_heading = "Connection")]
    pub(super) ports: Option<PortRange>,
}
