//! The receiving half.

mod admission;
mod look;

pub use admission::LinkRefused;

use super::lane_in::{Coming, LaneIn};
use super::voice::{Line, Voice};
use super::{Violation, heard};
use crate::backup::BackupFacts;
use crate::failure::{Cause, Failure, Party};
use crate::lane::{Block, LaneDigest, LaneId};
use crate::quantity::Rate;
use crate::wire::{Hello, Message, Reached, Receipt, Waiting};

/// What a receiver offers.
#[derive(Clone, Debug)]
pub struct ReceiverConfig {
    /// The session's window in bytes, as set here; the sender may have a smaller one.
    pub window: u64,
    /// What the bytes go into, for a person.
    pub target: String,
    /// Free bytes there, if that means something.
    pub free: Option<u64>,
}

/// How a session ended for its receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Committed, and the sender knows.
    Confirmed(Receipt),
    /// Committed, but the link was lost before the sender said that it knows.
    Unacknowledged(Receipt),
    /// It failed, here or there; nothing is committed.
    Failed(Failure),
    /// It had no living link, and makes room for another one; nothing is committed.
    Replaced,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No session yet.
    Listening,
    /// Bytes are coming.
    Receiving,
    /// Everything is here and agrees; the sink brings it to safety.
    Settling,
    /// The sink gives it its final name: from here on only the sink can make it fail.
    Publishing,
    /// The sink has committed.
    Committed,
}

/// The receiver's half of a session: order, what is written, digests, and what to say next.
#[derive(Debug)]
pub struct Receiver {
    config: ReceiverConfig,
    phase: Phase,
    session: Option<Hello>,
    linked: bool,
    /// The sender is gone for good, but has said all that is needed to commit.
    alone: bool,
    lanes: Vec<LaneIn>,
    voice: Voice,
    /// Messages and blocks that have come, on any link.
    signs_of_life: u64,
    receipt: Option<Receipt>,
    outcome: Option<Outcome>,
}

impl Receiver {
    /// A receiver that no sender has come to yet.
    pub fn new(config: ReceiverConfig) -> Receiver {
        Receiver {
            config,
            phase: Phase::Listening,
            session: None,
            linked: false,
            alone: false,
            lanes: Vec::new(),
            voice: Voice::of(Party::Receiver),
            signs_of_life: 0,
            receipt: None,
            outcome: None,
        }
    }

    /// The link is lost. What is in the sink stays there.
    pub fn link_down(&mut self) {
        self.linked = false;
        self.voice.fall_silent();
    }

    /// Takes in what the sender said.
    ///
    /// # Errors
    /// [`Violation`] when it makes no sense; the link is to be closed then and the session fails.
    pub fn handle(&mut self, message: Message) -> Result<(), Violation> {
        self.signs_of_life += 1;
        match message {
            Message::LaneEnd(sum) if self.linked => self.lane_mut(sum.lane)?.ends(sum),
            Message::Seen if self.phase == Phase::Committed => {
                if let Some(receipt) = self.receipt.clone() {
                    self.voice.peer_has_last_word();
                    self.end(Outcome::Confirmed(receipt));
                }
                Ok(())
            }
            Message::Abort(failure) => {
                if self.is_final() {
                    self.is_left_alone();
                } else if self.outcome.is_none() {
                    self.voice.peer_has_last_word();
                    self.end(Outcome::Failed(heard(failure)));
                }
                Ok(())
            }
            Message::Pulse(pulse) => {
                self.voice.heard(pulse);
                Ok(())
            }
            Message::RateLimit(rate) => {
                self.voice.peer_allows(rate);
                Ok(())
            }
            other => Err(Violation::unexpected(&other)),
        }
    }

