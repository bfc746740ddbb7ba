//! The sending half.

mod carried;
mod links;
mod several;

pub use links::{LinkId, SILENCE, Sign, Vitality};

use std::time::Duration;

use bytes::Bytes;

use self::carried::Carried;
use self::links::Links;
use super::voice::{Line, Voice};
use super::{Limits, Violation, heard, rewind_failure, share};
use crate::failure::{Cause, Failure, Party};
use crate::lane::{Block, LaneDigest, LaneId, Window};
use crate::quantity::Rate;
use crate::wire::{Ack, Hello, LaneSum, Message, Purpose, Receipt, SessionId, Waiting, Welcome};

/// What a sender proposes.
#[derive(Clone, Debug)]
pub struct SenderConfig {
    /// The session's name.
    pub session: SessionId,
    /// To move a backup, or only to see whether one could be moved.
    pub purpose: Purpose,
    /// How many lanes the source has.
    pub lanes: u16,
    /// The session's window in bytes, as set here; the receiver may have a smaller one.
    pub window: u64,
    /// How long to try to come back after the link is lost.
    pub retry_for: Duration,
    /// Expected bytes of all lanes together, if known.
    pub size: Option<u64>,
}

/// How a session ended for its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver would take a backup.
    Checked(Welcome),
    /// The receiver has committed exactly what was sent.
    Confirmed(Receipt),
    /// It failed, here or there.
    Failed(Failure),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Down,
    /// Hello is on its way.
    Greeting,
    Up,
}

#[derive(Debug)]
struct Lane {
    window: Window,
    carried: Carried,
    /// Set at EOF of the source; nothing is pushed after it.
    sum: Option<LaneSum>,
    end: EndSaid,
}

/// Whether the lane's `LaneEnd` was written to a link: from then on the receiver may commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EndSaid {
    Never,
    /// Only on a link that was lost, so it is said again.
    Before,
    OnThisLink,
}

/// The sender's half of a session: windows, acknowledgements, and what to say next.
#[derive(Debug)]
pub struct Sender {
    config: SenderConfig,
    link: Link,
    /// The main one and those that have joined it.
    links: Links,
    /// Empty until the first `Welcome`.
    lanes: Vec<Lane>,
    target: Option<Welcome>,
    /// How many links have come so far that the receiver has welcomed.
    welcomes: u64,
    signs_of_life: u64,
    /// The lane that is asked first for the next block.
    turn: usize,
    source_succeeded: bool,
    voice: Voice,
    outcome: Option<Outcome>,
}

impl Sender {
    /// A session that has no link yet.
    pub fn new(config: SenderConfig) -> Sender {
        Sender {
            config,
            link: Link::Down,
            links: Links::default(),
            lanes: Vec::new(),
            target: None,
            welcomes: 0,
            signs_of_life: 0,
            turn: 0,
            source_succeeded: false,
            voice: Voice::of(Party::Sender),
            outcome: None,
        }
    }

    /// A link is authenticated: greets the receiver on it.
    pub fn link_up(&mut self) {
        let purpose = if self.welcomes > 0 { Purpose::Resume } else { self.config.purpose };
        self.link = Link::Greeting;
        self.links.clear();
        self.voice.begin();
        self.voice.say(Message::Hello(self.hello(purpose)));
        self.voice.say_limit();
        if let Some(Outcome::Failed(failure)) = &self.outcome {
            self.voice.say(Message::Abort(failure.clone()));
        }
    }

    fn hello(&self, purpose: Purpose) -> Hello {
        let SenderConfig { session, purpose: _, lanes, window, retry_for, size } = self.config;
        Hello { session, purpose, lanes, window, retry_for, size }
    }

    /// The link is lost, and with it those that have joined it. What was not acknowledged is kept.
    pub fn link_down(&mut self) {
        self.link = Link::Down;
        self.links.clear();
        self.voice.fall_silent();
        for lane in self.lanes.iter_mut().filter(|lane| lane.end == EndSaid::OnThisLink) {
            lane.end = EndSaid::Before;
        }
    }

