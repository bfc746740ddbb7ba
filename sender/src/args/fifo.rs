//! Several streams of one backup.

use std::path::PathBuf;

use clap::Args;
use xbproto::quantity::Span;
use xbproto::wire::MAX_LANES;

use super::NO_FIFOS;
use crate::source::FifoWish;

/// Options for a tool that writes its backup to several FIFOs.
#[derive(Args, Debug)]
#[command(next_help_heading = "Source")]
pub(super) struct FifoArgs {
    /// Read N streams from FIFOs that the tool makes, as xtrabackup does with its option of this name
    ///
    /// Each FIFO is a stream of its own all the way. An xtrabackup gets --fifo-streams and --fifo-dir from here if its
    /// command line has none, and is believed if it has. 1 is the standard output. Name FIFOs that are there already with
    /// -i, each with its own.
    #[arg(long, value_name = "N", conflicts_with_all = NO_FIFOS, value_parser = clap::value_parser!(u16).range(1..=i64::from(MAX_LANES)))]
    fifo_streams: Option<u16>,

    /// The directory in which the tool makes its FIFOs [default: a private one, if the tool is xtrabackup]
    #[arg(long, value_name = "DIR")]
    fifo_dir: Option<PathBuf>,

    /// How long the tool may take to make its FIFOs
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    fifo_timeout: Span,
}

impl FifoArgs {
    /// What was said about FIFOs.
    pub(super) fn wish(&self) -> FifoWish {
        FifoWish { streams: self.fifo_streams, dir: self.fifo_dir.clone(), timeout: self.fifo_timeout.0 }
    }
}
