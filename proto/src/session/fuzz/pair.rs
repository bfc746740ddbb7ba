//! Both halves of a session, and everything that is under way between them.

use std::collections::VecDeque;
use std::time::Duration;

use super::model::Model;
use super::script::Cast;
use crate::failure::{Cause, Failure, Party};
use crate::lane::{Block, LaneId, MIN_SHARE};
use crate::quantity::Rate;
use crate::session::{Coming, LinkId, SILENCE, Sign};
use crate::session::{LinkRefused, Receiver, ReceiverConfig, Sender, SenderConfig, Sent, Violation};
use crate::wire::{Hello, LaneSum, Message, Purpose, SessionId, Waiting};

pub(super) struct Pair {
    pub(super) cast: Cast,
    pub(super) sender: Sender,
    pub(super) receiver: Receiver,
    pub(super) lanes: Vec<Model>,
    /// Whether this half believes in the present link.
    pub(super) sender_is_up: bool,
    pub(super) receiver_is_up: bool,
    pub(super) to_sender: VecDeque<Message>,
    pub(super) to_receiver: VecDeque<Message>,
    /// What was said last, on any link.
    pub(super) last_to_sender: Option<Message>,
    pub(super) last_to_receiver: Option<Message>,
    /// What has begun to arrive, and over which link.
    pub(super) blocks: Vec<(LinkId, Block)>,
    /// What has come over the present link.
    pub(super) arrived: Vec<Block>,
    /// Whether the sink gives the copy its final name just now.
    pub(super) is_publishing: bool,
    /// What has its final name.
    pub(super) committed: Option<Vec<LaneSum>>,
    pub(super) happened: Happened,
    /// How it has ended for the sender.
    pub(super) verdict: Option<Sent>,
}

/// What excuses a session that does not end well.
#[derive(Default)]
pub(super) struct Happened {
    pub(super) lies: bool,
    pub(super) lies_to_sender: bool,
    pub(super) lies_to_receiver: bool,
    /// A half has failed or was given up, or the receiver has lost what it had said to be durable.
    pub(super) misfortune: bool,
    /// The receiver's disk has changed what it had.
    pub(super) garbled: bool,
}

/// How many links there may be.
const LINKS: u8 = 3;

/// A receiver whose window is `shares` of the smallest ones.
pub(super) fn offer(shares: usize) -> ReceiverConfig {
    ReceiverConfig { window: (shares * MIN_SHARE) as u64, target: "a test".to_owned(), free: None }
}

pub(super) fn hello(session: u8, lanes: u16) -> Hello {
    let window = u64::from(lanes) * (MIN_SHARE + MIN_SHARE / 4) as u64;
    let (session, purpose) = (SessionId([session; 16]), Purpose::Transfer);
    Hello { session, purpose, lanes, window, retry_for: Duration::from_secs(60), size: None }
}

impl Pair {
    pub(super) fn new(cast: Cast, lanes: u16) -> Pair {
        let Hello { session, purpose, lanes, window, retry_for, size } = hello(1, lanes);
        Pair {
            cast,
            sender: Sender::new(SenderConfig { session, purpose, lanes, window, retry_for, size }),
            receiver: Receiver::new(offer(2 * usize::from(lanes))),
            lanes: (0..lanes).map(LaneId).map(Model::new).collect(),
            sender_is_up: false,
            receiver_is_up: false,
            to_sender: VecDeque::new(),
            to_receiver: VecDeque::new(),
            last_to_sender: None,
            last_to_receiver: None,
            blocks: Vec::new(),
            arrived: Vec::new(),
            is_publishing: false,
            committed: None,
            happened: Happened::default(),
            verdict: None,
        }
    }

    /// The lane that an operand means.
    pub(super) fn index(&self, a: u8) -> usize {
        usize::from(a) % self.lanes.len()
    }

    pub(super) fn push(&mut self, a: u8, len: usize) {
        let index = self.index(a);
        let lane = &mut self.lanes[index];
        let len = len.min(self.sender.room(lane.lane));
        if len == 0 || lane.has_ended || self.sender.outcome().is_some() {
            return;
        }
        let bytes = lane.read(len);
        self.sender.push(lane.lane, bytes, lane.pushed.clone());
    }

    /// Blocks that are as small as they can be.
    pub(super) fn push_many(&mut self, a: u8, b: u8) {
        (0..b).for_each(|_| self.push(a, 1));
    }

    /// One lane's source is at its end, or the whole source has ended well.
    pub(super) fn end_source(&mut self, a: u8) {
        let lane = self.index(a / 8);
        match a % 8 {
            0 | 1 if self.sender.welcomes() > 0 => self.end_lane(lane),
            2 if self.lanes.iter().all(|lane| lane.has_ended) => self.sender.source_succeeded(),
            _ => {}
        }
    }

