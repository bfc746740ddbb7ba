//! The options for orders to a running program.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

/// Taking orders, and giving them.
#[derive(Args, Clone, Debug, Default)]
pub struct ControlArgs {
    /// Take orders at the Unix socket PATH while running: see --control
    ///
    /// The socket is there while the program runs, with mode 0600: its user and root may give orders.
    #[arg(long, value_name = "PATH", help_heading = "Connection")]
    pub control_socket: Option<PathBuf>,

    /// Give an ORDER to the program that runs with --control-socket PATH: rate-limit RATE, rate-limit none, or status
    ///
    /// Ends with 0 when it was carried out, with 2 when it is no order, and with 3 when nobody takes orders there. status
    /// prints one line of JSON.
    #[arg(
        long,
        num_args = 2..=3,
        value_names = ["PATH", "ORDER"],
        exclusive = true,
        help_heading = "Connection"
    )]
    pub control: Option<Vec<OsString>>,
}
