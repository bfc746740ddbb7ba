//! Why a stored stream could not be used, and whose fault it was.

use std::io;
use std::path::PathBuf;

use xbproto::failure::{Cause, Failure, Party};
use xbproto::lane::Sha1Sum;
use xbproto::place::Panicked;
use xbproto::xbstream::{Missing, OrderError, StreamError};

use crate::disk::{reason, shown};
use crate::extract::ContentError;
use crate::sink::SinkError;

/// Why a stored stream could not be used. `name` is that of the stream, as it was given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// There is nothing to read, or it may not be read.
    #[error("opening {name}: {}", reason(.error))]
    Open {
        /// The stream.
        name: String,
        /// What the system said.
        error: io::Error,
    },
    /// Something that has no bytes.
    #[error("opening {name}: it is a directory; name the file with the stream")]
    Directory {
        /// What was named.
        name: String,
    },
    /// Standard input has one stream only.
    #[error("--from - is given twice: standard input can be read only once")]
    StdinTwice,
    /// More streams than any backup has.
    #[error("--from is given {count} times: a backup has at most {limit} streams")]
    TooMany {
        /// How many were given.
        count: usize,
        /// How many may be.
        limit: usize,
    },
    /// A read failed.
    #[error("reading {name} at byte {offset}: {}", reason(.error))]
    Read {
        /// The stream.
        name: String,
        /// Where, in bytes from its start.
        offset: u64,
        /// What the system said.
        error: io::Error,
    },
    /// There were no bytes in any of the streams.
    #[error("{names}: empty; whoever wrote it failed")]
    Empty {
        /// The streams.
        names: String,
    },
    /// The file beside the stream, which should have its SHA-1, has none.
    #[error("{}: no line of sha1sum for {name} in it; remove it to go on without", shown(.path))]
    NoSum {
        /// The file beside the stream.
        path: PathBuf,
        /// The stream.
        name: String,
    },
    /// The stream is not the one whose SHA-1 was stored.
    #[error(
        "{name}: the SHA-1 of its {len} bytes is {actual}, expected {expected} as {} says: the file was damaged, or changed, \
         after it was stored",
        shown(.path)
    )]
    Sum {
        /// The stream.
        name: String,
        /// Its length in bytes.
        len: u64,
        /// What it comes to.
        actual: Sha1Sum,
        /// What was stored.
        expected: Sha1Sum,
        /// Where that was stored.
        path: PathBuf,
    },
    /// The bytes of a stream are not an xbstream, or not in an order that makes files.
    #[error("{name}: {error}")]
    Stream {
        /// The stream.
        name: String,
        /// What is wrong with it.
        error: StreamError,
    },
    /// A file of a stream cannot be decoded.
    #[error("{name}: {error}")]
    File {
        /// The stream.
        name: String,
        /// Why.
        error: ContentError,
    },
    /// All streams have ended, but not all of their files.
    #[error(transparent)]
    Unfinished(OrderError),
    /// What every backup closes with is not there.
    #[error("{0}; `--expect xbstream` accepts streams that are no whole backup")]
    Missing(Missing),
    /// A stream cannot be unpacked.
    #[error("{name}: {error}")]
    Unpack {
        /// The stream.
        name: String,
        /// Why.
        error: SinkError,
    },
    /// What was unpacked cannot be kept.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// Standard output does not take what is listed.
    #[error("writing to standard output: {}", reason(.0))]
    Print(io::Error),
    /// A thread could not be started.
    #[error("starting a thread: {}", reason(.0))]
    Thread(io::Error),
    /// A thread ended without a result: a defect.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// Somebody has asked for the end.
    #[error("interrupted")]
    Interrupted,
}

impl LocalError {
    /// Whose fault it was, and so the exit code.
    pub fn cause(&self) -> Cause {
        match self {
            LocalError::StdinTwice | LocalError::TooMany { .. } => Cause::Usage,
            LocalError::Open { .. } | LocalError::Directory { .. } | LocalError::Read { .. } => Cause::Source,
            LocalError::Empty { .. } | LocalError::NoSum { .. } => Cause::Source,
            LocalError::Sum { .. } | LocalError::Stream { .. } => Cause::Integrity,
            LocalError::Unfinished(_) | LocalError::Missing(_) => Cause::Integrity,
            LocalError::File { error, .. } => error.cause(),
            LocalError::Unpack { error, .. } | LocalError::Sink(error) => error.cause(),
            LocalError::Print(_) => Cause::Sink,
            LocalError::Thread(_) | LocalError::Panicked(_) => Cause::Unforeseen,
            LocalError::Interrupted => Cause::Interrupted,
        }
    }

    /// It as what the program ends with.
    pub(super) fn failure(self) -> Failure {
        Failure::new(self.cause(), Party::Receiver, self)
    }
}
