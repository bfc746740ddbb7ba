//! Journals, as bytes and as files.

mod format;
mod store;

use xbproto::lane::LaneId;
use xbproto::wire::{LaneSum, Reached, Receipt};

use super::record::{MAX_BODY, frame};
use super::replay::{Contradiction, MAGIC};
use super::sample::{digest, hello, presence, sum};
use super::*;

/// A journal of these records.
fn written(records: &[Record]) -> Vec<u8> {
    MAGIC.iter().copied().chain(records.iter().flat_map(Record::encode)).collect()
}
