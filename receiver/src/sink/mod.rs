//! Where the bytes of a backup end up.
//!
//! A session has one [`Sink`], and the sink has a [`LaneSink`] for each of its lanes. Calls block, and each lane is
//! driven by a thread of its own. The life of a sink is one of
//!
//! ```text
//! construction ─ start ─ lane × n ─ write … finish (of every lane) ─ commit
//!                        └─ anywhere from here on ─ abandon
//! ```
//!
//! and nothing stands under a final name before `commit` has returned.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use xbproto::failure::Cause;
use xbproto::lane::{LaneId, Sha1Sum};

/// Where a session's bytes end up. One value per session, made and preflighted before the port is opened.
pub trait Sink: Send {
    /// Called once, on the main thread, when a session begins and before any lane. A child must be spawned here and
    /// nowhere else: it is told to die with the thread that made it.
    ///
    /// # Errors
    /// When the sink cannot be set going.
    fn start(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    /// A writer for one lane; called once per lane, 0.. in order, before its first byte. Runs on that lane's own thread.
    ///
    /// # Errors
    /// When the target cannot be opened, or takes fewer lanes than this.
    fn lane(&mut self, lane: LaneId) -> Result<Box<dyn LaneSink>, SinkError>;

    /// After every lane has `finish`ed and all digests agreed: makes it durable, then gives it its final name. Blocking.
    ///
    /// # Errors
    /// When any of that failed; what was done of it is undone, and `abandon` may still be called.
    fn commit(&mut self, sums: &[LaneSum]) -> Result<Reached, SinkError>;

    /// The session failed: leaves nothing under a final name, nothing running, nothing in the way of the next run.
    /// Idempotent, and without effect after a successful commit.
    fn abandon(&mut self);

    /// A handle that unblocks a `write` from another thread.
    fn interrupter(&self) -> Interrupter;

    /// What `--check` and Welcome tell the other side.
    fn target(&self) -> Target;
}

/// The writer of one lane.
pub trait LaneSink: Send {
    /// Takes the lane's next bytes, in order, without gaps.
    ///
    /// # Errors
    /// When they cannot be stored, or are not what the sink unpacks.
    fn write(&mut self, bytes: &Bytes) -> Result<(), SinkError>;

    /// Offset of the lane, in bytes, up to which a crash of the host keeps what was written; for sinks that do not
    /// survive their process, what was written.
    ///
    /// # Errors
    /// When syncing in the background failed.
    fn durable(&mut self) -> Result<u64, SinkError>;

    /// The lane has ended: nothing follows.
    ///
    /// # Errors
    /// When something should have followed, such as the rest of a chunk.
    fn finish(&mut self) -> Result<(), SinkError>;
}

/// Length and digest of a lane on which both sides agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneSum {
    /// The lane.
    pub lane: LaneId,
    /// Its length in bytes.
    pub len: u64,
    /// The SHA-1 of these bytes.
    pub sum: Sha1Sum,
}

/// What a commit reached, from the strongest promise to the weakest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reached {
    /// On disk under its final name; a crash of the host keeps it.
    Synced,
    /// A consumer took all of it and ended with exit code 0.
    Consumed,
    /// Whoever reads our standard output (or the other end of a FIFO) was handed all of it; what became of it is not known.
    HandedToStdout,
    /// Thrown away on request.
    Discarded,
}

/// What a sink is, in words and numbers for the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The target for a person, such as `file backup.xbstream`.
    pub describe: String,
    /// Bytes that may still be written there, if that is known.
    pub free: Option<u64>,
}

/// Unblocks a sink whose `write` waits for somebody else. Cheap to clone; for most sinks it does nothing.
#[derive(Clone, Default)]
pub struct Interrupter(Option<std::sync::Arc<dyn Fn() + Send + Sync>>);

impl Interrupter {
    /// An interrupter that runs `action`, which must not block and may run more than once.
    pub fn new(action: impl Fn() + Send + Sync + 'static) -> Interrupter {
        Interrupter(Some(std::sync::Arc::new(action)))
    }

    /// Makes a blocked `write` fail soon, if this sink has writes that block for long.
    pub fn interrupt(&self) {
        if let Some(action) = &self.0 {
            action();
        }
    }
}

impl fmt::Debug for Interrupter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Interrupter(armed)" } else { "Interrupter(idle)" })
    }
}

/// Why a sink failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// A system call on a file failed.
    #[error("{doing} {}: {}", show(.path), reason(.error))]
    Io {
        /// What was being done, such as `writing`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl SinkError {
    /// Whose fault it was, and so the exit code of both programs.
    pub fn cause(&self) -> Cause {
        match self {
            SinkError::Io { .. } => Cause::Sink,
        }
    }
}

/// A path that is safe on a terminal.
fn show(path: &Path) -> String {
    path.to_string_lossy()
        .chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect()
}

/// The system's words for an error, without Rust's ` (os error 28)`.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
