//! What is encoded, or being encoded, and not on a link yet.

use std::collections::BTreeMap;

use xbproto::wire::EncodedBlock;

use super::Effort;
use super::tally::Tally;

/// Blocks on their way from the session to the links: a bounded number, the oldest first.
#[derive(Debug)]
pub(super) struct Queue {
    /// The most blocks that are in it or promised to it.
    capacity: usize,
    promised: usize,
    /// By their turn.
    ready: BTreeMap<u64, Encoded>,
    tally: Tally,
}

/// A block that has left the session.
#[derive(Clone, Debug)]
pub(super) struct Encoded {
    /// It, as it travels.
    pub(super) block: EncodedBlock,
    /// What it was given, if that was of use.
    pub(super) effort: Effort,
    /// How often the session had taken back what it had handed out, when it handed out this one.
    pub(super) rewinds: u64,
}

impl Queue {
    /// An empty one.
    pub(super) fn new(capacity: usize) -> Queue {
        Queue { capacity, promised: 0, ready: BTreeMap::new(), tally: Tally::default() }
    }

    /// Keeps a place for a block, if there is one.
    pub(super) fn reserve(&mut self) -> Option<()> {
        let free = self.promised + self.ready.len() < self.capacity;
        free.then(|| self.promised += 1)
    }

    /// Takes in the block of a reserved place. `turn` says when the session had handed it out.
    pub(super) fn put(&mut self, turn: u64, block: Encoded) {
        self.promised -= 1;
        self.ready.insert(turn, block);
    }

    /// The oldest block that is ready. It does not wait for an older one that is still being encoded.
    pub(super) fn pop(&mut self) -> Option<Encoded> {
        self.ready.pop_first().map(|(_, block)| block)
    }

    /// A link is about to write this block.
    pub(super) fn count(&mut self, block: &Encoded) {
        self.tally.count(block.effort, block.block.header.len.into(), block.block.bytes.len() as u64);
    }

    /// What the links were given so far.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use xbproto::lane::{Block, LaneId};

    use super::*;

    fn block(offset: u64) -> Encoded {
        let block = Block { lane: LaneId(0), offset, bytes: Bytes::from_static(b"abc") };
        Encoded { block: block.into(), effort: Effort::Stored, rewinds: 1 }
    }

    #[test]
    fn no_more_is_in_it_than_has_place() {
        let mut queue = Queue::new(2);
        assert_eq!((queue.reserve(), queue.reserve(), queue.reserve()), (Some(()), Some(()), None));
        queue.put(0, block(0));
        assert_eq!(queue.reserve(), None);
        assert!(queue.pop().is_some());
        assert_eq!(queue.reserve(), Some(()));
    }

    #[test]
    fn the_oldest_goes_first_and_waits_for_nobody() {
        let mut queue = Queue::new(3);
        (0..3).for_each(|_| assert_eq!(queue.reserve(), Some(())));
        queue.put(2, block(6));
        queue.put(1, block(3));
        let mut next = || queue.pop().map(|block| block.block.header.offset);
        assert_eq!((next(), next(), next()), (Some(3), Some(6), None));
    }
}
