//! Blocks in any order in, the lane's bytes in order out.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::Block;

/// A block reached past what its lane was allowed to send: the peer's violation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("block ends at byte {end} of its lane, but only {limit} may be sent before more is written")]
pub struct Overrun {
    /// Where the block ends.
    pub end: u64,
    /// Bytes taken out in order, plus the lane's share.
    pub limit: u64,
}

/// Puts the blocks of one lane in order.
///
/// Invariant: the bytes held lie in `next .. released + share`, never overlap, and so never exceed
/// the share; a block that keeps to its lane's share always fits. Duplicates are harmless.
#[derive(Debug)]
pub struct Reassembler {
    /// Offset of the next byte to hand out.
    next: u64,
    /// Offset up to which the consumer is done with what was handed out.
    released: u64,
    share: u64,
    /// Keyed by offset; never overlapping, all at or after `next`.
    held: BTreeMap<u64, Bytes>,
}

impl Reassembler {
    /// A lane that goes on at `offset` and holds at most `share` bytes ahead of its consumer.
    pub fn new(offset: u64, share: usize) -> Reassembler {
        Reassembler { next: offset, released: offset, share: share as u64, held: BTreeMap::new() }
    }

    /// Takes in a block. What is known already is dropped; what is new is kept.
    ///
    /// # Errors
    /// [`Overrun`] when the block ends past `released + share`; nothing of it is kept.
    pub fn insert(&mut self, block: Block) -> Result<(), Overrun> {
        let limit = self.released.saturating_add(self.share);
        let end = block.offset.checked_add(block.bytes.len() as u64).filter(|end| *end <= limit);
        if end.is_none() {
            return Err(Overrun { end: block.offset.saturating_add(block.bytes.len() as u64), limit });
        }
        let mut offset = block.offset;
        let mut bytes = block.bytes;
        skip_to(&mut offset, &mut bytes, self.next);
        if let Some((at, before)) = self.held.range(..=offset).next_back() {
            skip_to(&mut offset, &mut bytes, at + before.len() as u64);
        }
        while !bytes.is_empty() {
            let Some((at, len)) = self.held.range(offset..).next().map(|(at, held)| (*at, held.len())) else {
                self.held.insert(offset, bytes);
                break;
            };
            let gap = (at - offset).min(bytes.len() as u64) as usize;
            let piece = bytes.split_to(gap);
            if !piece.is_empty() {
                self.held.insert(offset, piece);
                offset += gap as u64;
            }
            skip_to(&mut offset, &mut bytes, at + len as u64);
        }
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

    /// Bytes held and not handed out yet.
    pub fn held(&self) -> usize {
        self.held.values().map(Bytes::len).sum()
    }
}

/// Drops what lies before `to` from `bytes`, which begin at `offset`.
fn skip_to(offset: &mut u64, bytes: &mut Bytes, to: u64) {
    if to > *offset {
        let known = (to - *offset).min(bytes.len() as u64);
        drop(bytes.split_to(known as usize));
        *offset += known;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lane::LaneId;

    fn block(offset: u64, bytes: &[u8]) -> Block {
        Block { lane: LaneId(0), offset, bytes: Bytes::copy_from_slice(bytes) }
    }

    #[test]
    fn order_is_restored() {
        let mut lane = Reassembler::new(0, 100);
        lane.insert(block(3, b"def")).expect("fits");
        assert_eq!(lane.pop(), None);
        lane.insert(block(0, b"abc")).expect("fits");
        assert_eq!(lane.pop().as_deref(), Some(&b"abc"[..]));
        assert_eq!(lane.pop().as_deref(), Some(&b"def"[..]));
        assert_eq!(lane.pop(), None);
    }

    #[test]
    fn share_bounds_what_arrives_until_released() {
        let mut lane = Reassembler::new(10, 4);
        assert_eq!(lane.insert(block(11, b"abcd")), Err(Overrun { end: 15, limit: 14 }));
        lane.insert(block(10, b"abcd")).expect("exactly the share");
        assert!(lane.pop().is_some());
        assert!(lane.insert(block(14, b"e")).is_err(), "handed out is not released");
        lane.release(14);
        lane.insert(block(14, b"efgh")).expect("released");
    }

    #[test]
    fn offsets_near_the_end_of_u64_are_an_overrun() {
        let mut lane = Reassembler::new(0, 4);
        assert!(lane.insert(block(u64::MAX, b"ab")).is_err());
    }

    proptest! {
        /// Whatever the order, overlap and repetition of the blocks, what comes out is a prefix
        /// of the lane, as long as a naive byte map says it is.
        #[test]
        fn agrees_with_a_byte_map(pieces in prop::collection::vec((0u64..200, 1usize..40), 0..60)) {
            let lane_bytes: Vec<u8> = (0..240u32).map(|i| (i * 7 % 251) as u8).collect();
            let mut lane = Reassembler::new(0, 240);
            let mut known = [false; 240];
            let mut out = Vec::new();
            for (offset, len) in pieces {
                let end = (offset as usize + len).min(240);
                lane.insert(block(offset, &lane_bytes[offset as usize..end])).expect("within the share");
                known[offset as usize..end].fill(true);
                while let Some(bytes) = lane.pop() {
                    out.extend_from_slice(&bytes);
                }
                let prefix = known.iter().position(|k| !k).unwrap_or(240);
                prop_assert_eq!(&out[..], &lane_bytes[..prefix]);
                prop_assert_eq!(lane.held(), known[prefix..].iter().filter(|k| **k).count());
            }
        }
    }
}