    pub(super) fn end_lane(&mut self, index: usize) {
        let lane = &mut self.lanes[index];
        if !lane.has_ended {
            lane.has_ended = true;
            self.sender.end_of_lane(lane.lane);
        }
    }

    /// A few blocks begin to arrive, over any link there is.
    pub(super) fn send(&mut self, a: u8) {
        let link = self.link_of(a / 32);
        for _ in 0..=a % 32 {
            let again = self.sender_is_up.then(|| self.sender.next_again(link)).flatten();
            let block = again.or_else(|| self.sender_is_up.then(|| self.sender.next_new(link)).flatten());
            let Some(block) = block else { return };
            if !self.receiver_is_up {
                continue;
            }
            match self.receiver.begins(block.lane, block.offset, block.bytes.len()) {
                Ok(Coming::New) => self.blocks.push((link, block)),
                Ok(Coming::Known) => {}
                Ok(Coming::OneTooMany) => return self.lose(link),
                Err(violation) => self.receiver_finds(&violation),
            }
        }
    }

    /// The link that an operand means: the main one, or one that may have joined it.
    fn link_of(&self, a: u8) -> LinkId {
        std::iter::once(LinkId::MAIN).chain(LinkId::joining(LINKS)).nth((a % LINKS).into()).unwrap_or(LinkId::MAIN)
    }

    /// A link joins the main one, if that is there on both sides.
    pub(super) fn join(&mut self, a: u8) {
        let link = self.link_of(a);
        if link == LinkId::MAIN || !self.sender_is_up || !self.receiver_is_up || self.sender.has_link(link) {
            return;
        }
        if self.receiver.admits_joining(&self.sender.join()).is_ok() {
            self.sender.joined(link);
        }
    }

    /// A link other than the main one is lost. The receiver may notice it later.
    pub(super) fn lose_joined(&mut self, a: u8) {
        match self.link_of(a) {
            LinkId::MAIN => {}
            link if a < 128 => self.lose(link),
            link => self.sender.link_lost(link),
        }
    }

    fn lose(&mut self, link: LinkId) {
        if link == LinkId::MAIN {
            return self.both_lose_link();
        }
        self.sender.link_lost(link);
        self.give_up(|over| over == link);
    }

    /// Blocks that had begun to arrive will not.
    fn give_up(&mut self, is_lost: impl Fn(LinkId) -> bool) {
        for (_, block) in self.blocks.extract_if(.., |(link, _)| is_lost(*link)) {
            self.receiver.given_up(block.lane, block.offset, block.bytes.len());
        }
    }

    /// A link falls silent, or moves again.
    pub(super) fn look(&mut self, a: u8) {
        let link = self.link_of(a);
        let sign = |acknowledgements, at| Sign { acknowledgements, at, round_trip: Duration::ZERO };
        self.sender.look_at(link, sign(u64::from(a) + 1, Duration::ZERO));
        if a < 128 {
            self.sender.look_at(link, sign(u64::from(a) + 1, SILENCE));
        }
    }

    /// A few blocks that have begun to arrive are here, in any order.
    pub(super) fn arrive(&mut self, a: u8, b: u8) {
        for _ in 0..=b % 32 {
            if self.blocks.is_empty() {
                return;
            }
            let (_, block) = self.blocks.swap_remove(usize::from(a) % self.blocks.len());
            self.arrived.push(block.clone());
            if let Err(violation) = self.receiver.arrived(block) {
                self.receiver_finds(&violation);
            }
        }
    }

    /// A block comes twice over one link, if there is room for it.
    pub(super) fn repeat(&mut self, a: u8) {
        let Some(block) = self.arrived.get(usize::from(a) % self.arrived.len().max(1)).cloned() else { return };
        if self.receiver.begins(block.lane, block.offset, block.bytes.len()) == Ok(Coming::New)
            && let Err(violation) = self.receiver.arrived(block)
        {
            self.receiver_finds(&violation);
        }
    }

    pub(super) fn sender_speaks(&mut self) {
        while let Some(message) = self.sender_is_up.then(|| self.sender.next_message()).flatten() {
            self.last_to_receiver = Some(message.clone());
            if self.receiver_is_up {
                self.to_receiver.push_back(message);
            }
        }
    }

    pub(super) fn receiver_speaks(&mut self) {
        while let Some(message) = self.receiver_is_up.then(|| self.receiver.next_message()).flatten() {
            self.last_to_sender = Some(message.clone());
            if self.sender_is_up {
                self.to_sender.push_back(message);
            }
        }
    }

    pub(super) fn sender_hears(&mut self) {
        if let Some(message) = self.to_sender.pop_front() {
            self.tell_sender(message);
        }
    }

