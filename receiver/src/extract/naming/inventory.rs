//! What the lanes of a backup have brought so far, by its names: which chunk may come next. Pure: nothing here looks at a
//! disk.
//!
//! Unpacking and verifying both ask it, so that what was verified can be unpacked into an empty directory.

use std::collections::HashMap;

use xbproto::lane::LaneId;
use xbproto::stage::{Chain, StageKind, Stages};
use xbproto::xbstream::{Completeness, Item, Ledger, Missing, OrderError, StreamPath};

use super::directories::Directories;
use super::names::{Brought, Names};
use super::path::make_safe;
use crate::extract::ExtractError;
use crate::extract::files::open_files::MOST_UNDER_WAY;

/// The files of a backup while they come.
#[derive(Debug)]
pub(crate) struct Inventory {
    ledger: Ledger,
    names: Names,
    directories: Directories,
    completeness: Completeness,
    /// The lane that each open file comes on, which alone may go on with it.
    lanes: HashMap<StreamPath, LaneId>,
}

impl Inventory {
    /// No files yet; `stages` says what is undone.
    pub(crate) fn new(stages: Stages) -> Inventory {
        Inventory {
            ledger: Ledger::default(),
            names: Names::new(stages),
            directories: Directories::default(),
            completeness: Completeness::default(),
            lanes: HashMap::new(),
        }
    }

    /// Takes note of the next item of `lane`.
    ///
    /// # Errors
    /// When its paths are not safe, or it is not in an order that makes files and directories.
    pub(crate) fn note(&mut self, lane: LaneId, item: &Item) -> Result<(), ExtractError> {
        self.take(lane, &mut item.clone()).map(drop)
    }

    /// The same; gives its paths the names that they have on disk, and says how its file is brought, if it is about one.
    pub(in crate::extract) fn take(&mut self, lane: LaneId, item: &mut Item) -> Result<Option<Brought>, ExtractError> {
        make_safe(item)?;
        let brought = self.names.resolve(item, &self.ledger)?;
        let placed = self.directories.place(item, &self.ledger);
        self.ledger.apply(item).map_err(|error| ExtractError::Stream { lane, error: error.into() })?;
        placed?;
        self.completeness.apply(item);
        self.check_lane(lane, item)?;
        Ok(brought)
    }

    /// Files that have ended, without those that were removed.
    pub(crate) fn closed_files(&self) -> u64 {
        self.ledger.closed_files()
    }

    /// To be called when all lanes have ended.
    ///
    /// # Errors
    /// When a file has not.
    pub(crate) fn finish(&self) -> Result<(), OrderError> {
        self.ledger.finish()
    }

    /// What the files so far lack to be a whole backup.
    ///
    /// # Errors
    /// [`Missing`] when it is anything.
    pub(crate) fn check_complete(&self) -> Result<(), Missing> {
        self.completeness.finish()
    }

    /// What undoes these kinds; `None` if there are none.
    pub(in crate::extract) fn chain(&self, kinds: &[StageKind]) -> Option<Chain> {
        self.names.chain(kinds)
    }

    /// The names of the files, with what was undone of them.
    pub(in crate::extract) fn names(&self) -> &Names {
        &self.names
    }

    fn check_lane(&mut self, lane: LaneId, item: &Item) -> Result<(), ExtractError> {
        let (Item::Payload { path, .. } | Item::Sparse { path, .. } | Item::Seek { path, .. } | Item::End { path }) =
            item
        else {
            return Ok(());
        };
        match self.lanes.get(path) {
            Some(first) if *first != lane => {
                return Err(ExtractError::Torn { path: path.clone(), first: *first, second: lane });
            }
            None if self.lanes.len() >= MOST_UNDER_WAY => {
                return Err(ExtractError::TooManyOpen { path: path.clone(), limit: MOST_UNDER_WAY });
            }
            Some(_) if matches!(item, Item::End { .. }) => drop(self.lanes.remove(path)),
            None if !matches!(item, Item::End { .. }) => drop(self.lanes.insert(path.clone(), lane)),
            _ => {}
        }
        Ok(())
    }
}