    /// Takes in what the receiver said.
    ///
    /// # Errors
    /// [`Violation`] when it makes no sense; the link is to be closed then and the session fails.
    pub fn handle(&mut self, message: Message) -> Result<(), Violation> {
        self.signs_of_life += 1;
        match message {
            Message::Welcome(welcome) if self.link == Link::Greeting => self.welcomed(welcome),
            Message::Ack(ack) if self.link == Link::Up => self.acknowledged(ack),
            Message::Receipt(receipt) if self.link == Link::Up && self.may_be_committed() => {
                self.received(receipt);
                Ok(())
            }
            Message::Abort(failure) => {
                if self.outcome.is_none() {
                    self.voice.peer_has_last_word();
                    self.end(Outcome::Failed(self.judged(heard(failure))));
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

    /// Takes the next bytes of a lane; `digest` is the lane's after them.
    ///
    /// # Panics
    /// When they do not fit, see [`room`](Self::room): a defect of the caller.
    pub fn push(&mut self, lane: LaneId, bytes: Bytes, digest: LaneDigest) {
        self.lanes[usize::from(lane.0)].window.push(bytes, digest);
    }

    /// The source of a lane is at its end. Whether that is a good end the source's verdict says.
    pub fn end_of_lane(&mut self, lane: LaneId) {
        let state = &mut self.lanes[usize::from(lane.0)];
        let end = state.window.end();
        state.sum = Some(LaneSum { lane, len: end.len(), sum: end.sum() });
    }

    /// The source has ended well: the lanes' ends may be told now, and the receiver may commit.
    pub fn source_succeeded(&mut self) {
        self.source_succeeded = true;
    }

    /// What this side is waiting for: told to the receiver when it changes.
    pub fn waits_for(&mut self, waiting: Waiting) {
        self.voice.waits_for(waiting, if self.link == Link::Up { Line::Open } else { Line::Closed });
    }

    /// Takes note of the rate that this side allows, in place of the one before; the receiver is told.
    pub fn allow(&mut self, rate: Option<Rate>) {
        let open = self.link != Link::Down && self.outcome.is_none();
        self.voice.allows(rate, if open { Line::Open } else { Line::Closed });
    }

    /// Says that this side is alive. Not before the receiver's welcome: until then it is busy enough.
    pub fn beat(&mut self) {
        if self.link == Link::Up && self.outcome.is_none() {
            self.voice.beat();
        }
    }

    /// Something failed on this side. The first failure is told to the receiver and stays. A receiver
    /// that has heard everything may have committed all the same, and the failure says so.
    pub fn fail(&mut self, mut failure: Failure) {
        if self.may_be_committed() && self.outcome.is_none() {
            failure.reason.push_str("; everything had been sent, so the copy may exist: look at the receiver");
        }
        self.give_up(failure);
    }

    /// Ends the session with a failure, and tells the receiver.
    fn give_up(&mut self, failure: Failure) {
        if self.outcome.is_none() && self.link != Link::Down {
            self.voice.say(Message::Abort(failure.clone()));
        }
        self.end(Outcome::Failed(failure));
    }

    /// The link is lost for good. If the receiver may have committed, that is not "failed".
    pub fn peer_lost(&mut self, reason: &str) {
        let failure = Failure::new(Cause::PeerLost, Party::Sender, reason);
        self.end(Outcome::Failed(self.judged(failure)));
    }

    /// The next control message to write, if there is one.
    pub fn next_message(&mut self) -> Option<Message> {
        if let Some(message) = self.voice.next() {
            return Some(message);
        }
        if self.link != Link::Up || !self.source_succeeded || self.outcome.is_some() {
            return None;
        }
        let lane = self.lanes.iter_mut().find(|lane| lane.end != EndSaid::OnThisLink && !lane.window.has_unsent())?;
        let sum = lane.sum?;
        lane.end = EndSaid::OnThisLink;
        Some(Message::LaneEnd(sum))
    }

    /// The next block to send, older ones first; the lanes take turns.
    pub fn next_block(&mut self) -> Option<Block> {
        if self.link != Link::Up || self.outcome.is_some() {
            return None;
        }
        let lanes = self.lanes.len();
        let index = (self.turn..self.turn + lanes).map(|i| i % lanes).find(|i| self.lanes[*i].window.has_unsent())?;
        self.turn = (index + 1) % lanes;
        self.lanes[index].window.next_block()
    }

    /// How many bytes of `lane` may be pushed; 0 before the receiver's welcome.
    pub fn room(&self, lane: LaneId) -> usize {
        self.lanes.get(usize::from(lane.0)).map_or(0, |lane| lane.window.room())
    }

    /// Whether blocks of `lane` still wait to be sent.
    pub fn has_unsent(&self, lane: LaneId) -> bool {
        self.lanes.get(usize::from(lane.0)).is_some_and(|lane| lane.window.has_unsent())
    }

    /// What the receiver said when it took the session, once it has.
    pub fn target(&self) -> Option<&Welcome> {
        self.target.as_ref()
    }

    /// What the receiver is waiting for, as it said last.
    pub fn peer_waits_for(&self) -> Waiting {
        self.voice.peer_waits_for()
    }

    /// The rates that both sides allow. The receiver's is known before it welcomes a link.
    pub fn limits(&self) -> Limits {
        self.voice.limits()
    }

    /// Length and SHA-1 of the lanes that have ended, in order.
    pub fn sums(&self) -> Vec<LaneSum> {
        self.lanes.iter().filter_map(|lane| lane.sum).collect()
    }

    /// Bytes the receiver has written, over all lanes.
    pub fn written(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.window.written()).sum()
    }

    /// Who has said the last word of a session that is over; the other one closes the link.
    pub(super) fn last_word(&self) -> Party {
        self.voice.last_word()
    }

    /// How it ended, once it has.
    pub fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// How long to try to come back after a link is lost.
    pub fn retry_for(&self) -> Duration {
        self.config.retry_for
    }

    /// How many links the receiver has welcomed so far.
    pub fn welcomes(&self) -> u64 {
        self.welcomes
    }

    /// How often something has come from the receiver.
    pub fn signs_of_life(&self) -> u64 {
        self.signs_of_life
    }

    /// How often what had been handed out was taken back, to be handed out again on a new link. A block
    /// that was handed out before that need not be written any more.
    pub fn rewinds(&self) -> u64 {
        self.welcomes
    }

    /// Whether the receiver has welcomed the present link.
    pub fn is_linked(&self) -> bool {
        self.link == Link::Up
    }

    /// Bytes taken from the source and not acknowledged, and how many may be, over all lanes.
    pub fn window(&self) -> (u64, u64) {
        let held: usize = self.lanes.iter().map(|lane| lane.window.unacknowledged()).sum();
        (held as u64, self.target.as_ref().map_or(self.config.window, |welcome| welcome.window.min(self.config.window)))
    }

    /// The name of the session.
    pub fn session(&self) -> SessionId {
        self.config.session
    }

    fn welcomed(&mut self, welcome: Welcome) -> Result<(), Violation> {
        let lanes = usize::from(self.config.lanes);
        if welcome.lanes.len() != lanes {
            return Err(Violation::Lanes { welcomed: welcome.lanes.len(), lanes });
        }
        if self.config.purpose == Purpose::Check {
            self.voice.peer_has_last_word();
            self.end(Outcome::Checked(welcome));
            return Ok(());
        }
        if self.lanes.is_empty() {
            let share = share(welcome.window.min(self.config.window), lanes)?;
            let window = |lane| Window::new(LaneId(lane), share);
            self.lanes = (0..self.config.lanes)
                .map(|lane| Lane { window: window(lane), carried: Carried::default(), sum: None, end: EndSaid::Never })
                .collect();
        }
        for (index, (lane, resume)) in self.lanes.iter_mut().zip(&welcome.lanes).enumerate() {
            lane.carried = Carried::default();
            if let Err(error) = lane.window.rewind(resume.offset, resume.sum) {
                let failure = self.judged(rewind_failure(LaneId(index as u16), &error));
                self.give_up(failure);
                return Ok(());
            }
        }
        self.link = Link::Up;
        self.links.comes(LinkId::MAIN);
        self.welcomes += 1;
        self.target = Some(welcome);
        Ok(())
    }

    fn acknowledged(&mut self, ack: Ack) -> Result<(), Violation> {
        let lanes = self.lanes.len();
        let lane = ack.lane;
        let state = self.lanes.get_mut(usize::from(lane.0)).ok_or(Violation::UnknownLane { lane, lanes })?;
        let acknowledged = state.window.acknowledge(ack.written, ack.durable);
        acknowledged.map_err(|error| Violation::Acknowledged { lane, error })?;
        state.carried.written(state.window.written());
        self.hedge();
        Ok(())
    }

    /// Whether the receiver may have heard all it needs in order to commit.
    fn may_be_committed(&self) -> bool {
        !self.lanes.is_empty() && self.lanes.iter().all(|lane| lane.end != EndSaid::Never)
    }

    /// A receiver that is lost, or has lost its memory, may have committed before.
    fn judged(&self, failure: Failure) -> Failure {
        if failure.cause != Cause::PeerLost || !self.may_be_committed() {
            return failure;
        }
        let reason =
            format!("everything was sent, but the receipt never came: {}; look at the receiver", failure.reason);
        Failure { cause: Cause::Unconfirmed, reason, ..failure }
    }

    fn received(&mut self, receipt: Receipt) {
        let ours = self.sums();
        if receipt.lanes == ours {
            self.voice.say(Message::Seen);
            self.end(Outcome::Confirmed(receipt));
            return;
        }
        let differ = ours.iter().zip(&receipt.lanes).find(|(ours, theirs)| ours != theirs);
        let reason = match differ {
            Some((ours, theirs)) => format!(
                "{}: the receipt says {} bytes with SHA-1 {}, sent were {} bytes with {}",
                ours.lane, theirs.len, theirs.sum, ours.len, ours.sum
            ),
            None => format!("the receipt speaks of {} lanes, sent were {}", receipt.lanes.len(), ours.len()),
        };
        self.fail(Failure::new(Cause::Integrity, Party::Sender, reason));
    }

    fn end(&mut self, outcome: Outcome) {
        self.outcome.get_or_insert(outcome);
    }
}
