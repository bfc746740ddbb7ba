//! Where the bytes of a backup come from, and how that ends.
//!
//! [`choose`] decides from the command line what the source is, [`start`] sets it going. What it
//! gives has two halves for two threads: the [`LaneInput`]s are read by the pumps, each on a
//! runtime of its own; the [`Ending`] stays with the main thread, which asks it for the verdict.

mod choose;
mod error;

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::io::AsyncRead;

pub use choose::{Choice, Stdin, Wish, choose};
pub use error::SourceError;

/// A source that has been set going.
#[derive(Debug)]
pub struct Started {
    /// Its byte streams, in order of their lane numbers.
    pub lanes: Vec<LaneInput>,
    /// How it ends. It owns what the source consists of: dropping it ends the source.
    pub ending: Ending,
    /// Bytes that all lanes together will bring, where that is known beforehand.
    pub length: Option<u64>,
    /// What `sha1sum` would call the source: `-`, or the path of the file.
    pub name: String,
}

/// The reading end of a lane.
pub type LaneReader = Box<dyn AsyncRead + Send + Unpin>;

/// A lane that can be opened on the thread (and runtime) that will read it.
pub struct LaneInput(Box<dyn FnOnce() -> io::Result<LaneReader> + Send>);

impl LaneInput {
    /// A lane that `open` opens.
    pub fn new(open: impl FnOnce() -> io::Result<LaneReader> + Send + 'static) -> LaneInput {
        LaneInput(Box::new(open))
    }

    /// Registers the lane with the current runtime, whose I/O must be enabled. A read may block
    /// the thread where the kernel offers nothing better (regular files).
    pub fn open(self) -> io::Result<LaneReader> {
        (self.0)()
    }
}

impl std::fmt::Debug for LaneInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LaneInput")
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
pub enum Ending {}

impl Ending {
    /// Waits until the source has ended, and says whether it ended well. To be called when its
    /// lanes are at their end, or while they are still read. May be cancelled and called again.
    pub async fn verdict(&mut self) -> Result<(), SourceError> {
        unimplemented!()
    }

    /// Ends the source now and waits for that. What it started is gone afterwards, and so are its
    /// temporary files. Idempotent; a source that has ended by itself is only cleaned up.
    pub async fn stop(&mut self) {
        unimplemented!()
    }
}

/// Sets the chosen source going. A command is started right here, so this has to be a thread that
/// lives as long as the process (the child dies with it), inside a runtime with I/O and time.
pub fn start(_choice: Choice, _on_line: OnLine) -> Result<Started, SourceError> {
    unimplemented!()
}

/// How `sha1sum` would call the file at `path`.
fn _name(path: &Path) -> String {
    path.display().to_string()
}
