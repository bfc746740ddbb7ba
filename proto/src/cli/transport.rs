//! The option that says over what links are made.

use clap::Args;

use crate::contact::Transport;

/// Over what.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct TransportArgs {
    /// Over what: auto (QUIC; TCP on the port of the same number where UDP does not get through), quic or tcp
    ///
    /// Whoever listens answers over both, unless one of them is named here. TCP is tried only after QUIC has met with
    /// silence or was refused, and that is told. Keys, certificates, resume and receipt are the same over both.
    #[arg(long, value_name = "WHICH", default_value = "auto", help_heading = "Connection")]
    pub transport: Transport,
}
