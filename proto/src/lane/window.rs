//! The blocks of a lane that were taken from the source and are not yet safe at the far side.

use std::collections::VecDeque;

use super::{Block, LaneDigest, LaneId, Sha1Sum, max_blocks};

/// The peer acknowledged what it cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AckError {
    /// The offset is not where a block ends.
    #[error("acknowledged up to byte {offset}, which is not where a block ends")]
    NotABoundary {
        /// What was acknowledged.
        offset: u64,
    },
    /// More was acknowledged than was ever sent, or durable passed written.
    #[error("acknowledged up to byte {offset}, but only {limit} is possible")]
    Beyond {
        /// What was acknowledged.
        offset: u64,
        /// The most that could be.
        limit: u64,
    },
}

/// The peer cannot go on where it says it can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RewindError {
    /// The window no longer (or not yet) reaches there.
    #[error("the receiver wants to go on at byte {offset}, but blocks were sent and kept only from {start} to {end}")]
    OutOfWindow {
        /// Where the receiver wants to go on.
        offset: u64,
        /// Where the window begins.
        start: u64,
        /// Where the blocks sent so far end.
        end: u64,
    },
    /// Both sides have bytes up to there, but not the same ones.
    #[error("the {offset} bytes at the receiver have SHA-1 {theirs}, here they had {ours}")]
    Digest {
        /// Where the receiver wants to go on.
        offset: u64,
        /// SHA-1 of what was sent.
        ours: Sha1Sum,
        /// SHA-1 of what the receiver has.
        theirs: Sha1Sum,
    },
}

/// A block, and the lane's digest after it.
#[derive(Debug)]
struct Kept {
    block: Block,
    digest: LaneDigest,
}

/// The sender's copy of one lane's unacknowledged bytes.
///
/// Invariants: `durable ≤ written ≤ end`, all on block boundaries; `end − durable ≤ share` and no more than [`max_blocks`], always;
/// the blocks kept are exactly those in `durable..end`, in order and without gaps.
#[derive(Debug)]
pub struct Window {
    lane: LaneId,
    share: usize,
    kept: VecDeque<Kept>,
    /// How many of `kept` need not be handed out on this link: they were, or are written already.
    sent: usize,
    /// How many of `kept` were handed out on any link; the receiver may have them all.
    ever_sent: usize,
    /// The lane's digest at `durable`.
    base: LaneDigest,
    written: u64,
    end: LaneDigest,
}

impl Window {
    /// An empty window at the start of `lane`, holding at most `share` bytes.
    pub fn new(lane: LaneId, share: usize) -> Window {
        Window {
            lane,
            share,
            kept: VecDeque::new(),
            sent: 0,
            ever_sent: 0,
            base: LaneDigest::default(),
            written: 0,
            end: LaneDigest::default(),
        }
    }

    /// How many bytes may still be pushed; none while there are [`max_blocks`] already.
    pub fn room(&self) -> usize {
        match self.kept.len() < max_blocks(self.share) {
            true => self.share - self.unacknowledged(),
            false => 0,
        }
    }

    /// Bytes kept because they are not durable yet.
    pub fn unacknowledged(&self) -> usize {
        (self.end.len() - self.base.len()) as usize
    }

    /// Takes the lane's next bytes, whose digest after them is `digest`.
    ///
    /// # Panics
    /// When the block is larger than [`room`](Self::room) or `digest` does not end where it ends:
    /// both are defects of the caller.
    pub fn push(&mut self, bytes: bytes::Bytes, digest: LaneDigest) {
        assert!(bytes.len() <= self.room(), "a block of {} does not fit into {}", bytes.len(), self.room());
        let block = Block { lane: self.lane, offset: self.end.len(), bytes };
        assert_eq!(block.end(), digest.len(), "the digest ends elsewhere than the block");
        self.end = digest.clone();
        self.kept.push_back(Kept { block, digest });
    }

    /// The oldest block that is still to be handed out on this link.
    pub fn next_block(&mut self) -> Option<Block> {
        let block = self.kept.get(self.sent)?.block.clone();
        self.sent += 1;
        self.ever_sent = self.ever_sent.max(self.sent);
        Some(block)
    }

    /// The block at `offset`, if it is kept and was handed out on this link: to be sent once more.
    pub fn sent_block(&self, offset: u64) -> Option<Block> {
        let index = self.kept.binary_search_by_key(&offset, |kept| kept.block.offset).ok()?;
        (index < self.sent).then(|| self.kept[index].block.clone())
    }

    /// Whether [`next_block`](Self::next_block) has one.
    pub fn has_unsent(&self) -> bool {
        self.sent < self.kept.len()
    }

    /// The receiver has written everything before `written` and made durable everything before
    /// `durable`. Older acknowledgements than the last are harmless.
    ///
    /// # Errors
    /// [`AckError`] when that is impossible; nothing is changed then.
    pub fn acknowledge(&mut self, written: u64, durable: u64) -> Result<(), AckError> {
        if written > self.handed_out() {
            return Err(AckError::Beyond { offset: written, limit: self.handed_out() });
        }
        if durable > written {
            return Err(AckError::Beyond { offset: durable, limit: written });
        }
        let keep_from = self.boundary(durable)?;
        // After a rewind the receiver may find that it has blocks it had not counted yet.
        self.sent = self.sent.max(self.boundary(written)?) - keep_from;
        self.ever_sent -= keep_from;
        if let Some(kept) = self.kept.drain(..keep_from).next_back() {
            self.base = kept.digest;
        }
        self.written = self.written.max(written);
        Ok(())
    }

    /// A link came up: the receiver goes on at `offset`, up to which its bytes have the sum
    /// `theirs`. What lies after it is handed out again.
    ///
    /// # Errors
    /// [`RewindError`] when it cannot go on there; the session is lost then.
    pub fn rewind(&mut self, offset: u64, theirs: Sha1Sum) -> Result<(), RewindError> {
        let out = RewindError::OutOfWindow { offset, start: self.base.len(), end: self.handed_out() };
        let reachable = self.base.len()..=self.handed_out();
        let sent = self.boundary(offset).ok().filter(|_| reachable.contains(&offset)).ok_or(out)?;
        let ours = match sent.checked_sub(1) {
            Some(last) => self.kept[last].digest.sum(),
            None => self.base.sum(),
        };
        if ours != theirs {
            return Err(RewindError::Digest { offset, ours, theirs });
        }
        self.sent = sent;
        self.written = offset;
        Ok(())
    }

    /// Where the lane's bytes taken so far end, with their digest.
    pub fn end(&self) -> &LaneDigest {
        &self.end
    }

    /// Offset up to which the receiver has written.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Offset up to which the receiver's copy is durable.
    pub fn durable(&self) -> u64 {
        self.base.len()
    }

    /// Offset after the last block handed out on any link.
    fn handed_out(&self) -> u64 {
        match self.ever_sent.checked_sub(1) {
            Some(last) => self.kept[last].block.end(),
            None => self.base.len(),
        }
    }

    /// How many of the kept blocks lie before `offset`, which must be where a block ends (or
    /// before the window, which is an old acknowledgement).
    fn boundary(&self, offset: u64) -> Result<usize, AckError> {
        if offset <= self.base.len() {
            return Ok(0);
        }
        match self.kept.binary_search_by_key(&offset, |kept| kept.block.end()) {
            Ok(index) => Ok(index + 1),
            Err(_) => Err(AckError::NotABoundary { offset }),
        }
    }
}

#[cfg(test)]
mod tests;
