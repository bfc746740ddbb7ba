//! Why a directory could not be sent.

use std::io;
use std::path::PathBuf;

use xbproto::xbstream::encode::EncodeError;

use super::Happened;

/// Why a directory could not be sent. Each names the file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DirError {
    /// A system call failed.
    #[error("{doing} {}: {error}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A link, which the format cannot carry.
    #[error(
        "{} is a symbolic link; an xbstream has none, and the copy would lack what it leads to: put the file itself there",
        .0.display()
    )]
    Link(PathBuf),
    /// A socket, a device or a FIFO.
    #[error("{} is a {kind}; an xbstream has only regular files: remove it, or send a directory without it", path.display())]
    Special {
        /// Where.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// A name that no reader of the format takes.
    #[error("{}: {error}", path.display())]
    Name {
        /// Where.
        path: PathBuf,
        /// What is wrong with the name.
        error: EncodeError,
    },
    /// There is no file in it.
    #[error("{} has no files in it", .0.display())]
    Empty(PathBuf),
    /// Somebody has written to a file, removed it, or put another in its place or beside it.
    #[error(
        "{} {happened} when {} was listed; nothing may write there while it is sent",
        path.display(),
        dir.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// What has become of it.
        happened: Happened,
        /// The directory that is sent.
        dir: PathBuf,
    },
    /// The thread that reads has panicked.
    #[error("the thread that reads {} has ended early; please report this", .0.display())]
    Abandoned(PathBuf),
}