    /// A block of `len` bytes begins to arrive: asked before memory is taken for it. Every new one is
    /// followed by [`arrived`](Self::arrived) or [`given_up`](Self::given_up).
    ///
    /// # Errors
    /// [`Violation`] when its lane does not exist, may not reach that far, or has too much under way.
    pub fn begins(&mut self, lane: LaneId, offset: u64, len: usize) -> Result<Coming, Violation> {
        self.signs_of_life += 1;
        self.lane_mut(lane)?.begins(offset, len)
    }

    /// A block that had begun is here.
    ///
    /// # Errors
    /// [`Violation`] when it is not what it should be.
    pub fn arrived(&mut self, block: Block) -> Result<(), Violation> {
        self.lane_mut(block.lane)?.arrived(block)
    }

    /// A block of `len` bytes that had begun will not come: the sender has cancelled it, or its link was lost.
    pub fn given_up(&mut self, lane: LaneId, offset: u64, len: usize) {
        if let Ok(lane) = self.lane_mut(lane) {
            lane.given_up(offset, len);
        }
    }

    /// The lane's next bytes in order, if they have arrived.
    pub fn next_bytes(&mut self, lane: LaneId) -> Option<bytes::Bytes> {
        if self.outcome.is_some() {
            return None;
        }
        self.lanes.get_mut(usize::from(lane.0))?.next_bytes()
    }

    /// What was handed out of `lane` is in the sink; `digest` covers it. Of it, everything before
    /// `durable` is durable: `digest.len()` of this call or of an earlier one, so that it lies where
    /// a block ends.
    pub fn written(&mut self, lane: LaneId, digest: LaneDigest, durable: u64) {
        if let Ok(state) = self.lane_mut(lane) {
            state.wrote(digest, durable);
        }
    }

    /// Whether [`next_bytes`](Self::next_bytes) has given everything of `lane`.
    pub fn is_handed_out(&self, lane: LaneId) -> bool {
        self.lanes.get(usize::from(lane.0)).is_some_and(LaneIn::is_handed_out)
    }

    /// Whether everything of `lane` is in the sink, so that the sink may close it.
    pub fn is_drained(&self, lane: LaneId) -> bool {
        self.lanes.get(usize::from(lane.0)).is_some_and(LaneIn::is_drained)
    }

    /// The sink has closed the lane. When it was the last one, the digests are compared, and either
    /// [`may_settle`](Self::may_settle) turns true or the session fails.
    pub fn finished(&mut self, lane: LaneId) {
        if let Ok(state) = self.lane_mut(lane) {
            state.finish();
        }
        if self.phase != Phase::Receiving || self.outcome.is_some() || !self.lanes.iter().all(LaneIn::is_finished) {
            return;
        }
        match self.lanes.iter().find_map(LaneIn::wrong_digest) {
            Some(failure) => self.fail(failure),
            None => self.phase = Phase::Settling,
        }
    }

    /// Whether everything is here and agrees: the sink is to bring it to safety.
    pub fn may_settle(&self) -> bool {
        self.phase == Phase::Settling && self.outcome.is_none()
    }

    /// Everything is safe. Whether the sink may give it its final name; if so, nothing that the
    /// sender or a signal says changes that any more.
    pub fn may_publish(&mut self) -> bool {
        if self.may_settle() {
            self.phase = Phase::Publishing;
        }
        self.phase == Phase::Publishing
    }

    /// The sink could not give it its final name, and has undone what it had done.
    pub fn publishing_failed(&mut self, failure: Failure) {
        self.phase = Phase::Settling;
        self.fail(failure);
    }

    /// The sink has committed: the receipt goes out, with how many files were unpacked and what they say of the backup,
    /// where that is known. From here on nothing makes it undone.
    pub fn committed(&mut self, reached: Reached, files: Option<u64>, facts: BackupFacts) {
        self.phase = Phase::Committed;
        let receipt = Receipt { reached, lanes: self.sums(), files, facts };
        if self.linked {
            self.voice.say(Message::Receipt(receipt.clone()));
        }
        if self.alone {
            self.end(Outcome::Unacknowledged(receipt.clone()));
        }
        self.receipt = Some(receipt);
    }

