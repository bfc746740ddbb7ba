//! Which source the command line and the standard input ask for.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::path::PathBuf;

use rustix::fs::FileType;

use xbproto::wire::MAX_LANES;

use super::fifo::{FifoWish, Output, output, output_of_tool};
use super::{SourceError, dir, input};

/// What the command line says about the source.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Everything after `--`.
    pub command: Vec<OsString>,
    /// `-i`, in order: files, or `-` for the standard input.
    pub inputs: Vec<PathBuf>,
    /// Whether a FIFO among them may begin with a byte that is no part of its stream.
    pub lead: Lead,
    /// `--dir`: a directory.
    pub dir: Option<PathBuf>,
    /// `--tool`: which backup tool to run.
    pub tool: Option<OsString>,
    /// `--tool-args`: handed on to it.
    pub tool_args: Vec<OsString>,
    /// `--fifo-streams` and what belongs to it.
    pub fifos: FifoWish,
}

/// What a FIFO may begin with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lead {
    /// The byte that xtrabackup writes before an xbstream.
    #[default]
    SyncByte,
    /// Nothing that is not part of its bytes, whatever they are.
    Nothing,
}

/// Something to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The standard input.
    Stdin,
    /// The file, FIFO or device at this path.
    File(PathBuf),
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
    /// A command and its arguments, which are never empty, and where it writes.
    Command(Vec<OsString>, Output),
    /// The files of this directory.
    Directory(PathBuf),
    /// What is there already, a lane each; never nothing.
    Read(Vec<Origin>, Lead),
    /// The backup tool that is found on the path.
    Tool {
        /// The one to take if there are several.
        name: Option<OsString>,
        /// The user's options for it.
        args: Vec<OsString>,
        /// Where it writes.
        output: Output,
    },
}

impl Stdin {
    /// Looks at the standard input of this process. One that was closed is [`Stdin::Nothing`].
    pub fn inspect() -> Stdin {
        Stdin::of(io::stdin())
    }

    fn of(fd: impl AsFd) -> Stdin {
        match rustix::fs::fstat(&fd).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
            Err(_) => Stdin::Nothing,
            Ok(FileType::CharacterDevice) if rustix::termios::isatty(&fd) => Stdin::Terminal,
            Ok(FileType::CharacterDevice) => Stdin::Nothing,
            Ok(_) => Stdin::Stream,
        }
    }
}

impl Choice {
    /// Whether there is nothing left of it once it was read.
    pub fn is_read_once(&self) -> bool {
        matches!(self, Choice::Read(origins, _) if origins.contains(&Origin::Stdin))
    }

    /// Bytes that the source would bring, where that is known without touching it.
    ///
    /// # Errors
    /// A failed source, if there is no file to be read.
    pub fn length(&self) -> Result<Option<u64>, SourceError> {
        match self {
            Choice::Read(origins, _) => input::length(origins),
            Choice::Directory(path) => Ok(Some(dir::length(path)?)),
            Choice::Command(..) | Choice::Tool { .. } => Ok(None),
        }
    }

    /// How many lanes the source will have.
    pub fn lanes(&self) -> u16 {
        match self {
            Choice::Read(origins, _) => u16::try_from(origins.len()).unwrap_or(u16::MAX),
            Choice::Directory(_) => 1,
            Choice::Command(_, output) | Choice::Tool { output, .. } => output.streams(),
        }
    }
}

/// Decides what the source is: what the command line names, otherwise the standard input if
/// somebody meant it to be read, otherwise the backup tool that is installed.
///
/// # Errors
/// A usage error if the wish contradicts itself, or wants the backup read from a terminal.
pub fn choose(wish: Wish, stdin: Stdin) -> Result<Choice, SourceError> {
    wish.check()?;
    let Wish { command, inputs, lead, dir, tool, tool_args, fifos } = wish;
    if !command.is_empty() {
        let output = output(&command, &fifos)?;
        return Ok(Choice::Command(command, output));
    }
    if let Some(dir) = dir {
        return Ok(Choice::Directory(dir));
    }
    if !inputs.is_empty() {
        return Ok(Choice::Read(origins(inputs, stdin)?, lead));
    }
    let tool_meant = tool.is_some() || !tool_args.is_empty() || fifos.streams.is_some();
    match stdin {
        Stdin::Stream if !tool_meant => Ok(Choice::Read(vec![Origin::Stdin], lead)),
        _ => {
            let output = output_of_tool(&tool_args, &fifos)?;
            Ok(Choice::Tool { name: tool, args: tool_args, output })
        }
    }
}

fn origins(inputs: Vec<PathBuf>, stdin: Stdin) -> Result<Vec<Origin>, SourceError> {
    let is_stdin = |path: &PathBuf| path.as_os_str() == "-";
    let dashes = inputs.iter().filter(|path| is_stdin(path)).count();
    match (dashes, stdin) {
        (1, Stdin::Terminal) => return Err(SourceError::Terminal),
        (2.., _) => return Err(SourceError::StdinTwice),
        _ if inputs.len() > usize::from(MAX_LANES) => return Err(SourceError::TooMany { inputs: inputs.len() }),
        _ => {}
    }
    let origin = |path| if is_stdin(&path) { Origin::Stdin } else { Origin::File(path) };
    Ok(inputs.into_iter().map(origin).collect())
}

impl Wish {
    /// Refuses a wish that names more than one source.
    fn check(&self) -> Result<(), SourceError> {
        let named = [
            (!self.command.is_empty(), "the command after `--`"),
            (!self.inputs.is_empty(), "-i"),
            (self.dir.is_some(), "--dir"),
            (self.tool.is_some(), "--tool"),
            (!self.tool_args.is_empty(), "--tool-args"),
        ];
        if self.fifos.streams.is_some() && (self.dir.is_some() || !self.inputs.is_empty()) {
            return Err(SourceError::FifosOfNothing);
        }
        let mut named = named.iter().filter(|(given, _)| *given).map(|(_, name)| *name);
        match (named.next(), named.next()) {
            // These two belong together.
            (Some("--tool"), Some("--tool-args")) => Ok(()),
            (Some(first), Some(second)) => Err(SourceError::TwoSources { first, second }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
