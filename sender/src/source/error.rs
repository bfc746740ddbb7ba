//! Why a source failed, or could not be started.
//!
//! Each message is one sentence, for it is also told to the peer.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use xbproto::failure::Cause;
use xbproto::wire::MAX_LANES;

use super::{DirError, FifoError};

/// A source that failed, or was asked for in a way that cannot be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Two sources were asked for at once.
    #[error("{first} and {second} name two sources; give one of them")]
    TwoSources {
        /// As on the command line.
        first: &'static str,
        /// As on the command line.
        second: &'static str,
    },
    /// Standard input was named twice.
    #[error("-i - is given twice; standard input can be read once")]
    StdinTwice,
    /// More inputs than a session has lanes.
    #[error("{inputs} files after -i; a session takes {MAX_LANES} streams at most")]
    TooMany {
        /// How many were given.
        inputs: usize,
    },
    /// FIFO streams were asked for where nothing makes any.
    #[error("--fifo-streams is for the tool that is run; name FIFOs that are there with -i, each with its own")]
    FifosOfNothing,
    /// A directory could not be sent.
    #[error(transparent)]
    Dir(#[from] DirError),
    /// The FIFOs of a tool could not be read.
    #[error(transparent)]
    Fifo(#[from] FifoError),
    /// The backup is to come from where a person types.
    #[error("stdin is a terminal, there is no backup to read; name a file with -i, or the command after `--`")]
    Terminal,
    /// No known tool is installed.
    #[error(
        "none of xtrabackup, mariadb-backup, mariabackup is on the PATH; install one, \
         or name the command after `--`, or the file with -i"
    )]
    NoTool,
    /// The tools of both vendors are installed.
    #[error("both {} and {} are installed; say with --tool which one fits the server", .0.display(), .1.display())]
    TwoTools(PathBuf, PathBuf),
    /// `--tool` names something that is not a tool whose options are known.
    #[error("--tool {0:?} is not one of xtrabackup, mariadb-backup, mariabackup; name other commands after `--`")]
    UnknownTool(OsString),
    /// `--tool` names a tool that is not there.
    #[error("--tool {0:?} was not found, or may not be executed")]
    ToolNotFound(OsString),
    /// No private directory for the tool to work in.
    #[error("making a target directory for the backup tool in {}: {error}", dir.display())]
    TargetDir {
        /// Where it was to be.
        dir: PathBuf,
        /// Why it is not.
        error: io::Error,
    },
    /// The command is not there.
    #[error("{program} was not found, or may not be executed")]
    NotFound {
        /// Its first word.
        program: String,
    },
    /// The command could not be started.
    #[error("starting {program}: {error}")]
    Spawn {
        /// Its first word.
        program: String,
        /// Why not.
        error: io::Error,
    },
    /// The input could not be opened.
    #[error("opening {name}: {error}")]
    Open {
        /// Which.
        name: String,
        /// Why not.
        error: io::Error,
    },
    /// The input could not be read to its end. For the pump's owner: readers give a bare `io::Error`.
    #[error("reading {name}: {error}")]
    Read {
        /// Which.
        name: String,
        /// Why not.
        error: io::Error,
    },
    /// The input ended before its first byte.
    #[error("{name} was empty; name the backup command after `--`, so that its failure is seen")]
    Empty {
        /// Which.
        name: String,
    },
    /// The source ended well, but a backup has at least one byte.
    #[error(
        "the source ended well, but gave no bytes at all; does the tool write the backup to standard output \
         (--stream=xbstream), or did it make one here?"
    )]
    Silent,
    /// Nobody read the input to its end.
    #[error("{name} was not read to its end")]
    Abandoned {
        /// Which.
        name: String,
    },
    /// The command could not be waited for.
    #[error("waiting for {program}: {error}")]
    Wait {
        /// Its first word.
        program: String,
        /// Why not.
        error: io::Error,
    },
    /// The command failed.
    #[error("{program} {how}{}", in_brief(last_lines))]
    Failed {
        /// Its first word.
        program: String,
        /// Status or signal.
        how: String,
        /// The last lines of its stderr, as they were shown.
        last_lines: Vec<String>,
    },
    /// The tool exited with 0, but without the line that ends a whole backup.
    #[error("{program} exited with status 0, but did not report success at the end{}", in_brief(last_lines))]
    NoMarker {
        /// Its first word.
        program: String,
        /// The last lines of its stderr, as they were shown.
        last_lines: Vec<String>,
    },
}

impl SourceError {
    /// What the programs exit for.
    pub fn cause(&self) -> Cause {
        match self {
            SourceError::Fifo(error) => error.cause(),
            SourceError::StdinTwice
            | SourceError::TooMany { .. }
            | SourceError::FifosOfNothing
            | SourceError::TwoSources { .. }
            | SourceError::Terminal
            | SourceError::NoTool
            | SourceError::TwoTools(..)
            | SourceError::UnknownTool(_)
            | SourceError::ToolNotFound(_) => Cause::Usage,
            _ => Cause::Source,
        }
    }

    /// What the command said last, to be repeated behind the error: at most 20 lines, oldest
    /// first, as they were shown before. The error itself quotes only the very last.
    pub fn last_lines(&self) -> &[String] {
        match self {
            SourceError::Failed { last_lines, .. } | SourceError::NoMarker { last_lines, .. } => last_lines,
            _ => &[],
        }
    }
}

/// The last of the lines, as the end of a sentence.
fn in_brief(last_lines: &[String]) -> String {
    last_lines.last().map_or_else(String::new, |line| format!("; its last line: {}", line.trim()))
}
