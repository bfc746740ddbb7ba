//! What only a peer that lies would say, send or ask for.

use super::model::Model;
use super::pair::{Pair, hello};
use super::script::{Cast, Script};
use crate::lane::{Block, LaneId, Sha1Sum};
use crate::session::{Coming, LinkId};
use crate::wire::{Ack, Hello, LaneSum, Message, Purpose, Reached, Receipt};

impl Pair {
    pub(super) fn lie_to_sender(&mut self, script: &mut Script<'_>) {
        if self.cast != Cast::LyingReceiver || !self.sender_is_up {
            return;
        }
        self.happened.lies = true;
        self.happened.lies_to_sender = true;
        let word = match script.byte() % 8 {
            0..=2 => any_word(script),
            3 | 4 => self.last_to_sender.as_ref().and_then(|last| garbled(last, script)),
            5 => self.last_to_sender.clone(),
            6 => Some(self.forged_ack(script)),
            _ => Some(Message::Receipt(Receipt::of(Reached::Synced, self.sender.sums()))),
        };
        if let Some(word) = word {
            self.tell_sender(word);
        }
    }

    pub(super) fn lie_to_receiver(&mut self, a: u8, script: &mut Script<'_>) {
        if self.cast != Cast::LyingSender {
            return;
        }
        self.happened.lies = true;
        self.happened.lies_to_receiver = true;
        match a % 4 {
            0 => self.greet(script),
            _ if !self.receiver_is_up => {}
            1 => self.send_anything(script),
            _ => self.say_anything(script),
        }
    }

    fn say_anything(&mut self, script: &mut Script<'_>) {
        let word = match script.byte() % 8 {
            0..=2 => any_word(script),
            3 | 4 => self.last_to_receiver.as_ref().and_then(|last| garbled(last, script)),
            5 => self.last_to_receiver.clone(),
            6 => Some(self.forged_end(script)),
            _ => Some(Message::Seen),
        };
        if let Some(word) = word {
            self.tell_receiver(word);
        }
    }

    /// Somebody with the key comes to the door. Whoever takes the link of the sender has it to himself.
    fn greet(&mut self, script: &mut Script<'_>) {
        let ours = Message::Hello(hello(1, self.lanes.len() as u16));
        let greeting = if script.byte() < 128 { garbled(&ours, script) } else { any_word(script) };
        let Some(Message::Hello(greeting)) = greeting else { return };
        let checked = self.receiver.check(&greeting);
        assert!(checked.is_err() || self.receiver.would_take(&greeting).is_ok());
        if greeting.purpose == Purpose::Check {
            return;
        }
        let Hello { session, lanes, .. } = greeting;
        if self.receiver.link_up(greeting).is_ok() {
            assert_eq!((self.receiver.session(), self.receiver.lanes()), (Some(session), lanes));
            self.sender_loses_link();
            self.nothing_more_reaches_receiver();
            self.receiver_is_up = true;
        }
    }

    /// A block that nobody has pushed; it may not come after all.
    fn send_anything(&mut self, script: &mut Script<'_>) {
        let lane = &self.lanes[self.index(script.byte())];
        let (offset, len) = (place(lane, script), super::script::size(script.byte()));
        let id = LaneId(if script.byte() == 0 { 9 } else { lane.lane.0 });
        let block = Block { lane: id, offset, bytes: lane.content(script.byte().into(), len) };
        match (self.receiver.begins(id, offset, block.bytes.len()), script.byte() % 4) {
            (Err(violation), _) => self.receiver_finds(&violation),
            (Ok(Coming::Known | Coming::OneTooMany), _) => {}
            (Ok(Coming::New), 0) => self.receiver.given_up(id, offset, len),
            (Ok(Coming::New), 1) => {}
            (Ok(Coming::New), _) => self.blocks.push((LinkId::MAIN, block)),
        }
    }

    fn forged_ack(&self, script: &mut Script<'_>) -> Message {
        let lane = &self.lanes[self.index(script.byte())];
        Message::Ack(Ack { lane: lane.lane, written: place(lane, script), durable: place(lane, script) })
    }

    fn forged_end(&self, script: &mut Script<'_>) -> Message {
        let lane = &self.lanes[self.index(script.byte())];
        let sum = match script.byte() % 3 {
            0 => lane.pushed.sum(),
            1 => lane.sink().sum(),
            _ => Sha1Sum([0; 20]),
        };
        Message::LaneEnd(LaneSum { lane: lane.lane, len: place(lane, script), sum })
    }
}

/// An offset that means something in `lane`, or nearly so.
fn place(lane: &Model, script: &mut Script<'_>) -> u64 {
    let place = match script.byte() % 4 {
        0 => 0,
        1 => lane.sink().len(),
        2 => lane.pushed.len(),
        _ => u64::MAX / 256 * u64::from(script.byte()),
    };
    match script.byte() % 8 {
        0 => place.saturating_sub(1),
        1 => place.saturating_add(1),
        _ => place,
    }
}

/// Any bytes as a message.
fn any_word(script: &mut Script<'_>) -> Option<Message> {
    let kind = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0x80, 0x81][usize::from(script.byte() % 11)];
    Message::decode_body(kind, script.bytes()).ok().flatten()
}

/// A message that differs from `message` in a byte of its body.
fn garbled(message: &Message, script: &mut Script<'_>) -> Option<Message> {
    let mut bytes = message.encode();
    let at = usize::from(script.byte());
    *bytes.get_mut(5 + at)? ^= script.byte();
    Message::decode_body(bytes[0], &bytes[5..]).ok().flatten()
}
