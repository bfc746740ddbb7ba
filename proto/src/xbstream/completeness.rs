//! Which files a whole backup must have brought.

use super::Item;

/// What a stream lacks to be a whole backup.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("placeholder")]
pub struct Missing {}

/// Watches the items of a stream for the closing metadata and redo files.
#[derive(Debug, Default)]
pub struct Completeness {}

impl Completeness {
    /// Takes note of one item.
    pub fn apply(&mut self, _item: &Item) {
        unimplemented!()
    }

    /// To be called at the end of all lanes.
    pub fn finish(&self) -> Result<(), Missing> {
        unimplemented!()
    }
}
