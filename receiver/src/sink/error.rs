//! Why a sink failed, and whose fault it was.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use xbproto::failure::Cause;
use xbproto::lane::LaneId;
use xbproto::process::describe;
use xbproto::quantity::{ByteSize, Span};

use crate::disk::{DiskError, reason, shown};
use crate::extract::ExtractError;
use crate::file_key::FileKeyError;
use crate::overheard::quoted;

/// Why a sink failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// A system call on a file failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Unpacking failed.
    #[error(transparent)]
    Extract(#[from] ExtractError),
    /// The manifest has no place to go.
    #[error("--manifest {}: the file exists; move it away, or give another name", shown(.path))]
    ManifestExists {
        /// As it was given.
        path: PathBuf,
    },
    /// There is no key for the encrypted files.
    #[error(transparent)]
    FileKey(#[from] FileKeyError),
    /// Something has the name already that the backup, or its checksum, is to get.
    #[error("{} exists already; remove it or choose another name", shown(.path))]
    Exists {
        /// What is in the way.
        path: PathBuf,
    },
    /// The target is something no backup can be stored in.
    #[error("{} is a {kind}; name a file, a device or a FIFO", shown(.path))]
    NotAFile {
        /// The target.
        path: PathBuf,
        /// What it is instead.
        kind: &'static str,
    },
    /// The device or FIFO that was to be written has become something else.
    #[error("{} is not the device or FIFO any more that it was when xbrecv began; start again", shown(.path))]
    Replaced {
        /// The target.
        path: PathBuf,
    },
    /// Another process is writing this target.
    #[error("{} is locked: another xbrecv is already running for this target", shown(.path))]
    AlreadyRunning {
        /// The partial file it has locked.
        path: PathBuf,
    },
    /// The disk is too small for the size that the sender has announced.
    #[error("{target}: there is no room for {}{}: {}", ByteSize(*.size), free_of(*.free), reason(.error))]
    NoRoom {
        /// The target.
        target: String,
        /// What was announced, in bytes.
        size: u64,
        /// What is free, in bytes, if that is known.
        free: Option<u64>,
        /// What the system said.
        error: io::Error,
    },
    /// A commit failed, and so did taking it back.
    #[error("{error}; taking back {} failed too: {undo}; the backup is not confirmed", shown(.path))]
    NotUndone {
        /// Why the commit failed.
        error: Box<SinkError>,
        /// What may still have its final name.
        path: PathBuf,
        /// Why.
        undo: Box<SinkError>,
    },
    /// More lanes than the sink can keep apart.
    #[error("{lane}: {target} takes a single stream", lane = .lane, target = .target)]
    OneLane {
        /// The first lane too many.
        lane: LaneId,
        /// The target.
        target: String,
    },
    /// More streams than the target keeps apart.
    #[error(
        "{target} takes a single stream, not {lanes}; --extract takes several, -o FILE makes a file of each, and          --fifo-dir a FIFO of each"
    )]
    OneStream {
        /// The target.
        target: String,
        /// How many the sender has.
        lanes: u16,
    },
    /// Whoever read the pipe we write to has closed it.
    #[error("writing {target}: its reader went away before the end of the backup")]
    ReaderGone {
        /// The pipe.
        target: String,
    },
    /// Nobody has opened a FIFO for reading.
    #[error(
        "{} has had no reader within {waited} (--fifo-timeout); start the program that reads it in time",
        shown(.path)
    )]
    NoReader {
        /// The FIFO.
        path: PathBuf,
        /// How long a reader was waited for.
        waited: Span,
    },
    /// What should be a directory is none.
    #[error("{} is no directory", shown(.path))]
    NotADirectory {
        /// What is there.
        path: PathBuf,
    },
    /// The consumer is not an executable file.
    #[error("consumer {}: no such command; give its path, or install it", shown(.command.as_ref()))]
    NoCommand {
        /// The command.
        command: OsString,
    },
    /// The consumer ended badly.
    #[error("consumer {} {}{}", shown(.command.as_ref()), describe(*.status), quoted(.said))]
    ConsumerFailed {
        /// The command.
        command: OsString,
        /// How it ended.
        status: ExitStatus,
        /// The last lines of its standard error.
        said: Vec<String>,
    },
    /// The consumer stopped reading while there was more to read, however it ended.
    #[error(
        "consumer {} closed its input before the end of the backup and {}{}",
        shown(.command.as_ref()),
        describe(*.status),
        quoted(.said)
    )]
    ConsumerStoppedReading {
        /// The command.
        command: OsString,
        /// How it ended, by itself or by us.
        status: ExitStatus,
        /// The last lines of its standard error.
        said: Vec<String>,
    },
    /// The session failed, and the consumer lives on.
    #[error(
        "consumer {} could not be ended: {}; it may take the end of its input, which comes when xbrecv ends, for the \
         end of the backup: end it first",
        shown(.command.as_ref()),
        reason(.error)
    )]
    ConsumerNotEnded {
        /// The command.
        command: OsString,
        /// Why it could not be killed, or that it took too long to die.
        error: io::Error,
    },
    /// The session gave up while the sink was waiting for somebody.
    #[error("writing {target}: interrupted")]
    Interrupted {
        /// The target.
        target: String,
    },
    /// A method was called out of turn: a defect of the caller.
    #[error("{target}: {call} was called out of turn; please report this")]
    OutOfTurn {
        /// The target.
        target: String,
        /// The method.
        call: &'static str,
    },
}

impl SinkError {
    /// Whose fault it was, and so the exit code of both programs.
    pub fn cause(&self) -> Cause {
        match self {
            SinkError::Extract(error) => error.cause(),
            SinkError::FileKey(_) | SinkError::ManifestExists { .. } => Cause::Usage,
            SinkError::OutOfTurn { .. } => Cause::Unforeseen,
            _ => Cause::Sink,
        }
    }
}

/// What is free, as a part of a sentence.
fn free_of(free: Option<u64>) -> String {
    free.map_or(String::new(), |free| format!(", {} are free", ByteSize(free)))
}
