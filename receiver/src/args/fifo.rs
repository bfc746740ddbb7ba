//! FIFOs as the destination.

use std::path::{Path, PathBuf};

use clap::Args;
use xbproto::quantity::Span;

use super::modes::NO_FIFOS;
use crate::sink::FifoPlan;

/// Options for handing each stream to a FIFO.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Destination")]
pub(super) struct FifoArgs {
    /// Make a FIFO for each stream in DIR, thread_0 and so on, and write it there for another program
    ///
    /// For xbstream -x --fifo-streams=N --fifo-dir=DIR, and other programs that read several streams. As with --stdout, who
    /// reads gets the bytes before they are verified: look at the exit code of xbrecv. The FIFOs are gone when it ends.
    #[arg(long, value_name = "DIR")]
    fifo_dir: Option<PathBuf>,

    /// How long the readers of the FIFOs may take to open them
    #[arg(long, value_name = "DURATION", default_value = "60s", conflicts_with_all = NO_FIFOS)]
    fifo_timeout: Span,

    /// Write BYTE (such as 0x55, or 85) into each FIFO first; xbsend -v says which one xtrabackup wrote
    ///
    /// Percona's xbstream waits for the byte that its xtrabackup writes, and takes no other one. Its value differs between
    /// versions and is not documented.
    #[arg(long, value_name = "BYTE", value_parser = byte, conflicts_with_all = NO_FIFOS)]
    fifo_sync_byte: Option<u8>,
}

impl FifoArgs {
    /// The FIFOs to be made, if that was asked for.
    pub(super) fn plan(&self) -> Option<FifoPlan> {
        let dir = self.fifo_dir.as_deref().map(Path::to_owned)?;
        Some(FifoPlan { dir, timeout: self.fifo_timeout.0, sync_byte: self.fifo_sync_byte })
    }
}

/// Reads a byte, in hexadecimal digits behind `0x`, or in decimal ones.
fn byte(text: &str) -> Result<u8, String> {
    let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u8::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number.map_err(|_| "it is a number from 0 to 255, or from 0x00 to 0xff".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_is_hexadecimal_or_decimal() {
        assert_eq!((byte("0x55"), byte("85"), byte("0")), (Ok(85), Ok(85), Ok(0)));
        for text in ["", "256", "0x", "0x100", "-1", "U"] {
            assert!(byte(text).is_err(), "{text}");
        }
    }
}
