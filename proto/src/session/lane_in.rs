//! One lane of the receiving half.

use bytes::Bytes;

use super::Violation;
use crate::failure::{Cause, Failure, Party};
use crate::lane::{Block, LaneDigest, LaneId, Reassembler};
use crate::wire::{Ack, LaneSum, Resume};

/// What has arrived of a lane, what is in the sink, and what the sender knows of it.
#[derive(Debug)]
pub(super) struct LaneIn {
    lane: LaneId,
    blocks: Reassembler,
    /// The digest of what is in the sink.
    digest: LaneDigest,
    durable: u64,
    /// What was last told to the sender: written, durable.
    told: (u64, u64),
    /// What the sender says the whole lane is, once it has.
    end: Option<LaneSum>,
    /// Whether the sink has closed the lane.
    finished: bool,
}

impl LaneIn {
    pub(super) fn new(lane: LaneId, share: usize) -> LaneIn {
        let (blocks, digest) = (Reassembler::new(0, share), LaneDigest::default());
        LaneIn { lane, blocks, digest, durable: 0, told: (0, 0), end: None, finished: false }
    }

    /// Where a new link goes on. What is durable is told again on it.
    pub(super) fn resume(&mut self) -> Resume {
        self.told = (self.written(), 0);
        Resume { offset: self.written(), sum: self.digest.sum() }
    }

    pub(super) fn arrived(&mut self, block: Block) -> Result<(), Violation> {
        let (lane, received) = (self.lane, block.end());
        if let Some(sum) = self.end.filter(|sum| received > sum.len) {
            return Err(Violation::PastEnd { lane, end: sum.len, received });
        }
        self.blocks.insert(block).map_err(|error| Violation::Overrun { lane, error })
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
        let received = self.blocks.next_offset() + self.blocks.held() as u64;
        if received > sum.len {
            return Err(Violation::PastEnd { lane: self.lane, end: sum.len, received });
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

    /// Whether all of it is in the sink.
    pub(super) fn is_drained(&self) -> bool {
        self.end.is_some_and(|sum| sum.len == self.written())
    }

    /// Length and SHA-1 of what is in the sink.
    pub(super) fn sum(&self) -> LaneSum {
        LaneSum { lane: self.lane, len: self.written(), sum: self.digest.sum() }
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
        self.digest.len()
    }
}
