//! Where the bytes of a backup end up.
//!
//! A session has one [`Sink`], and the sink has a [`LaneSink`] for each of its lanes. Calls block, and each lane is
//! driven by a thread of its own. The life of a sink is one of
//!
//! ```text
//! construction ─ remember ─ start ─ lane × n ─ write … finish (of every lane) ─ sync ─ facts ─ commit ─ close
//!                                   └─ anywhere from here on until commit ─ abandon
//! ```
//!
//! and nothing stands under a final name before `commit` has returned. What a receiver that was killed leaves is
//! [`Recalled`] by the next one, if the sink can.

mod admission;
mod command;
mod error;
mod extract;
mod fifos;
mod file;
mod in_place;
mod outlet;
mod stdout;
mod sync_ahead;

pub use admission::Admission;
pub(crate) use command::is_command;
pub use command::{CommandSink, OnLine};
pub use error::SinkError;
pub use extract::ExtractSink;
pub use fifos::{FifoPlan, FifoSink};
pub use file::{FileSink, part_path};
pub use in_place::InPlaceSink;
pub use stdout::StdoutSink;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use xbproto::backup::BackupFacts;
use xbproto::lane::{LaneDigest, LaneId};
use xbproto::wire::Hello;
pub use xbproto::wire::{LaneSum, Reached};

use crate::disk::{Notice, Ownership, PageCache};
use crate::journal::{Presence, Recalled};

/// A sink, and what an earlier run for the same target has left.
#[derive(Debug)]
pub struct Opened<S> {
    /// Where the bytes go.
    pub sink: S,
    /// What was put right before this run began, for a person.
    pub notices: Vec<Notice>,
    /// What was recalled of a receiver that was killed.
    pub recalled: Option<Recalled>,
}

impl<S: Sink + 'static> Opened<S> {
    /// The same, of any kind.
    pub fn boxed(self) -> Opened<Box<dyn Sink>> {
        Opened { sink: Box::new(self.sink), notices: self.notices, recalled: self.recalled }
    }
}

/// The sink for `-o PATH`: a new file, or the device or FIFO that stands there. `window` is the session's, in bytes;
/// `cache` and `ownership` are for a file.
///
/// # Errors
/// When the target exists, is being written by another process, or cannot be written.
pub fn to_path(
    path: &Path,
    window: u64,
    cache: PageCache,
    ownership: Ownership,
) -> Result<Opened<Box<dyn Sink>>, SinkError> {
    match InPlaceSink::find(path)? {
        Some(sink) => Ok(Opened { sink: Box::new(sink), notices: Vec::new(), recalled: None }),
        None => Ok(FileSink::create(path, window, cache, ownership)?.boxed()),
    }
}

/// Whether a sink can begin once more with another session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// What was written can be thrown away.
    Possible,
    /// Bytes were handed out, and nobody can call them back.
    Impossible,
}

/// Where a session's bytes end up. One value per session, made and preflighted before the port is opened.
pub trait Sink: Send {
    /// Keeps what the receiver needs in order to be found again, should it be killed: called before anybody is told
    /// where it listens, and again when any of it changes. A sink that keeps nothing ignores it.
    ///
    /// # Errors
    /// When it could not be made durable.
    fn remember(&mut self, presence: &Presence) -> Result<(), SinkError> {
        let _ = presence;
        Ok(())
    }

