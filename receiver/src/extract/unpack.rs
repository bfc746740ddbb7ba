//! One lane's way from bytes to files.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use xbproto::lane::LaneId;
use xbproto::xbstream::{Decoder, Item, Limits, StreamError};

use super::ExtractError;
use super::files::content::Part;
use super::files::writers::{Batch, Resources, Slot, Writers};
use super::naming::inventory::Inventory;
use super::tree::{Step, Tree};
use crate::stop::Stop;

/// What the lanes of one extraction have in common.
#[derive(Debug)]
pub(super) struct Shared {
    /// Held while a chunk begins, never while its payload is written.
    state: Mutex<State>,
    writers: Writers,
    resources: Arc<Resources>,
}

#[derive(Debug)]
struct State {
    inventory: Inventory,
    tree: Tree,
}

impl Shared {
    /// `tree` and `writers` work with `resources`.
    pub(super) fn new(tree: Tree, inventory: Inventory, writers: Writers, resources: Arc<Resources>) -> Shared {
        Shared { state: Mutex::new(State { inventory, tree }), writers, resources }
    }

    /// Makes every lane fail before it touches another name, and no more be written or synced. Returns when no lane is amid
    /// a change of the tree: then it can be removed beside a lane that has not noticed yet.
    pub(super) fn abandon(&self) {
        self.resources.stop.raise();
        drop(self.lock());
        self.writers.abandon();
        self.resources.syncers.abandon();
    }

    /// The flag that makes lanes, writers and syncers give up.
    pub(super) fn stop(&self) -> Stop {
        self.resources.stop.clone()
    }

    /// What the files have in common.
    pub(super) fn resources(&self) -> &Resources {
        &self.resources
    }

    /// # Errors
    /// `Interrupted` when the session is over.
    pub(super) fn check_stop(&self) -> Result<(), ExtractError> {
        if self.resources.stop.is_raised() { Err(ExtractError::Interrupted) } else { Ok(()) }
    }

    /// Brings everything that has come to the disk, all of which has to be there.
    pub(super) fn settle(&self) -> Result<(), ExtractError> {
        self.lock().inventory.finish().map_err(|error| ExtractError::Unfinished(error.into()))?;
        self.writers.finish()?;
        self.resources.syncers.finish()?;
        // Files may have been closed without being synced.
        self.check_stop()
    }

    /// What the files so far lack to be a whole backup.
    pub(super) fn check_complete(&self) -> Result<(), ExtractError> {
        Ok(self.lock().inventory.check_complete()?)
    }

    /// What `looked` finds of the files so far.
    pub(super) fn look<T>(&self, looked: impl FnOnce(&Inventory) -> T) -> T {
        looked(&self.lock().inventory)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Unpacks one lane.
#[derive(Debug)]
pub struct Unpacker {
    lane: LaneId,
    decoder: Decoder,
    /// The file whose chunk is coming; `None` for a chunk that is ignored.
    file: Option<Arc<Slot>>,
    /// What it was not given yet.
    batch: Batch,
    shared: Arc<Shared>,
}

impl Unpacker {
    pub(super) fn new(lane: LaneId, shared: Arc<Shared>) -> Unpacker {
        Unpacker { lane, decoder: Decoder::new(Limits::default()), file: None, batch: Batch::default(), shared }
    }

    /// Takes the lane's next bytes, cut anywhere. Waits while too many are waiting to be written.
    ///
    /// # Errors
    /// When they are no xbstream, or name what they may not; also when something that came earlier, on any lane, could not
    /// be decoded, written or synced. The extraction is to be abandoned then.
    pub fn write(&mut self, bytes: &Bytes) -> Result<(), ExtractError> {
        self.check()?;
        self.decoder.feed(bytes.clone());
        while let Some(item) = self.decoder.next().map_err(|error| self.malformed(error))? {
            self.take(item)?;
        }
        self.hand_over();
        Ok(())
    }

    /// Whether everything that has come so far, on any lane, is well.
    ///
    /// # Errors
    /// When something could not be decoded, written or synced.
    pub fn check(&self) -> Result<(), ExtractError> {
        self.shared.check_stop()?;
        self.shared.writers.check()?;
        Ok(self.shared.resources.syncers.check()?)
    }

    /// Whether nothing of it waits to be written.
    pub fn is_at_rest(&self) -> bool {
        self.shared.writers.is_at_rest()
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
            Item::Data(bytes) => self.give(Part::Bytes(bytes)),
            Item::Verified => self.give(Part::Whole),
            chunk => self.begin(chunk)?,
        }
        Ok(())
    }

    fn begin(&mut self, chunk: Item) -> Result<(), ExtractError> {
        let step = self.apply(chunk)?;
        // Handing over may have to wait, and the other lanes need not wait with us.
        let file = match &step {
            Step::Give(slot, _) => Some(slot),
            Step::Done => None,
        };
        if self.file.as_ref().map(Arc::as_ptr) != file.map(Arc::as_ptr) {
            self.hand_over();
            self.file = file.cloned();
        }
        if let Step::Give(_, part) = step {
            self.give(part);
        }
        Ok(())
    }

    /// Does with the names of the tree what a chunk asks for.
    fn apply(&self, mut chunk: Item) -> Result<Step, ExtractError> {
        let mut state = self.shared.lock();
        // Under the lock, see `Shared::abandon`.
        self.shared.check_stop()?;
        let State { inventory, tree } = &mut *state;
        let brought = inventory.take(self.lane, &mut chunk)?;
        self.shared.resources.progress.note(&chunk, inventory.closed_files());
        tree.apply(chunk, brought, |kinds| inventory.chain(kinds))
    }

    fn give(&mut self, part: Part) {
        if self.file.is_some() {
            self.batch.add(part);
            if self.batch.is_large() {
                self.hand_over();
            }
        }
    }

    fn hand_over(&mut self) {
        if let Some(file) = self.file.as_ref().filter(|_| !self.batch.is_empty()) {
            self.shared.writers.push(file, std::mem::take(&mut self.batch));
        }
    }

    fn malformed(&self, error: impl Into<StreamError>) -> ExtractError {
        ExtractError::Stream { lane: self.lane, error: error.into() }
    }
}
