//! Why unpacking failed, and whose fault it was.

use std::path::PathBuf;

use xbproto::failure::Cause;
use xbproto::lane::LaneId;
use xbproto::xbstream::{DecodeError, Missing, StreamError, StreamPath};

use super::files::content::ContentError;
use super::naming::path::PathError;
use crate::disk::{DiskError, shown};

/// Why unpacking failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExtractError {
    /// A system call on a file failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The stream names a file outside of the target directory, or none at all.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The bytes of a lane are not an xbstream, or not in an order that makes files.
    #[error("{}{error}{}", at(*lane), cure(error))]
    Stream {
        /// The lane.
        lane: LaneId,
        /// What is wrong with it.
        error: StreamError,
    },
    /// All lanes have ended, but not all of their files.
    #[error(transparent)]
    Unfinished(StreamError),
    /// The names in the stream exclude each other.
    #[error("{path}: the stream has this name twice, or as a file and as a directory; is it two backups in one?")]
    Conflict {
        /// The second to come.
        path: StreamPath,
    },
    /// Two files of the stream that would become one.
    #[error(
        "{second}: {first} came before, and both would be {disk} once they are decoded; are these two backups in one \
         stream?"
    )]
    OneName {
        /// As the stream calls the one that came first.
        first: StreamPath,
        /// As it calls the other.
        second: StreamPath,
        /// The name both would have.
        disk: StreamPath,
    },
    /// A file could not be decoded or written.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// Decryption has made rubbish of a file that is always text.
    #[error("{path}: decrypted, it is no text, which it always is: the key or the cipher of --decrypt is wrong")]
    WrongKey {
        /// The file.
        path: StreamPath,
    },
    /// What was unpacked is not a whole backup.
    #[error(transparent)]
    Incomplete(#[from] Missing),
    /// No file of the backup is wanted.
    #[error("no file of the backup matches --only {patterns}")]
    NothingWanted {
        /// What was wanted.
        patterns: String,
    },
    /// A rename of something that is not a file.
    #[error("{path}: the stream renames a directory, expected a file; it is damaged or was not made by a backup tool")]
    RenamedDirectory {
        /// The old name.
        path: StreamPath,
    },
    /// A file that two lanes write.
    #[error(
        "{path}: part of it came on {first}, part on {second}, but a file must stay on one lane; \
         are these the streams of one backup?"
    )]
    Torn {
        /// The file.
        path: StreamPath,
        /// The lane it began on.
        first: LaneId,
        /// The other one.
        second: LaneId,
    },
    /// More files that have begun and not ended than any tool has.
    #[error(
        "{path}: {limit} files are under way already, which is the limit; the stream was not made by a backup tool"
    )]
    TooManyOpen {
        /// The first that is too many.
        path: StreamPath,
        /// The limit.
        limit: usize,
    },
    /// Something in the target directory has a name that the stream brings.
    #[error("{} exists already in {}; unpack into an empty directory", shown(.path), shown(.dir))]
    Exists {
        /// Its path in the target directory.
        path: PathBuf,
        /// The target directory.
        dir: PathBuf,
    },
    /// A directory of the stream is a link or a file in the target directory.
    #[error(
        "{}: a directory on its way is a link or a file in {}; unpack into an empty directory",
        shown(.path),
        shown(.dir)
    )]
    NotADirectory {
        /// The path in the target directory.
        path: PathBuf,
        /// The target directory.
        dir: PathBuf,
    },
    /// Another process is unpacking into this directory.
    #[error("{} is locked: another xbrecv is already unpacking there", shown(.staging))]
    AlreadyRunning {
        /// Its staging folder.
        staging: PathBuf,
    },
    /// A commit record of an earlier run that cannot be trusted.
    #[error(
        "{}: {problem}; it tells what an interrupted run has put in place: look at it, then remove its folder",
        shown(.path)
    )]
    BadRecord {
        /// The record.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A commit failed, and so did taking it back.
    #[error("{error}; taking back {} failed too: {undo}; the next xbrecv for this directory tries again", shown(.path))]
    NotUndone {
        /// Why the commit failed.
        error: Box<ExtractError>,
        /// What still has its final name.
        path: PathBuf,
        /// Why.
        undo: DiskError,
    },
    /// The session ended before everything was unpacked and synced.
    #[error("unpacking: interrupted")]
    Interrupted,
    /// A method was called out of turn: a defect of the caller.
    #[error("the extraction was already committed or abandoned; please report this")]
    OutOfTurn,
}

/// Which of several streams it was; most sessions have one, and no user knows it as lane 0.
fn at(lane: LaneId) -> String {
    if lane == LaneId(0) { String::new() } else { format!("{lane}: ") }
}

/// What to do with a stream that is something else.
fn cure(error: &StreamError) -> &'static str {
    match error {
        StreamError::Decode(DecodeError::Text { .. } | DecodeError::Foreign { .. }) => {
            "; `xbrecv -o FILE` stores any stream"
        }
        _ => "",
    }
}

impl ExtractError {
    /// Whose fault it was, and so the exit code of both programs.
    pub fn cause(&self) -> Cause {
        match self {
            ExtractError::Path(_)
            | ExtractError::Stream { .. }
            | ExtractError::Unfinished(_)
            | ExtractError::Conflict { .. }
            | ExtractError::OneName { .. }
            | ExtractError::Incomplete(_)
            | ExtractError::WrongKey { .. }
            | ExtractError::RenamedDirectory { .. }
            | ExtractError::TooManyOpen { .. }
            | ExtractError::Torn { .. } => Cause::Integrity,
            ExtractError::Content(error) => error.cause(),
            ExtractError::NothingWanted { .. } => Cause::Usage,
            ExtractError::OutOfTurn => Cause::Unforeseen,
            _ => Cause::Sink,
        }
    }
}