    /// Throws away what the sink holds of a recalled session that cannot go on, but not whom it was
    /// [told to remember](Self::remember): another session may begin. Nobody may be writing.
    ///
    /// # Errors
    /// When that could not be made durable, or the session is committed already.
    fn forget(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    /// What is left on this host after [`abandon`](Self::abandon), for a person.
    fn left(&self) -> String {
        "nothing".to_owned()
    }

    /// Whether a sink made anew can serve another session once this one was abandoned.
    fn again(&self) -> Again {
        Again::Possible
    }

    /// What is said to a sender before it is welcomed. The sink takes any session, unless it says otherwise.
    fn admission(&self) -> Admission {
        Admission::default()
    }

    /// Called once, on the main thread, when a session begins or a recalled one goes on, and before any lane. A child
    /// must be spawned here and nowhere else: it is told to die with the thread that made it.
    ///
    /// # Errors
    /// When the sink cannot be set going.
    fn start(&mut self, hello: &Hello) -> Result<(), SinkError> {
        let _ = hello;
        Ok(())
    }

    /// A writer for one lane, which goes on at the end of `from`: empty, unless the session was recalled. Called once
    /// per lane, 0.. in order, before its first byte. Runs on that lane's own thread.
    ///
    /// # Errors
    /// When the target cannot be opened, or takes fewer lanes than this.
    fn lane(&mut self, lane: LaneId, from: &LaneDigest) -> Result<Box<dyn LaneSink>, SinkError>;

    /// After every lane has `finish`ed and all digests agreed: makes everything durable, or waits for whoever consumes
    /// it to be content. Nothing has its final name yet, and `abandon` may still be called. Blocking, for as long as
    /// it takes; an interrupter ends the waiting. Idempotent.
    ///
    /// # Errors
    /// When any of that failed.
    fn sync(&mut self) -> Result<(), SinkError>;

    /// After `sync` and before `commit`: what the backup says of itself, as far as the sink can look into it.
    fn facts(&self) -> BackupFacts {
        BackupFacts::default()
    }

    /// After `sync` (which it does itself if nobody has): gives it its final name. Blocking, but not for long.
    ///
    /// # Errors
    /// When any of that failed; what was done of it is undone, and `abandon` may still be called.
    fn commit(&mut self, sums: &[LaneSum]) -> Result<Reached, SinkError>;

    /// The session failed: leaves nothing under a final name, nothing running, nothing in the way of the next run.
    /// Idempotent, and without effect after a successful commit. Nobody may be writing any more: interrupt the lanes
    /// and wait for them first.
    fn abandon(&mut self);

    /// The session is over for good, because the sender knows how it ended or will not ask any more: after a commit,
    /// nothing of it needs to be recalled. Idempotent.
    fn close(&mut self) {}

    /// A handle that ends a `write` or a `sync` from another thread.
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

    /// Offset of the lane, in bytes, up to which a crash of the host keeps what was written and can be gone on from:
    /// the end of `written` of this call or of an earlier one. For sinks that do not survive their process, what was
    /// written. `written` is the digest of exactly that.
    ///
    /// # Errors
    /// When syncing in the background failed.
    fn durable(&mut self, written: &LaneDigest) -> Result<u64, SinkError>;

    /// Whether all that was taken has been dealt with. Until then, `durable` is asked now and then, and may bring an error,
    /// though nothing new arrives.
    fn is_at_rest(&self) -> bool {
        true
    }

    /// The lane has ended: nothing follows.
    ///
    /// # Errors
    /// When something should have followed, such as the rest of a chunk.
    fn finish(&mut self) -> Result<(), SinkError>;
}

/// What a sink is, in words and numbers for the other side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The target for a person, such as `file backup.xbstream`.
    pub describe: String,
    /// Bytes that may still be written there, if that is known.
    pub free: Option<u64>,
}

/// Ends what a sink does for a session that is over: a `write` that waits for somebody else, a `sync` that has more to
/// do. Cheap to clone.
#[derive(Clone, Default)]
pub struct Interrupter(Option<Arc<dyn Fn() + Send + Sync>>);

impl Interrupter {
    /// An interrupter that runs `action`, which must not block and may run more than once.
    pub fn new(action: impl Fn() + Send + Sync + 'static) -> Interrupter {
        Interrupter(Some(Arc::new(action)))
    }

    /// Makes a blocked `write`, and a `sync`, fail soon, if those of this sink take long. A `commit` after a `sync` that
    /// succeeded goes on.
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