    pub(super) fn receiver_hears(&mut self) {
        if let Some(message) = self.to_receiver.pop_front() {
            self.tell_receiver(message);
        }
    }

    /// Both say and hear everything that there is.
    pub(super) fn talk(&mut self) {
        loop {
            self.sender_speaks();
            self.receiver_speaks();
            if self.to_sender.is_empty() && self.to_receiver.is_empty() {
                return;
            }
            self.sender_hears();
            self.receiver_hears();
        }
    }

    pub(super) fn tell_sender(&mut self, message: Message) {
        if let Err(violation) = self.sender.handle(message) {
            // One that is over listens to nobody.
            let excused = self.happened.lies || self.sender.outcome().is_some();
            assert!(excused, "the receiver is honest: {violation}");
            self.sender.fail(violation.found_by(Party::Sender));
        }
    }

    pub(super) fn tell_receiver(&mut self, message: Message) {
        if let Err(violation) = self.receiver.handle(message) {
            self.receiver_finds(&violation);
        }
    }

    pub(super) fn receiver_finds(&mut self, violation: &Violation) {
        let excused = self.happened.lies || self.receiver.outcome().is_some();
        assert!(excused, "the sender is honest: {violation}");
        self.receiver.fail(violation.found_by(Party::Receiver));
    }

    /// The link is lost. One half may notice it before the other.
    pub(super) fn cut(&mut self, a: u8) {
        match a % 4 {
            0 => self.sender_loses_link(),
            1 => self.receiver_loses_link(),
            _ => self.both_lose_link(),
        }
    }

    pub(super) fn both_lose_link(&mut self) {
        self.sender_loses_link();
        self.receiver_loses_link();
    }

    pub(super) fn sender_loses_link(&mut self) {
        self.sender_is_up = false;
        self.sender.link_down();
        self.to_sender.clear();
    }

    pub(super) fn receiver_loses_link(&mut self) {
        self.nothing_more_reaches_receiver();
        self.receiver.link_down();
    }

    /// Its link is over, whether it has noticed or not.
    pub(super) fn nothing_more_reaches_receiver(&mut self) {
        self.receiver_is_up = false;
        self.to_receiver.clear();
        self.give_up(|_| true);
        self.arrived.clear();
    }

    /// The sender comes, unless it is content; with one operand its greeting does not get through.
    pub(super) fn come(&mut self, a: u8) {
        if matches!(self.sender.outcome(), Some(Sent::Confirmed(_))) {
            return;
        }
        self.sender_loses_link();
        self.sender.link_up();
        let Some(Message::Hello(hello)) = self.sender.next_message() else { panic!("a link begins with Hello") };
        match a % 8 {
            0 => self.sender.link_down(),
            _ => self.link(hello),
        }
    }

    fn link(&mut self, hello: Hello) {
        self.nothing_more_reaches_receiver();
        match self.receiver.link_up(hello) {
            Ok(()) => (self.sender_is_up, self.receiver_is_up) = (true, true),
            Err(refused) => self.refuse(&refused),
        }
    }

    fn refuse(&mut self, refused: &LinkRefused) {
        assert!(self.happened.misfortune || self.happened.lies, "an honest pair goes on: {refused}");
        let cause = match refused {
            LinkRefused::Busy { .. } | LinkRefused::NoMainLink | LinkRefused::TooManyLinks { .. } => Cause::Refused,
            LinkRefused::StateLost => Cause::PeerLost,
            LinkRefused::Violation(_) => Cause::Integrity,
        };
        self.tell_sender(Message::Abort(Failure::new(cause, Party::Receiver, refused)));
        self.sender.link_down();
    }

    /// One half changes its rate limit. What both have said, both know.
    pub(super) fn allow(&mut self, a: u8, b: u8) {
        let rate = Rate::new(u64::from(b) << 8).ok();
        match a % 2 {
            0 => self.sender.allow(rate),
            _ => self.receiver.allow(rate),
        }
        self.talk();
        let goes_on = self.sender.outcome().is_none() && self.receiver.outcome().is_none();
        if self.sender.is_linked() && self.receiver_is_up && goes_on && !self.happened.lies {
            assert_eq!(self.sender.limits(), self.receiver.limits());
        }
    }

    /// Both say now and then that they are alive, and what they wait for.
    pub(super) fn give_signs(&mut self, a: u8) {
        match a % 4 {
            0 => self.sender.beat(),
            1 => self.receiver.beat(),
            2 => self.sender.waits_for(if a < 128 { Waiting::Source } else { Waiting::Nothing }),
            _ => self.receiver.waits_for(if a < 128 { Waiting::Disk } else { Waiting::Nothing }),
        }
    }
}
