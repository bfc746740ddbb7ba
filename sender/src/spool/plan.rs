//! What `--spool` asks for: `DIR[,SIZE]`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use xbproto::lane::MAX_BLOCK;
use xbproto::quantity::{ByteSize, QuantityError};

/// How much is spooled unless told: a few minutes of a fast server, and no great part of its disk.
const DEFAULT: ByteSize = ByteSize(16 << 30);

/// A spool of less would be full before it is of any use.
const LEAST: ByteSize = ByteSize(16 * MAX_BLOCK as u64);

/// A spool to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolPlan {
    /// Where its files are.
    pub dir: PathBuf,
    /// The most bytes on the disk, over all lanes.
    pub size: ByteSize,
}

/// Why a plan was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpoolPlanError {
    /// There is nothing before the comma.
    #[error("it names no directory; write DIR or DIR,SIZE, such as /var/tmp,16g")]
    NoDir,
    /// What follows the comma is no size.
    #[error("the SIZE after the last comma: {0}; a DIR with a comma in it needs a SIZE")]
    Size(QuantityError),
    /// Too small.
    #[error("a spool of {0} is too small; the smallest is {LEAST}")]
    TooSmall(ByteSize),
}

impl SpoolPlan {
    /// Reads `DIR` or `DIR,SIZE`.
    ///
    /// # Errors
    /// [`SpoolPlanError`]; whether there is such a directory is not looked at.
    pub fn parse(text: OsString) -> Result<SpoolPlan, SpoolPlanError> {
        let bytes = text.as_bytes();
        let (dir, size) = match bytes.iter().rposition(|byte| *byte == b',') {
            Some(comma) => (&bytes[..comma], parse_size(&bytes[comma + 1..])?),
            None => (bytes, DEFAULT),
        };
        match (dir, size) {
            ([], _) => Err(SpoolPlanError::NoDir),
            (_, small) if small < LEAST => Err(SpoolPlanError::TooSmall(small)),
            _ => Ok(SpoolPlan { dir: OsStr::from_bytes(dir).into(), size }),
        }
    }
}

fn parse_size(text: &[u8]) -> Result<ByteSize, SpoolPlanError> {
    String::from_utf8_lossy(text).parse().map_err(SpoolPlanError::Size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<SpoolPlan, SpoolPlanError> {
        SpoolPlan::parse(text.into())
    }

    #[test]
    fn a_size_follows_the_last_comma() {
        for (text, dir, size) in
            [("/var/tmp", "/var/tmp", DEFAULT.0), ("spool,1.5g", "spool", 3 << 29), ("a,b,16m", "a,b", 16 << 20)]
        {
            assert_eq!(parse(text), Ok(SpoolPlan { dir: dir.into(), size: ByteSize(size) }), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        assert_eq!(parse(""), Err(SpoolPlanError::NoDir));
        assert_eq!(parse(",1g"), Err(SpoolPlanError::NoDir));
        assert_eq!(
            parse("/tmp,1m").unwrap_err().to_string(),
            "a spool of 1.0 MiB is too small; the smallest is 16.0 MiB"
        );
        let error = parse("/srv/a,b").unwrap_err().to_string();
        assert!(error.starts_with("the SIZE after the last comma: \"b\" is not a number"), "{error}");
    }
}
