//! Where the bytes of a backup come from, and how that ends.
//!
//! [`choose()`] decides from the command line what the source is, [`prepare`] finds what is wrong with it before
//! anybody is bothered, [`Ready::start`] sets it going. What that gives has two halves for two threads: the
//! [`LaneInput`]s are read by the pumps, each on a runtime of its own; the [`Ending`] stays with the main thread,
//! which asks it for the verdict.

mod child;
mod choose;
mod command;
mod dir;
mod error;
mod fd;
mod fifo;
mod input;
mod lines;
mod note;
mod tool;

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::io::AsyncRead;

use command::Proof;

pub use choose::{Choice, Lead, Origin, Stdin, Wish, choose};
pub use dir::{DirError, Happened};
pub use error::SourceError;
pub use fifo::{FifoError, FifoPlan, FifoWish, Output};
pub use note::{Note, OnNote};

/// A source that has been set going.
#[derive(Debug)]
pub struct Started {
    /// Its byte streams, in order of their lane numbers.
    pub lanes: Vec<LaneInput>,
    /// How it ends. It owns what the source consists of: dropping it ends the source.
    pub ending: Ending,
}

impl Started {
    /// What `sha1sum` would call each lane, in their order.
    pub fn names(&self) -> Vec<String> {
        self.lanes.iter().map(|lane| lane.name.clone()).collect()
    }
}

/// The reading end of a lane.
pub type LaneReader = Box<dyn AsyncRead + Send + Unpin>;

/// A lane that can be opened on the thread (and runtime) that will read it.
pub struct LaneInput {
    name: String,
    open: Box<dyn FnOnce() -> io::Result<LaneReader> + Send>,
}

impl LaneInput {
    /// A lane that `open` opens, and that `sha1sum` would call `name`.
    pub fn new(name: impl Into<String>, open: impl FnOnce() -> io::Result<LaneReader> + Send + 'static) -> LaneInput {
        LaneInput { name: name.into(), open: Box::new(open) }
    }

    /// What `sha1sum` would call it: `-`, or the path of the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Registers the lane with the current runtime, whose I/O must be enabled. A read may block
    /// the thread where the kernel offers nothing better (regular files).
    pub fn open(self) -> io::Result<LaneReader> {
        (self.open)()
    }
}

impl std::fmt::Debug for LaneInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("LaneInput").field(&self.name).finish()
    }
}

/// A line that the source's tool wrote to stderr, at most 4 KiB and safe to show on a terminal.
/// The tool's `completed OK!` is never in it: that is for the verdict of the session to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildLine(pub String);

/// What is to happen with the lines of the source's stderr, as they come. Called on the runtime
/// that started the source, so it must not block.
pub type OnLine = Arc<dyn Fn(ChildLine) + Send + Sync>;

/// How a source ends, and what it consists of until then.
#[derive(Debug)]
pub struct Ending(Kind);

#[derive(Debug)]
enum Kind {
    Inputs(input::Inputs),
    /// Files that were listed beforehand: their lane fails by itself.
    Listed,
    Child(child::Child),
    Fifos(Box<fifo::FifoTool>),
}

impl Ending {
    /// Waits until the source has ended, and says whether it ended well. To be called when its
    /// lanes are at their end, or while they are still read. May be cancelled and called again.
    ///
    /// A command's good end is not the end of its lane: a descendant may still write.
    ///
    /// # Errors
    /// Never a usage error. A cut stream is explained by this error, if there is one.
    pub async fn verdict(&mut self) -> Result<(), SourceError> {
        match &mut self.0 {
            Kind::Inputs(inputs) => inputs.verdict().await,
            Kind::Listed => Ok(()),
            Kind::Child(child) => child.verdict().await,
            Kind::Fifos(tool) => tool.verdict().await,
        }
    }

    /// Waits until the source has ended, however it did. A source that is only read has no end but its lanes'.
    pub async fn ended(&mut self) {
        match &mut self.0 {
            Kind::Inputs(_) | Kind::Listed => {}
            Kind::Child(child) => child.ended().await,
            Kind::Fifos(tool) => tool.ended().await,
        }
    }

