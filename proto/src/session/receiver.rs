//! The receiving half.

use std::time::Duration;

use super::lane_in::LaneIn;
use super::voice::Voice;
use super::{Violation, heard, share};
use crate::failure::{Cause, Failure, Party};
use crate::lane::{Block, LaneDigest, LaneId};
use crate::wire::{Hello, LaneSum, Message, Purpose, Reached, Receipt, Resume, SessionId, Waiting, Welcome};

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
            receipt: None,
            outcome: None,
        }
    }

    /// A receiver that goes on with a session after its process was restarted: `hello` is what
    /// [`hello`](Self::hello) was then, and `lanes` are the digests of what is durable. The window is that of
    /// the session, whatever is set here now: its sender goes on as it began.
    ///
    /// # Errors
    /// [`Violation`] when there never was such a session.
    pub fn recalled(config: ReceiverConfig, hello: Hello, lanes: Vec<LaneDigest>) -> Result<Receiver, Violation> {
        let mut receiver = Receiver::going_on(config, hello)?;
        for (lane, digest) in receiver.lanes.iter_mut().zip(lanes) {
            lane.recall(digest);
        }
        Ok(receiver)
    }

    /// A receiver whose process was restarted after it had committed the session `hello`: it is there
    /// only to repeat the receipt.
    ///
    /// # Errors
    /// [`Violation`] when there never was such a session.
    pub fn recalled_committed(config: ReceiverConfig, hello: Hello, receipt: Receipt) -> Result<Receiver, Violation> {
        let mut receiver = Receiver::going_on(config, hello)?;
        for (lane, sum) in receiver.lanes.iter_mut().zip(&receipt.lanes) {
            lane.recall_whole(*sum);
        }
        receiver.phase = Phase::Committed;
        receiver.receipt = Some(receipt);
        Ok(receiver)
    }

    /// Answers a `Hello` on a fresh link that only wants to know: the session is not touched.
    ///
    /// # Errors
    /// [`LinkRefused`] when a session with this proposal would be refused now.
    pub fn check(&self, hello: &Hello) -> Result<Welcome, LinkRefused> {
        if let Some(running) = &self.session {
            return Err(LinkRefused::Busy { running: running.session });
        }
        self.would_take(hello)?;
        let fresh = Resume { offset: 0, sum: LaneDigest::default().sum() };
        Ok(self.welcome(hello, vec![fresh; hello.lanes.into()]))
    }

    /// Whether a session with this proposal could be served, if no other were.
    ///
    /// # Errors
    /// [`Violation`] says what is wrong with it.
    pub fn would_take(&self, hello: &Hello) -> Result<(), Violation> {
        share(hello.window.min(self.config.window), hello.lanes.into()).map(|_| ())
    }

    /// A link is authenticated and its sender has greeted. The session begins, or goes on. A sender
    /// that comes again has given up its old link, and so does this side.
    ///
    /// # Errors
    /// [`LinkRefused`] says why the session cannot be served; what runs is not touched then.
    pub fn link_up(&mut self, hello: Hello) -> Result<(), LinkRefused> {
        match &self.session {
            Some(running) if running.session == hello.session && running.lanes == hello.lanes => {}
            _ if hello.purpose == Purpose::Resume => return Err(LinkRefused::StateLost),
            Some(running) => return Err(LinkRefused::Busy { running: running.session }),
            None => self.begin(hello.clone())?,
        }
        self.linked = true;
        let lanes = self.lanes.iter_mut().map(LaneIn::resume).collect();
        let welcome = self.welcome(&hello, lanes);
        self.voice.begin(Message::Welcome(welcome));
        if let Some(receipt) = self.receipt.clone() {
            self.voice.say(Message::Receipt(receipt));
        }
        if let Some(Outcome::Failed(failure)) = &self.outcome {
            self.voice.say(Message::Abort(failure.clone()));
        }
        Ok(())
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
                if !self.is_final() && self.outcome.is_none() {
                    self.voice.peer_has_last_word();
                    self.end(Outcome::Failed(heard(failure)));
                }
                Ok(())
            }
            Message::Pulse(pulse) => {
                self.voice.heard(pulse);
                Ok(())
            }
            other => Err(Violation::unexpected(&other)),
        }
    }

    /// A block of `len` bytes begins to arrive: asked before memory is taken for it. Every one is
    /// followed by [`arrived`](Self::arrived) or [`given_up`](Self::given_up).
    ///
    /// # Errors
    /// [`Violation`] when its lane does not exist, may not reach that far, or has too much under way.
    pub fn begins(&mut self, lane: LaneId, offset: u64, len: usize) -> Result<(), Violation> {
        self.lane_mut(lane)?.begins(offset, len)
    }

    /// A block that had begun is here.
    ///
    /// # Errors
    /// [`Violation`] when it is not what it should be.
    pub fn arrived(&mut self, block: Block) -> Result<(), Violation> {
        let lane = self.lane_mut(block.lane)?;
        lane.ends_way(block.bytes.len());
        lane.arrived(block)
    }

    /// A block of `len` bytes that had begun will not come: the sender has cancelled it.
    pub fn given_up(&mut self, lane: LaneId, len: usize) {
        if let Ok(lane) = self.lane_mut(lane) {
            lane.ends_way(len);
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

    /// The sink has committed: the receipt goes out. From here on nothing makes it undone.
    pub fn committed(&mut self, reached: Reached, files: Option<u64>) {
        self.phase = Phase::Committed;
        let receipt = Receipt { reached, lanes: self.sums(), files };
        if self.linked {
            self.voice.say(Message::Receipt(receipt.clone()));
        }
        if self.alone {
            self.end(Outcome::Unacknowledged(receipt.clone()));
        }
        self.receipt = Some(receipt);
    }

    /// What this side is waiting for: told to the sender when it changes.
    pub fn waits_for(&mut self, waiting: Waiting) {
        // The end is for the sink alone, whatever the meters say.
        let settling = self.phase != Phase::Receiving && waiting != Waiting::Syncing;
        if self.linked && !settling {
            self.voice.waits_for(waiting);
        }
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
        if let Some(receipt) = self.receipt.clone() {
            return self.end(Outcome::Unacknowledged(receipt));
        }
        if self.is_final() {
            return;
        }
        if self.outcome.is_none() && self.linked {
            self.voice.say(Message::Abort(failure.clone()));
        }
        self.end(Outcome::Failed(failure));
    }

    /// The link is lost for good. A sender whose every byte is here, and that has said the ends of all
    /// its lanes, is not needed any more.
    pub fn peer_lost(&mut self, reason: &str) {
        match (self.phase, self.receipt.clone()) {
            (_, Some(receipt)) => self.end(Outcome::Unacknowledged(receipt)),
            (Phase::Settling | Phase::Publishing, None) => self.alone = true,
            (Phase::Receiving, None) if self.lanes.iter().all(LaneIn::is_complete) => self.alone = true,
            _ => self.end(Outcome::Failed(Failure::new(Cause::PeerLost, Party::Receiver, reason))),
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

    /// Whether the session may make room for another: nobody is linked to it, it has not failed, and
    /// nothing of it has its final name or is about to.
    pub fn may_be_replaced(&self) -> bool {
        !self.linked && !self.is_final() && !self.alone && self.outcome.is_none()
    }

    /// Makes room for another session, if it may.
    pub fn replace(&mut self) {
        if self.may_be_replaced() {
            self.end(Outcome::Replaced);
        }
    }

    /// Bytes received and not yet in the sink, and how many may be, over all lanes.
    pub fn window(&self) -> (u64, u64) {
        let held: usize = self.lanes.iter().map(LaneIn::held).sum();
        let theirs = self.session.as_ref().map_or(u64::MAX, |hello| hello.window);
        (held as u64, self.config.window.min(theirs))
    }

    /// Whether there is a link to the sender.
    pub fn is_linked(&self) -> bool {
        self.linked
    }

    /// How often the sender has said that it is alive.
    pub fn beats_heard(&self) -> u64 {
        self.voice.beats_heard()
    }

    /// The running session's name, once there is one.
    pub fn session(&self) -> Option<SessionId> {
        self.session.as_ref().map(|hello| hello.session)
    }

    /// What the running session's sender has proposed, with the window that both keep to, once there is one.
    pub fn hello(&self) -> Option<&Hello> {
        self.session.as_ref()
    }

    /// The digest of what is in the sink of `lane`: where a drain goes on. Empty for a lane there is not.
    pub fn digest(&self, lane: LaneId) -> LaneDigest {
        self.lanes.get(usize::from(lane.0)).map(LaneIn::digest).unwrap_or_default()
    }

    /// How many lanes the session has; 0 before it begins.
    pub fn lanes(&self) -> u16 {
        self.lanes.len() as u16
    }

    /// How many bytes the sender expects to send, if it knows.
    pub fn size(&self) -> Option<u64> {
        self.session.as_ref().and_then(|hello| hello.size)
    }

    /// How long the sender tries to come back after the link is lost.
    pub fn retry_for(&self) -> Duration {
        self.session.as_ref().map_or(Duration::ZERO, |hello| hello.retry_for)
    }

    /// What the sender is waiting for, as it said last.
    pub fn peer_waits_for(&self) -> Waiting {
        self.voice.peer_waits_for()
    }

    /// Length and SHA-1 of what is in the sink, in order of the lanes.
    pub fn sums(&self) -> Vec<LaneSum> {
        self.lanes.iter().map(LaneIn::sum).collect()
    }

    /// The receipt, once the sink has committed.
    pub fn receipt(&self) -> Option<&Receipt> {
        self.receipt.as_ref()
    }

    /// Whether a session has begun, so that no other is served.
    pub fn is_busy(&self) -> bool {
        self.session.is_some()
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

    fn going_on(config: ReceiverConfig, hello: Hello) -> Result<Receiver, Violation> {
        let window = config.window.max(hello.window);
        let mut receiver = Receiver::new(ReceiverConfig { window, ..config });
        receiver.begin(hello)?;
        Ok(receiver)
    }

    fn begin(&mut self, hello: Hello) -> Result<(), Violation> {
        let window = hello.window.min(self.config.window);
        let share = share(window, hello.lanes.into())?;
        self.lanes = (0..hello.lanes).map(|lane| LaneIn::new(LaneId(lane), share)).collect();
        self.session = Some(Hello { window, ..hello });
        self.phase = Phase::Receiving;
        Ok(())
    }

    fn welcome(&self, hello: &Hello, lanes: Vec<Resume>) -> Welcome {
        Welcome {
            window: self.config.window.min(hello.window),
            lanes,
            target: self.config.target.clone(),
            free: self.config.free,
        }
    }

    fn lane_mut(&mut self, lane: LaneId) -> Result<&mut LaneIn, Violation> {
        let lanes = self.lanes.len();
        self.lanes.get_mut(usize::from(lane.0)).ok_or(Violation::UnknownLane { lane, lanes })
    }

    fn end(&mut self, outcome: Outcome) {
        self.outcome.get_or_insert(outcome);
    }
}

/// Why a fresh link cannot serve this receiver.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkRefused {
    /// Another session is running.
    #[error("busy: session {running} is running")]
    Busy {
        /// The session that runs.
        running: SessionId,
    },
    /// The session that is to go on is not known here.
    #[error(
        "state lost: this receiver knows nothing of the session; it was restarted, or another session has taken its place"
    )]
    StateLost,
    /// The proposal makes no sense.
    #[error(transparent)]
    Violation(#[from] Violation),
}
