//! One lane of the receiving half.

use bytes::Bytes;

use super::Violation;
use super::under_way::{NoRoom, UnderWay};
use crate::failure::{Cause, Failure, Party};
use crate::lane::{Block, LaneDigest, LaneId, Reassembler};
use crate::wire::{Ack, LaneSum, Resume};

/// Whether a block that begins to arrive is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coming {
    /// It is, and will be told of again.
    New,
    /// It is here already. Nothing is to be kept of it, and nothing told.
    Known,
    /// It is under way already, and there is no room for one more copy: its link is of no more use.
    OneTooMany,
}

/// What has arrived of a lane, what is in the sink, and what the sender knows of it.
#[derive(Debug)]
pub(super) struct LaneIn {
    lane: LaneId,
    blocks: Reassembler,
    share: usize,
    /// The blocks that have begun to arrive.
    under_way: UnderWay,
    /// The digest of what is in the sink.
    digest: LaneDigest,
    durable: u64,
    /// What was last told to the sender: written, durable.
    told: (u64, u64),
    /// What the sender says the whole lane is, once it has.
    end: Option<LaneSum>,
    /// Whether the sink has closed the lane.
    finished: bool,
    /// What the whole lane was, if it was committed before this process began.
    committed: Option<LaneSum>,
}

impl LaneIn {
    pub(super) fn new(lane: LaneId, share: usize) -> LaneIn {
        let (blocks, digest) = (Reassembler::new(0, share), LaneDigest::default());
        LaneIn {
            lane,
            blocks,
            share,
            under_way: UnderWay::new(share),
            digest,
            durable: 0,
            told: (0, 0),
            end: None,
            finished: false,
            committed: None,
        }
    }

    /// Goes on after what `digest` covers, which is durable since before this process began.
    pub(super) fn recall(&mut self, digest: LaneDigest) {
        self.blocks = Reassembler::new(digest.len(), self.share);
        self.durable = digest.len();
        self.digest = digest;
    }

    /// All of the lane was committed before this process began.
    pub(super) fn recall_whole(&mut self, sum: LaneSum) {
        self.blocks = Reassembler::new(sum.len, self.share);
        self.committed = Some(sum);
    }

    /// Where a new link goes on. What is durable is told again on it.
    pub(super) fn resume(&mut self) -> Resume {
        self.told = (self.written(), 0);
        let LaneSum { len, sum, .. } = self.sum();
        Resume { offset: len, sum }
    }

    /// A block begins to arrive. Asked before memory is taken for it.
    pub(super) fn begins(&mut self, offset: u64, len: usize) -> Result<Coming, Violation> {
        let lane = self.lane;
        self.blocks.admits(offset, len).map_err(|error| Violation::Misplaced { lane, error })?;
        if self.blocks.has(offset, len) {
            return Ok(Coming::Known);
        }
        match self.under_way.begins(offset, len) {
            Ok(()) => Ok(Coming::New),
            Err(NoRoom::ForCopies) => Ok(Coming::OneTooMany),
            Err(NoRoom::ForBlocks(bytes)) => Err(Violation::Crowded { lane, bytes, share: self.share }),
        }
    }

    /// A block that had begun will not come after all.
    pub(super) fn given_up(&mut self, offset: u64, len: usize) {
        self.under_way.given_up(offset, len);
    }

    pub(super) fn arrived(&mut self, block: Block) -> Result<(), Violation> {
        let (lane, received) = (self.lane, block.end());
        self.under_way.arrived(block.offset, block.bytes.len());
        if let Some(sum) = self.end.filter(|sum| received > sum.len) {
            return Err(Violation::PastEnd { lane, end: sum.len, received });
        }
        self.blocks.insert(block).map_err(|error| Violation::Misplaced { lane, error })
    }

    /// Bytes that have arrived and are not in the sink.
    pub(super) fn held(&self) -> usize {
        self.blocks.held()
    }

    /// The next bytes for the sink, if they have arrived.
    pub(super) fn next_bytes(&mut self) -> Option<Bytes> {
        self.blocks.pop()
    }

    pub(super) fn wrote(&mut self, digest: LaneDigest, durable: u64) {
        self.blocks.release(digest.len());
        self.digest = digest;
        self.durable = self.durable.max(durable);
    }

    /// The sender says what the whole lane is.
    pub(super) fn ends(&mut self, sum: LaneSum) -> Result<(), Violation> {
        let (lane, received) = (self.lane, self.blocks.end());
        if received > sum.len {
            return Err(Violation::PastEnd { lane, end: sum.len, received });
        }
        if let Some(first) = self.end.filter(|first| *first != sum) {
            return Err(Violation::TwoEnds { lane, first: first.len, second: sum.len });
        }
        self.end = Some(sum);
        Ok(())
    }

    /// What is new for the sender to know.
    pub(super) fn ack(&mut self) -> Option<Ack> {
        let now = (self.written(), self.durable);
        if self.told == now {
            return None;
        }
        self.told = now;
        Some(Ack { lane: self.lane, written: now.0, durable: now.1 })
    }

    /// The sink has closed the lane.
    pub(super) fn finish(&mut self) {
        self.finished = true;
    }

    pub(super) fn is_finished(&self) -> bool {
        self.finished
    }

    /// Whether all of it is here, in the sink or on its way there.
    pub(super) fn is_complete(&self) -> bool {
        self.end.is_some_and(|sum| self.blocks.has_all_before(sum.len))
    }

    /// Whether all of it was taken by [`next_bytes`](Self::next_bytes).
    pub(super) fn is_handed_out(&self) -> bool {
        self.end.is_some_and(|sum| sum.len == self.blocks.next_offset())
    }

    /// Whether all of it is in the sink.
    pub(super) fn is_drained(&self) -> bool {
        self.end.is_some_and(|sum| sum.len == self.written())
    }

    /// The digest of what is in the sink.
    pub(super) fn digest(&self) -> LaneDigest {
        self.digest.clone()
    }

    /// Length and SHA-1 of what is in the sink.
    pub(super) fn sum(&self) -> LaneSum {
        self.committed.unwrap_or_else(|| LaneSum { lane: self.lane, len: self.written(), sum: self.digest.sum() })
    }

    /// What is wrong with the digest of a drained lane, if it is.
    pub(super) fn wrong_digest(&self) -> Option<Failure> {
        let (end, ours) = (self.end?, self.digest.sum());
        (end.sum != ours).then(|| {
            let (lane, theirs, len) = (end.lane, end.sum, end.len);
            let reason = format!("{lane}: SHA-1 is {ours}, the sender's is {theirs} ({len} bytes on both sides)");
            Failure::new(Cause::Integrity, Party::Receiver, reason)
        })
    }

    fn written(&self) -> u64 {
        self.committed.map_or(self.digest.len(), |sum| sum.len)
    }
}
