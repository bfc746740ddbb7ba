//! What may go wrong once a backup is committed.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use xbproto::failure::{Cause, Failure, Party};
use xbproto::process::describe;

use crate::disk::{DiskError, reason, shown};
use crate::overheard::quoted;

/// Something was not done after the commit. The copy is good.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AfterError {
    /// The end was asked for before it began.
    #[error("{what} was not run: {reason}")]
    NotRun {
        /// What was to be run.
        what: String,
        /// Who asked for the end.
        reason: String,
    },
    /// It did not begin.
    #[error("{what} could not be started: {}", reason(.error))]
    Start {
        /// What was to be run.
        what: String,
        /// Why it was not.
        error: io::Error,
    },
    /// It ended badly.
    #[error("{what} {}{}", describe(*.status), quoted(.said))]
    Failed {
        /// What was run.
        what: String,
        /// How it ended.
        status: ExitStatus,
        /// Its last lines.
        said: Vec<String>,
    },
    /// It was ended by us.
    #[error("{what} was stopped: {reason}")]
    Stopped {
        /// What was run.
        what: String,
        /// Who asked for the end.
        reason: String,
    },
    /// It was to be ended by us, and lives on.
    #[error("{what} could not be stopped (process {pid}): {reason}")]
    NotStopped {
        /// What was run.
        what: String,
        /// Its process.
        pid: u32,
        /// Who asked for the end.
        reason: String,
    },
    /// The backup does not say what it is, so nobody knows how to prepare it.
    #[error(
        "{} has no readable {missing}, so it is not known how to prepare it; if its files are compressed or encrypted, see \
         --decompress and --decrypt; else prepare it by hand with the tool that made it",
        shown(.dir)
    )]
    Unknown {
        /// Where it is.
        dir: PathBuf,
        /// What says it.
        missing: &'static str,
    },
    /// It is of a kind that is not prepared by itself.
    #[error("this is a backup of type {kind}, which cannot be prepared by itself; prepare it with: {command}")]
    NotByItself {
        /// Its kind.
        kind: String,
        /// What to run.
        command: String,
    },
    /// Its files are not what a preparation takes.
    #[error(
        "the files in {} are {how}, and only plain ones can be prepared; decode them with: {command}; then prepare them. \
         With {options}, xbrecv does that while it unpacks",
        shown(.dir)
    )]
    Encoded {
        /// Where they are.
        dir: PathBuf,
        /// What the tool did to them.
        how: &'static str,
        /// What to run.
        command: String,
        /// What was to be given.
        options: &'static str,
    },
    /// Its tool is not here.
    #[error("{names} is not installed here; install it, and prepare the backup with: {command}")]
    NoTool {
        /// What it may be called.
        names: String,
        /// What to run.
        command: String,
    },
    /// The directory, or the files of a preparation, were not given to their owner.
    #[error("{0}")]
    Ownership(#[from] DiskError),
}

impl AfterError {
    /// The failure of a program whose backup is committed.
    pub fn failure(&self) -> Failure {
        Failure::new(Cause::AfterCommit, Party::Receiver, format_args!("the backup is committed, but {self}"))
    }
}
