//! Why a spool could not be made, or gave back other bytes than it was given.
//!
//! A spool that cannot take more is no error: its source waits.

use std::io;
use std::path::PathBuf;

use xbproto::failure::Cause;

/// A spool that failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// No file in its directory.
    #[error("--spool {}: {error}; name a directory that exists and in which files may be made", dir.display())]
    Make {
        /// As it was given.
        dir: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// What is queued cannot be read.
    #[error("reading {len} bytes at offset {offset} of the spool in {}: {error}; check that disk", dir.display())]
    Read {
        /// As it was given.
        dir: PathBuf,
        /// In the spool's file.
        offset: u64,
        /// How many were to be read.
        len: usize,
        /// What the system said.
        error: io::Error,
    },
    /// What is queued is not what was queued.
    #[error(
        "the spool in {} is damaged: {len} bytes at offset {offset} were written with CRC {written:08x} and read with \
         {read:08x}; check that disk, or spool elsewhere", dir.display()
    )]
    Damaged {
        /// As it was given.
        dir: PathBuf,
        /// In the spool's file.
        offset: u64,
        /// How many were read.
        len: usize,
        /// Their CRC-32 when they were written.
        written: u32,
        /// And now.
        read: u32,
    },
}

impl SpoolError {
    /// What the programs exit for.
    pub fn cause(&self) -> Cause {
        match self {
            SpoolError::Make { .. } => Cause::Usage,
            SpoolError::Read { .. } => Cause::Source,
            SpoolError::Damaged { .. } => Cause::Integrity,
        }
    }
}
