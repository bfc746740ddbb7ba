//! Both halves talking to each other, without a network in between.

mod courses;
mod endings;
mod limits;
mod rules;
mod several;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::backup::BackupFacts;
use crate::lane::{Block, LaneDigest, Sha1Sum};
use crate::wire::{CloseCode, Hello, LaneSum, Purpose, Reached, SessionId};

const LANES: u16 = 2;
const WINDOW: u64 = 4 << 20;

/// Two halves and everything that is under way between them.
struct Pair {
    sender: Sender,
    receiver: Receiver,
    to_receiver: VecDeque<Message>,
    to_sender: VecDeque<Message>,
    blocks: Vec<Block>,
    digests: Vec<LaneDigest>,
    sink: Vec<Vec<u8>>,
    pushed: Vec<Vec<u8>>,
}

impl Pair {
    fn new() -> Pair {
        let config = SenderConfig {
            session: SessionId([1; 16]),
            purpose: Purpose::Transfer,
            lanes: LANES,
            window: WINDOW,
            retry_for: Duration::from_secs(300),
            size: None,
        };
        let offer = ReceiverConfig { window: 2 * WINDOW, target: "a test".into(), free: None };
        Pair {
            sender: Sender::new(config),
            receiver: Receiver::new(offer),
            to_receiver: VecDeque::new(),
            to_sender: VecDeque::new(),
            blocks: Vec::new(),
            digests: vec![LaneDigest::default(); LANES.into()],
            sink: vec![Vec::new(); LANES.into()],
            pushed: vec![Vec::new(); LANES.into()],
        }
    }

    fn linked() -> Pair {
        let mut pair = Pair::new();
        pair.link();
        pair
    }

    fn link(&mut self) {
        self.sender.link_up();
        let Some(Message::Hello(hello)) = self.sender.next_message() else { panic!("a link begins with Hello") };
        self.receiver.link_up(hello).expect("accepted");
        self.talk();
    }

    fn cut(&mut self) {
        self.sender.link_down();
        self.receiver.link_down();
        self.to_receiver.clear();
        self.to_sender.clear();
        for block in self.blocks.drain(..) {
            self.receiver.given_up(block.lane, block.offset, block.bytes.len());
        }
    }

    /// Exchanges control messages until nobody has more to say.
    fn talk(&mut self) {
        loop {
            self.to_receiver.extend(std::iter::from_fn(|| self.sender.next_message()));
            self.to_sender.extend(std::iter::from_fn(|| self.receiver.next_message()));
            if self.to_receiver.is_empty() && self.to_sender.is_empty() {
                return;
            }
            for message in self.to_receiver.drain(..) {
                self.receiver.handle(message).expect("the receiver understands");
            }
            for message in self.to_sender.drain(..) {
                self.sender.handle(message).expect("the sender understands");
            }
        }
    }

    fn push(&mut self, lane: u16, bytes: &[u8]) {
        let id = LaneId(lane);
        if self.sender.room(id) < bytes.len() {
            return;
        }
        let pushed = &mut self.pushed[usize::from(lane)];
        pushed.extend_from_slice(bytes);
        let mut digest = LaneDigest::default();
        digest.update(pushed);
        self.sender.push(id, Bytes::copy_from_slice(bytes), digest);
    }

    fn send(&mut self) {
        self.send_over(LinkId::MAIN);
    }

    /// A block that is to be sent again, or the next one, begins to arrive over a link.
    fn send_over(&mut self, link: LinkId) {
        let again = self.sender.next_again(link);
        if let Some(block) = again.or_else(|| self.sender.next_new(link)) {
            let coming = self.receiver.begins(block.lane, block.offset, block.bytes.len());
            if coming.expect("an honest block may come") == Coming::New {
                self.blocks.push(block);
            }
        }
    }

    fn arrive(&mut self, pick: usize) {
        if !self.blocks.is_empty() {
            let block = self.blocks.swap_remove(pick % self.blocks.len());
            self.receiver.arrived(block).expect("a block that was sent fits");
        }
    }

    fn drain(&mut self, lane: u16, durable: Durable) {
        let index = usize::from(lane);
        let before = self.digests[index].len();
        let Some(bytes) = self.receiver.next_bytes(LaneId(lane)) else { return };
        self.sink[index].extend_from_slice(&bytes);
        self.digests[index].update(&bytes);
        let durable = match durable {
            Durable::All => self.digests[index].len(),
            Durable::Before => before,
        };
        self.receiver.written(LaneId(lane), self.digests[index].clone(), durable);
    }

    /// Lets everything happen that can.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            self.talk();
            self.send();
            self.arrive(0);
            for lane in 0..LANES {
                self.drain(lane, Durable::All);
            }
            let idle = self.blocks.is_empty();
            for lane in (0..LANES).map(LaneId) {
                if idle && self.receiver.is_drained(lane) {
                    self.receiver.finished(lane);
                }
            }
            if self.receiver.may_publish() && self.receiver.receipt().is_none() {
                self.receiver.committed(Reached::Synced, None, BackupFacts::default());
            }
            if self.receiver.outcome().is_some() && self.sender.outcome().is_some() {
                return;
            }
        }
    }

    fn end_source(&mut self) {
        (0..LANES).for_each(|lane| self.sender.end_of_lane(LaneId(lane)));
        self.sender.source_succeeded();
    }
}

#[derive(Clone, Copy, Debug)]
enum Durable {
    All,
    Before,
}

/// Everything is with the receiver and agrees.
fn settling() -> Pair {
    let mut pair = Pair::linked();
    pair.push(0, b"hello");
    pair.send();
    pair.arrive(0);
    (0..LANES).for_each(|lane| pair.drain(lane, Durable::All));
    pair.end_source();
    pair.talk();
    (0..LANES).for_each(|lane| pair.receiver.finished(LaneId(lane)));
    assert!(pair.receiver.may_settle());
    pair
}
