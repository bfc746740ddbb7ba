//! What `--compress` asks for, and how much effort a block is given.

use std::fmt;
use std::str::FromStr;

/// The strongest level that can be asked for: what lies above takes many times the memory for next to nothing.
const STRONGEST: i32 = 19;

/// What `--compress` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As much as makes the transfer faster.
    Auto,
    /// This level, whatever it costs.
    Fixed(Effort),
}

/// How hard it is tried to make a block smaller. The order is that of what it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Not at all.
    Stored,
    /// With a level of zstd, which has fast ones below 0.
    Zstd(i32),
}

/// Why a compression was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is auto, or a level of zstd from 1 to {STRONGEST}")]
pub struct CompressionError;

impl FromStr for Compression {
    type Err = CompressionError;

    fn from_str(text: &str) -> Result<Compression, CompressionError> {
        match text.parse() {
            _ if text == "auto" => Ok(Compression::Auto),
            Ok(level @ 1..=STRONGEST) => Ok(Compression::Fixed(Effort::Zstd(level))),
            _ => Err(CompressionError),
        }
    }
}

impl fmt::Display for Effort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Effort::Stored => f.write_str("stored"),
            Effort::Zstd(level) => write!(f, "level {level}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_asked_for() {
        assert_eq!("auto".parse(), Ok(Compression::Auto));
        assert_eq!("1".parse(), Ok(Compression::Fixed(Effort::Zstd(1))));
        assert_eq!("19".parse(), Ok(Compression::Fixed(Effort::Zstd(19))));
        for wrong in ["", "0", "20", "-1", "best", "AUTO", "3.5"] {
            assert_eq!(wrong.parse::<Compression>(), Err(CompressionError), "{wrong}");
        }
    }
}
