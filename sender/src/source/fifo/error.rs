//! Why FIFO streams could not be read.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use xbproto::failure::Cause;
use xbproto::quantity::Span;

/// Why FIFO streams could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FifoError {
    /// Two numbers of streams.
    #[error("--fifo-streams {ours} contradicts the --fifo-streams={theirs} of the command; say it once")]
    Streams {
        /// As `xbsend` was told.
        ours: u16,
        /// As the command was told.
        theirs: u16,
    },
    /// Two directories.
    #[error("--fifo-dir {} contradicts the --fifo-dir={} of the command; say it once", ours.display(), theirs.display())]
    Dirs {
        /// As `xbsend` was told.
        ours: PathBuf,
        /// As the command was told.
        theirs: PathBuf,
    },
    /// The command's number is none.
    #[error("the --fifo-streams={} of the command is no number of streams", told.display())]
    NoNumber {
        /// What it is.
        told: OsString,
    },
    /// The tool has no FIFO streams.
    #[error("--fifo-streams is for xtrabackup 8.0.33 and later; the tools of MariaDB have no FIFO streams")]
    MariaDb,
    /// Nobody knows where the FIFOs will be.
    #[error(
        "--fifo-streams needs --fifo-dir DIR where the command is no xtrabackup: the directory it makes its FIFOs in"
    )]
    NoDir,
    /// Something has the name of a FIFO already.
    #[error(
        "{} exists already; another backup may be writing there: wait for its end, or remove it, or give another --fifo-dir",
        .0.display()
    )]
    Exists(PathBuf),
    /// The directory for the FIFOs cannot be used.
    #[error("the directory for FIFOs {}: {error}", dir.display())]
    Dir {
        /// Which.
        dir: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// What the tool has made is no FIFO, or cannot be opened.
    #[error("opening the FIFO {}: {error}", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// What the tool has made is no FIFO.
    #[error("{} is no FIFO; give the directory in which the tool makes them", .0.display())]
    NotAFifo(PathBuf),
    /// The tool has not made its FIFOs in time.
    #[error(
        "{} has not appeared within {waited} (--fifo-timeout); does the tool write {streams} streams there?",
        path.display()
    )]
    Missing {
        /// The first that is missing.
        path: PathBuf,
        /// How long it was waited for.
        waited: Span,
        /// How many are expected.
        streams: u16,
    },
    /// The tool has made more FIFOs than were expected.
    #[error("the tool has made more FIFOs than {streams}, such as {}; say --fifo-streams as it does", path.display())]
    Surplus {
        /// The first too many.
        path: PathBuf,
        /// How many are expected.
        streams: u16,
    },
    /// The tool has ended well without opening all FIFOs.
    #[error("the tool ended well, but has not written to {}; does it write {streams} streams?", path.display())]
    Unused {
        /// The first that nobody wrote to.
        path: PathBuf,
        /// How many are expected.
        streams: u16,
    },
    /// The tool writes the backup to its standard output.
    #[error("the tool writes the backup to standard output, not to {streams} FIFOs; leave out --fifo-streams")]
    OnStdout {
        /// How many are expected.
        streams: u16,
    },
}

impl FifoError {
    /// What the programs exit for.
    pub fn cause(&self) -> Cause {
        match self {
            FifoError::Streams { .. }
            | FifoError::Dirs { .. }
            | FifoError::NoNumber { .. }
            | FifoError::MariaDb
            | FifoError::NoDir => Cause::Usage,
            _ => Cause::Source,
        }
    }
}
