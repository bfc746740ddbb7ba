//! The order files must keep: which are open, at which offset, and which are closed.

use super::{Item, OrderError, StreamPath};

/// Follows the items of a stream (or of several lanes that make one tree) and refuses what no
/// reader could put together.
#[derive(Debug, Default)]
pub struct Ledger {}

impl Ledger {
    /// Checks one item and takes note of it.
    pub fn apply(&mut self, _item: &Item) -> Result<(), OrderError> {
        unimplemented!()
    }

    /// Files that were begun and not ended, in order of their names.
    pub fn open_files(&self) -> Vec<StreamPath> {
        unimplemented!()
    }

    /// How many files were ended (and not removed since).
    pub fn closed_files(&self) -> u64 {
        unimplemented!()
    }

    /// To be called at the end of all lanes: an error that names the files still open.
    pub fn finish(&self) -> Result<(), OrderError> {
        unimplemented!()
    }
}
