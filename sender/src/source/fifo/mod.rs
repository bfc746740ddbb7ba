//! A tool that writes its backup to several FIFOs, each of which is a lane.
//!
//! | module | owns |
//! |---|---|
//! | `options` | what the command lines say about it (pure) |
//! | `gate` | the FIFOs, from their appearance to their last name |
//! | `reader`, `sync_byte` | the reading end of one, without the byte before the stream |
//! | `stdout` | the tool's standard output, which has nothing to say |

mod error;
mod gate;
mod options;
mod reader;
mod stdout;
mod sync_byte;

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;
use tokio::time::{Duration, sleep};

pub use error::FifoError;
pub use options::{FifoPlan, FifoWish, Output};

pub(super) use options::{complete, output, output_of_tool};
pub(super) use sync_byte::Synced;

use self::gate::{Gate, name, refuse_existing};
use self::reader::FifoReader;
use self::stdout::Overheard;
use super::child::Child;
use super::command::Proof;
use super::fd::FdReader;
use super::{Ending, Kind, LaneInput, OnLine, OnNote, SourceError, Started};

/// How often to look whether a tool writes where it should not.
const LOOK: Duration = Duration::from_millis(50);

/// A running tool and its FIFOs.
#[derive(Debug)]
pub(super) struct FifoTool {
    // Ended before its FIFOs are removed: it might make more of them.
    child: Child,
    gate: Gate,
    stdout: Overheard,
    /// Where the FIFOs are, if nobody has said where; gone with it.
    private: Option<TempDir>,
}

/// Starts `command` with the options it lacks, and gives a lane for each of its FIFOs.
///
/// # Errors
/// When it cannot be started, or something has the name of a FIFO.
pub(super) fn run(
    command: Vec<OsString>,
    proof: Proof,
    target: Option<TempDir>,
    plan: &FifoPlan,
    on_line: OnLine,
    on_note: &OnNote,
) -> Result<Started, SourceError> {
    let (dir, private) = directory(plan)?;
    refuse_existing(&dir, plan.streams)?;
    let command = complete(command, plan.streams, &dir);
    let (child, stdout) = Child::spawn(&command, proof, target, on_line.clone())?;
    let failed = |error| SourceError::Read { name: "the tool's standard output".to_owned(), error };
    let stdout = Overheard::listen(FdReader::new(stdout).map_err(failed)?, on_line);
    let (gate, fifos) = Gate::new(dir, plan.streams, plan.timeout);
    let lane = |(index, fifo)| {
        let (name, on_note) = (name(index), on_note.clone());
        let reader = Synced::new(FifoReader::Awaited(fifo), name.clone(), on_note);
        LaneInput::new(name, move || Ok(Box::new(reader)))
    };
    let lanes = fifos.into_iter().enumerate().map(lane).collect();
    let tool = FifoTool { child, gate, stdout, private };
    Ok(Started { lanes, ending: Ending(Kind::Fifos(Box::new(tool))) })
}

/// Where the FIFOs will be: whoever can open them has the backup, so a directory of our own is for this user only.
fn directory(plan: &FifoPlan) -> Result<(PathBuf, Option<TempDir>), FifoError> {
    if let Some(dir) = &plan.dir {
        return Ok((dir.clone(), None));
    }
    let mut private = tempfile::Builder::new();
    private.prefix("xbsend-fifo-").permissions(std::fs::Permissions::from_mode(0o700));
    let private = private.tempdir().map_err(|error| FifoError::Dir { dir: std::env::temp_dir(), error })?;
    Ok((private.path().to_owned(), Some(private)))
}

/// Waits until the tool writes a backup to its standard output.
async fn misdirected(stdout: &Overheard) {
    while !stdout.is_stream() {
        sleep(LOOK).await;
    }
}

impl FifoTool {
    /// Hands the FIFOs over, waits for the tool's end, and judges both.
    pub(super) async fn verdict(&mut self) -> Result<(), SourceError> {
        let FifoTool { child, gate, stdout, .. } = self;
        let streams = gate.streams();
        let ended = tokio::select! {
            biased;
            ended = child.verdict() => Some(ended),
            opened = gate.open() => opened.map(|()| None)?,
            () = misdirected(stdout) => return Err(FifoError::OnStdout { streams }.into()),
        };
        match ended {
            None => child.verdict().await,
            Some(ended) => {
                ended?;
                if stdout.is_stream() {
                    return Err(FifoError::OnStdout { streams }.into());
                }
                Ok(gate.last_look()?)
            }
        }
    }

    /// Waits for the tool's end.
    pub(super) async fn ended(&mut self) {
        self.child.ended().await;
    }

    /// Ends the tool, and removes its FIFOs.
    pub(super) async fn stop(&mut self) {
        self.child.stop().await;
        self.gate.clear();
        self.private = None;
    }
}
