//! Blocks in any order in, the lane's bytes in order out.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Block, max_blocks};

/// A block its lane may not hold: the peer's violation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misplaced {
    /// It reaches past what the lane was allowed to send.
    #[error("block ends at byte {end} of its lane, but only {limit} may be sent before more is written")]
    Overrun {
        /// Where the block ends.
        end: u64,
        /// Bytes the consumer is done with, plus the lane's share.
        limit: u64,
    },
    /// It covers a part of another block. Whoever repeats a block repeats it whole.
    #[error("block at byte {offset} of its lane overlaps another one")]
    Overlap {
        /// Where the block begins.
        offset: u64,
    },
    /// More small blocks than a sender may have under way.
    #[error("more than {limit} blocks of a lane are under way")]
    TooMany {
        /// How many may be.
        limit: usize,
    },
}

/// Puts the blocks of one lane in order.
///
/// Invariant: the blocks held lie in `next .. released + share`, never overlap, and so never exceed
/// the share; they are no more than [`max_blocks`]. A block of a sender that keeps to its share
/// always fits. Duplicates are harmless.
#[derive(Debug)]
pub struct Reassembler {
    /// Offset of the next byte to hand out; always where a block ended.
    next: u64,
    /// Offset up to which the consumer is done with what was handed out.
    released: u64,
    share: usize,
    /// Keyed by offset; all at or after `next`.
    held: BTreeMap<u64, Bytes>,
}

impl Reassembler {
    /// A lane that goes on at `offset` and holds at most `share` bytes ahead of its consumer.
    pub fn new(offset: u64, share: usize) -> Reassembler {
        Reassembler { next: offset, released: offset, share, held: BTreeMap::new() }
    }

    /// Whether `len` bytes at `offset` may come: to be asked before memory is taken for them.
    ///
    /// # Errors
    /// [`Misplaced::Overrun`].
    pub fn admits(&self, offset: u64, len: usize) -> Result<(), Misplaced> {
        let limit = self.released.saturating_add(self.share as u64);
        let end = offset.saturating_add(len as u64);
        if end > limit { Err(Misplaced::Overrun { end, limit }) } else { Ok(()) }
    }

    /// Whether this very block was taken in before.
    pub fn has(&self, offset: u64, len: usize) -> bool {
        let held = self.held.get(&offset).is_some_and(|held| held.len() == len);
        held || offset.saturating_add(len as u64) <= self.next
    }

    /// Takes in a block; one that is known already is dropped.
    ///
    /// # Errors
    /// [`Misplaced`]; nothing of it is kept.
    pub fn insert(&mut self, block: Block) -> Result<(), Misplaced> {
        self.admits(block.offset, block.bytes.len())?;
        let (offset, end) = (block.offset, block.end());
        if self.has(offset, block.bytes.len()) {
            return Ok(());
        }
        let before = self.held.range(..end).next_back();
        if offset < self.next || before.is_some_and(|(at, held)| at + held.len() as u64 > offset) {
            return Err(Misplaced::Overlap { offset });
        }
        let limit = max_blocks(self.share);
        if self.held.len() >= limit {
            return Err(Misplaced::TooMany { limit });
        }
        self.held.insert(offset, block.bytes);
        Ok(())
    }

    /// The next bytes in order, if they have arrived.
    pub fn pop(&mut self) -> Option<Bytes> {
        let entry = self.held.first_entry().filter(|entry| *entry.key() == self.next)?;
        let bytes = entry.remove();
        self.next += bytes.len() as u64;
        Some(bytes)
    }

    /// The consumer is done with everything before `offset`: that much more may arrive.
    pub fn release(&mut self, offset: u64) {
        self.released = self.released.max(offset.min(self.next));
    }

    /// Offset of the next byte to hand out.
    pub fn next_offset(&self) -> u64 {
        self.next
    }

    /// Offset after the last byte that has arrived, gaps before it or not.
    pub fn end(&self) -> u64 {
        self.held.last_key_value().map_or(self.next, |(at, held)| at + held.len() as u64)
    }

    /// Bytes held and not handed out yet.
    pub fn held(&self) -> usize {
        self.held.values().map(Bytes::len).sum()
    }

    /// Whether everything before `end` has arrived.
    pub fn has_all_before(&self, end: u64) -> bool {
        self.end() >= end && self.next + self.held() as u64 == self.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane::LaneId;

    fn block(offset: u64, bytes: &'static [u8]) -> Block {
        Block { lane: LaneId(0), offset, bytes: Bytes::from_static(bytes) }
    }

    #[test]
    fn order_is_restored() {
        let mut lane = Reassembler::new(0, 8192);
        lane.insert(block(3, b"def")).expect("fits");
        assert_eq!(lane.pop(), None);
        assert!(!lane.has_all_before(6));
        lane.insert(block(0, b"abc")).expect("fits");
        assert!(lane.has_all_before(6));
        assert_eq!(lane.pop().as_deref(), Some(&b"abc"[..]));
        assert_eq!(lane.pop().as_deref(), Some(&b"def"[..]));
        assert_eq!(lane.pop(), None);
    }

    #[test]
    fn duplicates_are_harmless_and_overlaps_are_not() {
        let mut lane = Reassembler::new(0, 8192);
        for _ in 0..2 {
            lane.insert(block(0, b"abc")).expect("fits");
            lane.insert(block(6, b"ghi")).expect("fits");
        }
        for (offset, bytes) in [(0, &b"ab"[..]), (1, b"bc"), (2, b"cd"), (5, b"fg"), (8, b"ij"), (0, b"abcdefghi")] {
            assert_eq!(lane.insert(block(offset, bytes)), Err(Misplaced::Overlap { offset }), "{offset}");
        }
        assert!(lane.pop().is_some());
        lane.insert(block(0, b"abc")).expect("known already");
        assert_eq!(lane.insert(block(2, b"cd")), Err(Misplaced::Overlap { offset: 2 }));
        assert_eq!(lane.held(), 3);
    }

    #[test]
    fn share_bounds_what_arrives_until_released() {
        let mut lane = Reassembler::new(10, 4096);
        assert_eq!(lane.admits(10, 4097), Err(Misplaced::Overrun { end: 4107, limit: 4106 }));
        lane.insert(block(10, &[0; 4096])).expect("exactly the share");
        assert!(lane.pop().is_some());
        assert!(lane.insert(block(4106, b"e")).is_err(), "handed out is not released");
        lane.release(4106);
        lane.insert(block(4106, b"efgh")).expect("released");
    }

    #[test]
    fn many_small_blocks_are_too_many() {
        let mut lane = Reassembler::new(0, 2 * 4096);
        for offset in [1, 3] {
            lane.insert(block(offset, b"x")).expect("fits");
        }
        assert_eq!(lane.insert(block(5, b"x")), Err(Misplaced::TooMany { limit: 2 }));
    }

    #[test]
    fn offsets_near_the_end_of_u64_are_an_overrun() {
        let mut lane = Reassembler::new(0, 4096);
        assert!(lane.insert(block(u64::MAX - 1, b"a")).is_err());
        assert!(lane.admits(u64::MAX, 2).is_err());
    }
}