    /// What this side is waiting for: told to the sender when it changes, and with every sign of life.
    pub fn waits_for(&mut self, waiting: Waiting) {
        // The end is for the sink alone, whatever the meters say.
        let settling = self.phase != Phase::Receiving && waiting != Waiting::Syncing;
        if !settling {
            self.voice.waits_for(waiting, if self.linked { Line::Open } else { Line::Closed });
        }
    }

    /// Takes note of the rate that this side allows, in place of the one before; the sender is told.
    pub fn allow(&mut self, rate: Option<Rate>) {
        let open = self.linked && self.outcome.is_none();
        self.voice.allows(rate, if open { Line::Open } else { Line::Closed });
    }

    /// Says that this side is alive.
    pub fn beat(&mut self) {
        if self.linked && self.outcome.is_none() {
            self.voice.beat();
        }
    }

    /// Something failed on this side, or it was told to stop. The first failure is told to the sender
    /// and stays. What is being given its final name does not fail any more, and what has it is only not
    /// waited for any longer.
    pub fn fail(&mut self, failure: Failure) {
        if self.is_final() {
            return self.is_left_alone();
        }
        if self.outcome.is_none() && self.linked {
            self.voice.say(Message::Abort(failure.clone()));
        }
        self.end(Outcome::Failed(failure));
    }

    /// The link is lost for good. A sender whose every byte is here, and that has said the ends of all
    /// its lanes, is not needed any more.
    pub fn peer_lost(&mut self, reason: &str) {
        match self.has_everything() {
            true => self.is_left_alone(),
            false => self.end(Outcome::Failed(Failure::new(Cause::PeerLost, Party::Receiver, reason))),
        }
    }

    /// Nobody waits for the receipt any more: the session ends as soon as it is committed.
    fn is_left_alone(&mut self) {
        self.alone = true;
        if let Some(receipt) = self.receipt.clone() {
            self.end(Outcome::Unacknowledged(receipt));
        }
    }

    /// Whether every byte is here, and the sender has said the ends of all its lanes: it is not needed
    /// for a commit.
    fn has_everything(&self) -> bool {
        match self.phase {
            Phase::Listening => false,
            Phase::Receiving => self.lanes.iter().all(LaneIn::is_complete),
            Phase::Settling | Phase::Publishing | Phase::Committed => true,
        }
    }

    /// The next control message to write, if there is one.
    pub fn next_message(&mut self) -> Option<Message> {
        if let Some(message) = self.voice.next() {
            return Some(message);
        }
        if !self.linked || self.outcome.is_some() {
            return None;
        }
        self.lanes.iter_mut().find_map(LaneIn::ack).map(Message::Ack)
    }

    /// Whether the session may make room for another: nobody is linked to it, it has not failed, and it
    /// cannot be committed without its sender.
    pub fn may_be_replaced(&self) -> bool {
        !self.linked && self.outcome.is_none() && !self.has_everything()
    }

    /// Makes room for another session, if it may.
    pub fn replace(&mut self) {
        if self.may_be_replaced() {
            self.end(Outcome::Replaced);
        }
    }

    /// Takes note of how much is free now where the bytes would go.
    pub fn offer(&mut self, free: Option<u64>) {
        self.config.free = free;
    }

    /// Who has said the last word of a session that is over; the other one closes the link.
    pub(super) fn last_word(&self) -> Party {
        self.voice.last_word()
    }

    /// How it ended, once it has.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// Whether it is too late to fail.
    fn is_final(&self) -> bool {
        matches!(self.phase, Phase::Publishing | Phase::Committed)
    }

    fn lane_mut(&mut self, lane: LaneId) -> Result<&mut LaneIn, Violation> {
        let lanes = self.lanes.len();
        self.lanes.get_mut(usize::from(lane.0)).ok_or(Violation::UnknownLane { lane, lanes })
    }

    fn end(&mut self, outcome: Outcome) {
        self.outcome.get_or_insert(outcome);
    }
}
