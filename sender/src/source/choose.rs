//! Which source the command line and the standard input ask for.

use std::ffi::OsString;
use std::path::PathBuf;

use super::SourceError;

/// What the command line says about the source.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Everything after `--`.
    pub command: Vec<OsString>,
    /// `-i`: a file, or `-` for the standard input.
    pub input: Option<PathBuf>,
    /// `--tool`: which backup tool to run.
    pub tool: Option<OsString>,
    /// `--tool-args`: handed on to it.
    pub tool_args: Vec<OsString>,
}

/// What the standard input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdin {
    /// A pipe, a socket, a regular file: somebody meant it to be read.
    Stream,
    /// A terminal: a person sits there.
    Terminal,
    /// `/dev/null` or another character device: nobody means anything by it.
    Nothing,
}

/// The source to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// A command and its arguments; never empty.
    Command(Vec<OsString>),
    /// The file, FIFO or device at this path.
    File(PathBuf),
    /// The standard input.
    Stdin,
    /// The backup tool that is found on the path.
    Tool {
        /// The one to take if there are several.
        name: Option<OsString>,
        /// The user's options for it.
        args: Vec<OsString>,
    },
}

impl Stdin {
    /// Looks at the standard input of this process.
    pub fn inspect() -> Stdin {
        unimplemented!()
    }
}

/// Decides what the source is.
///
/// # Errors
/// A usage error if the wish contradicts itself, or wants the backup read from a terminal.
pub fn choose(_wish: Wish, _stdin: Stdin) -> Result<Choice, SourceError> {
    unimplemented!()
}
