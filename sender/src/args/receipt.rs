//! What is kept of a confirmed session.

use std::path::PathBuf;

use clap::Args;

/// What is kept of a confirmed session.
#[derive(Args, Clone, Debug)]
pub struct ReceiptArgs {
    /// Write what was confirmed to FILE, as JSON: session, checksums, and the LSN where the next incremental backup starts
    #[arg(long, value_name = "FILE", conflicts_with = "check", help_heading = "Source")]
    pub receipt: Option<PathBuf>,
}
