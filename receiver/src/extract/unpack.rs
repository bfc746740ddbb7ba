//! One lane's way from bytes to files.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use xbproto::lane::LaneId;
use xbproto::xbstream::{Decoder, Item, Ledger, Limits, StreamError, StreamPath};

use super::ExtractError;
use super::path::make_safe;
use super::sync::Syncers;
use super::tree::{Step, Tree};
use super::writing::Writing;
use crate::disk::{PageCache, Pages};
use crate::stop::Stop;

/// What the lanes of one extraction have in common.
#[derive(Debug)]
pub(super) struct Shared {
    /// Held while a chunk begins, never while its payload is written.
    state: Mutex<State>,
    pub(super) syncers: Syncers,
    pub(super) progress: Progress,
    cache: PageCache,
    /// Raised when the session is over. The same one that the syncers obey.
    stop: Stop,
}

#[derive(Debug)]
struct State {
    ledger: Ledger,
    tree: Tree,
}

impl Shared {
    /// `stop` is the one that `syncers` have; `cache` says how large files are written.
    pub(super) fn new(tree: Tree, syncers: Syncers, stop: Stop, cache: PageCache) -> Shared {
        let state = Mutex::new(State { ledger: Ledger::default(), tree });
        Shared { state, syncers, progress: Progress::default(), cache, stop }
    }

    /// Makes every lane fail before it touches another name, and no more files be synced. Returns when no lane is amid
    /// a change of the tree: then it can be removed beside a lane that has not noticed yet.
    pub(super) fn abandon(&self) {
        self.stop.raise();
        drop(self.lock());
        self.syncers.abandon();
    }

    /// The flag that makes lanes and syncers give up.
    pub(super) fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// # Errors
    /// `Interrupted` when the session is over.
    pub(super) fn check_stop(&self) -> Result<(), ExtractError> {
        if self.stop.is_raised() { Err(ExtractError::Interrupted) } else { Ok(()) }
    }

    /// Whether every file that began has ended.
    pub(super) fn check_finished(&self) -> Result<(), ExtractError> {
        self.lock().ledger.finish().map_err(|error| ExtractError::Unfinished(error.into()))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far an extraction is. Clones look at the same one, from any thread.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    current: Mutex<Option<StreamPath>>,
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    /// The file a chunk came for last, safe to show on a terminal.
    pub fn current_file(&self) -> Option<String> {
        self.current().as_ref().map(StreamPath::to_string)
    }

    /// Files that are complete now: one that was sent again counts once, one that was removed not at all.
    pub fn files(&self) -> u64 {
        self.0.files.load(Ordering::Relaxed)
    }

    /// Bytes written to files, without holes.
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    fn note(&self, item: &Item) {
        if let Item::Payload { path, .. } | Item::Sparse { path, .. } = item {
            *self.current() = Some(path.clone());
        }
    }

    fn current(&self) -> MutexGuard<'_, Option<StreamPath>> {
        self.0.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Unpacks one lane.
#[derive(Debug)]
pub struct Unpacker {
    lane: LaneId,
    decoder: Decoder,
    /// The chunk whose payload is coming; `None` for a chunk that is ignored.
    writing: Option<Writing>,
    /// For the next large chunk.
    spare: Option<Pages>,
    shared: Arc<Shared>,
}

impl Unpacker {
    pub(super) fn new(lane: LaneId, shared: Arc<Shared>) -> Unpacker {
        Unpacker { lane, decoder: Decoder::new(Limits::default()), writing: None, spare: None, shared }
    }

    /// Takes the lane's next bytes, cut anywhere.
    ///
    /// # Errors
    /// When they are no xbstream, name what they may not, or cannot be stored; also when a file that ended earlier, of
    /// any lane, could not be synced. The extraction is to be abandoned then.
    pub fn write(&mut self, bytes: &Bytes) -> Result<(), ExtractError> {
        self.shared.check_stop()?;
        self.shared.syncers.check()?;
        self.decoder.feed(bytes.clone());
        while let Some(item) = self.decoder.next().map_err(|error| self.malformed(error))? {
            self.take(item)?;
        }
        Ok(())
    }

    /// The lane has ended.
    ///
    /// # Errors
    /// When it ended inside a chunk. Whether all files ended is asked once all lanes have.
    pub fn finish(&mut self) -> Result<(), ExtractError> {
        self.decoder.finish().map_err(|error| self.malformed(error))
    }

    fn take(&mut self, item: Item) -> Result<(), ExtractError> {
        match item {
            Item::Data(bytes) => {
                if let Some(writing) = &mut self.writing {
                    writing.write(&bytes)?;
                    self.shared.progress.0.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                }
            }
            Item::Verified => {
                if let Some(writing) = self.writing.take() {
                    self.spare = writing.finish()?.or(self.spare.take());
                }
            }
            chunk => self.begin(chunk)?,
        }
        Ok(())
    }

    fn begin(&mut self, mut chunk: Item) -> Result<(), ExtractError> {
        make_safe(&mut chunk)?;
        self.shared.progress.note(&chunk);
        let mut state = self.shared.lock();
        // Under the lock, see `Shared::abandon`.
        self.shared.check_stop()?;
        state.ledger.apply(&chunk).map_err(|error| self.malformed(error))?;
        self.shared.progress.0.files.store(state.ledger.closed_files(), Ordering::Relaxed);
        let step = state.tree.apply(self.lane, chunk)?;
        // Syncing may have to wait for a thread, and the other lanes need not wait with us.
        drop(state);
        match step {
            Step::Done => {}
            Step::Write(mut writing) => {
                writing.prepare(self.shared.cache, &mut self.spare);
                self.writing = Some(writing);
            }
            Step::Sync(finished) => self.shared.syncers.push(finished),
        }
        Ok(())
    }

    fn malformed(&self, error: impl Into<StreamError>) -> ExtractError {
        ExtractError::Stream { lane: self.lane, error: error.into() }
    }
}