    /// Ends the source now and waits for that: SIGINT to a command's process group, 2 s later
    /// SIGKILL. What it started is gone afterwards, and so are its temporary files. Idempotent;
    /// a source that has ended by itself is only cleaned up.
    pub async fn stop(&mut self) {
        match &mut self.0 {
            // Its reader is the pump's.
            Kind::Inputs(_) | Kind::Listed => {}
            Kind::Child(child) => child.stop().await,
            Kind::Fifos(tool) => tool.stop().await,
        }
    }
}

/// A source that is there, and has not been set going.
#[derive(Debug)]
pub struct Ready {
    plan: Plan,
    lanes: u16,
    length: Option<u64>,
    on_note: OnNote,
}

#[derive(Debug)]
enum Plan {
    /// Open already.
    Input(Started),
    Command(Vec<OsString>, Output),
    Tool {
        path: PathBuf,
        args: Vec<OsString>,
        output: Output,
    },
}

/// Finds the chosen source: opens what is to be read, looks for what is to be run. Nothing is started, and
/// nothing is left behind if the source is not started after all. `on_note` hears of what is no failure, then and later.
///
/// # Errors
/// A usage error if there is no tool to run or no telling which, otherwise a failed source: it cannot be opened,
/// or its command is not there.
pub fn prepare(choice: Choice, on_note: OnNote) -> Result<Ready, SourceError> {
    let (path, lanes) = (env::var_os("PATH"), choice.lanes());
    let (plan, length) = match choice {
        Choice::Read(origins, lead) => {
            let (started, length) = input::open(&origins, lead, &on_note)?;
            (Plan::Input(started), length)
        }
        Choice::Directory(path) => {
            let (started, length) = dir::open(path, &on_note)?;
            (Plan::Input(started), Some(length))
        }
        Choice::Command(command, output) => {
            command::find(&command, path.as_deref())?;
            output.preflight()?;
            (Plan::Command(command, output), None)
        }
        Choice::Tool { name, args, output } => {
            let path = tool::find(name.as_deref(), &path.unwrap_or_default())?;
            output.suits(&path)?;
            output.preflight()?;
            (Plan::Tool { path, args, output }, None)
        }
    };
    Ok(Ready { plan, lanes, length, on_note })
}

impl Ready {
    /// Bytes that all lanes together will bring, where that is known beforehand.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// How many lanes it will have.
    pub fn lanes(&self) -> u16 {
        self.lanes
    }

    /// Sets the source going. A command is started right here, so this has to be a thread that lives as long as
    /// the process (the child dies with it), inside a runtime with I/O and time.
    ///
    /// # Errors
    /// A failed source: it could not be started.
    pub fn start(self, on_line: OnLine) -> Result<Started, SourceError> {
        let (command, proof, target, output) = match self.plan {
            Plan::Input(started) => return Ok(started),
            Plan::Command(command, output) => {
                let proof = command::proof(&command);
                (command, proof, None, output)
            }
            Plan::Tool { path, args, output } => {
                let prepared = tool::prepare(path, args)?;
                (prepared.command, Proof::StatusAndMarker, Some(prepared.target), output)
            }
        };
        match output {
            Output::Stdout => run(&command, proof, target, on_line),
            Output::Fifos(plan) => fifo::run(command, proof, target, &plan, on_line, &self.on_note),
        }
    }
}

fn run(command: &[OsString], proof: Proof, target: Option<TempDir>, on_line: OnLine) -> Result<Started, SourceError> {
    let (child, stdout) = child::Child::spawn(command, proof, target, on_line)?;
    let lane = LaneInput::new("-", || Ok(Box::new(fd::FdReader::new(stdout)?)));
    Ok(Started { lanes: vec![lane], ending: Ending(Kind::Child(child)) })
}

#[cfg(test)]
mod tests;
