//! The blocks of a lane that have begun to arrive, and how many copies of each: what memory they may take.

use std::collections::BTreeMap;

/// Blocks that have begun to arrive, over whatever link.
///
/// Invariants: those that are not here yet are together no larger than the share, each counted once; further copies, and
/// those of a block that has come over another link meanwhile, together no larger than half of it.
#[derive(Debug)]
pub(super) struct UnderWay {
    share: usize,
    /// By offset and length.
    blocks: BTreeMap<(u64, usize), Copies>,
    /// Bytes of the blocks that are not here yet.
    awaited: usize,
    /// Bytes of the other copies.
    spare: usize,
}

/// How many copies of a block are under way.
#[derive(Debug)]
struct Copies {
    count: usize,
    the_block: Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    IsAwaited,
    IsHere,
}

/// What there is no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// The blocks that are awaited would together have so many bytes.
    ForBlocks(usize),
    /// It would be one copy too many.
    ForCopies,
}

impl UnderWay {
    /// Nothing, for a lane with this share in bytes.
    pub(super) fn new(share: usize) -> UnderWay {
        UnderWay { share, blocks: BTreeMap::new(), awaited: 0, spare: 0 }
    }

    /// A block that is not here yet begins to arrive. It ends with [`arrived`](Self::arrived) or
    /// [`given_up`](Self::given_up).
    pub(super) fn begins(&mut self, offset: u64, len: usize) -> Result<(), NoRoom> {
        if let Some(copies) = self.blocks.get_mut(&(offset, len)) {
            let spare = self.spare.saturating_add(len);
            if spare > self.share / 2 {
                return Err(NoRoom::ForCopies);
            }
            self.spare = spare;
            copies.count += 1;
            return Ok(());
        }
        let awaited = self.awaited.saturating_add(len);
        if awaited > self.share {
            return Err(NoRoom::ForBlocks(awaited));
        }
        self.awaited = awaited;
        self.blocks.insert((offset, len), Copies { count: 1, the_block: Standing::IsAwaited });
        Ok(())
    }

    /// A copy that had begun is here, and with it the block.
    pub(super) fn arrived(&mut self, offset: u64, len: usize) {
        let Some(copies) = self.blocks.get_mut(&(offset, len)) else { return };
        if copies.the_block == Standing::IsAwaited {
            copies.the_block = Standing::IsHere;
            self.awaited -= len;
            self.spare += len;
        }
        self.given_up(offset, len);
    }

    /// A copy that had begun will not come after all, or is not needed any more.
    pub(super) fn given_up(&mut self, offset: u64, len: usize) {
        let Some(copies) = self.blocks.get_mut(&(offset, len)) else { return };
        copies.count -= 1;
        match (copies.count, copies.the_block) {
            (0, Standing::IsAwaited) => self.awaited -= len,
            _ => self.spare -= len,
        }
        if copies.count == 0 {
            self.blocks.remove(&(offset, len));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARE: usize = 100;

    fn nothing_is_left(under_way: &UnderWay) -> bool {
        under_way.blocks.is_empty() && under_way.awaited == 0 && under_way.spare == 0
    }

    #[test]
    fn blocks_take_no_more_than_the_share() {
        let mut under_way = UnderWay::new(SHARE);
        assert_eq!(under_way.begins(0, SHARE), Ok(()));
        assert_eq!(under_way.begins(1, 1), Err(NoRoom::ForBlocks(SHARE + 1)));
        under_way.given_up(0, SHARE);
        assert_eq!(under_way.begins(1, 1), Ok(()));
        under_way.arrived(1, 1);
        assert!(nothing_is_left(&under_way));
    }

    #[test]
    fn copies_take_half_as_much_again() {
        let mut under_way = UnderWay::new(SHARE);
        (0..2).for_each(|block| under_way.begins(block * 50, 50).expect("the share"));
        assert_eq!(under_way.begins(0, 50), Ok(()));
        assert_eq!(under_way.begins(50, 50), Err(NoRoom::ForCopies));
        under_way.given_up(0, 50);
        assert_eq!(under_way.begins(50, 50), Ok(()));
    }

    #[test]
    fn what_is_left_of_a_block_that_is_here_makes_way_for_the_next_one() {
        let mut under_way = UnderWay::new(SHARE);
        (0..2).for_each(|_| under_way.begins(0, 50).expect("two copies"));
        under_way.arrived(0, 50);
        assert_eq!(under_way.begins(50, SHARE), Ok(()));
        assert_eq!(under_way.begins(50, SHARE), Err(NoRoom::ForCopies));
        under_way.arrived(0, 50);
        under_way.arrived(50, SHARE);
        assert!(nothing_is_left(&under_way));
    }

    #[test]
    fn what_never_began_does_not_end() {
        let mut under_way = UnderWay::new(SHARE);
        under_way.arrived(0, 1);
        under_way.given_up(0, 1);
        assert!(nothing_is_left(&under_way));
    }
}
