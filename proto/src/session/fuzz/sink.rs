//! The receiver's process: its drains, its commit, and what may become of it.

use super::model::Model;
use super::pair::{Pair, hello, offer};
use super::script::Cast;
use crate::backup::BackupFacts;
use crate::failure::{Cause, Failure, Party};
use crate::session::{Received, Receiver};
use crate::wire::{Reached, Receipt};

impl Pair {
    /// The drain of a lane takes what is next. It is what was pushed.
    pub(super) fn take(&mut self, a: u8) {
        let index = self.index(a);
        let lane = &mut self.lanes[index];
        if lane.in_hand.is_some() || lane.is_closed {
            return;
        }
        lane.in_hand = self.receiver.next_bytes(lane.lane);
        if let Some(bytes) = lane.in_hand.as_ref().filter(|_| !self.happened.lies_to_receiver) {
            let offset = lane.sink().len();
            assert!(offset + bytes.len() as u64 <= lane.pushed.len());
            assert!(*bytes == lane.content(offset, bytes.len()), "{} has other bytes at {offset}", lane.lane);
        }
    }

    /// The drain of a lane writes what it has taken; durable is what was written some blocks earlier.
    pub(super) fn write(&mut self, a: u8, b: u8) {
        let index = self.index(a);
        let lane = &mut self.lanes[index];
        if !lane.is_closed {
            let (digest, durable) = lane.write(usize::from(b % 4));
            self.receiver.written(lane.lane, digest, durable);
        }
    }

    pub(super) fn drain(&mut self, a: u8, b: u8) {
        for _ in 0..=b / 4 {
            self.take(a);
            self.write(a, b);
        }
    }

    /// The sink closes a lane of which it has everything.
    pub(super) fn close_lane(&mut self, a: u8) {
        let index = self.index(a);
        let lane = &mut self.lanes[index];
        if !lane.is_closed && lane.in_hand.is_none() && self.receiver.is_drained(lane.lane) {
            lane.is_closed = true;
            self.receiver.finished(lane.lane);
        }
    }

    /// The sink is about to give the copy its final name, if it may.
    pub(super) fn publish(&mut self) {
        if self.receiver.may_settle() {
            assert!(self.receiver.may_publish());
            self.is_publishing = true;
        }
    }

    /// The sink has given the copy its final name.
    pub(super) fn commit(&mut self) {
        if std::mem::take(&mut self.is_publishing) {
            self.note_commit();
            self.receiver.committed(Reached::Synced, None, BackupFacts::default());
        }
    }

    /// The copy has its final name. Whoever has not heard lies knows that it is all of what was pushed.
    fn note_commit(&mut self) {
        let sums = self.receiver.sums();
        if !self.happened.lies_to_receiver {
            assert_eq!(sums, self.sender.sums(), "what is committed is what the sender has sent");
            let same = |lane: &Model| lane.sink().sum() == lane.pushed.sum();
            assert!(self.lanes.iter().all(same), "what is committed is what was pushed");
        }
        self.committed = Some(sums);
    }

    /// The receiver's process is killed, and another one takes its place.
    pub(super) fn restart(&mut self, a: u8, b: u8) {
        // It may have come as far as the final name.
        if std::mem::take(&mut self.is_publishing) && b < 128 {
            self.note_commit();
        }
        self.receiver = self.reborn(a % 8, b.into());
        self.nothing_more_reaches_receiver();
    }

    /// A receiver as it comes back, perhaps with another window.
    fn reborn(&mut self, way: u8, b: usize) -> Receiver {
        let hello = self.receiver.hello().cloned().filter(|_| self.receiver.outcome().is_none());
        let config = offer(self.lanes.len() * (1 + b % 3));
        let way = if self.cast == Cast::Honest { 0 } else { way };
        let Some(hello) = hello.filter(|_| way != 7) else {
            self.happened.misfortune |= self.cast != Cast::Honest;
            self.lanes.iter_mut().for_each(|lane| lane.lose());
            return Receiver::new(config);
        };
        if let Some(lanes) = self.committed.clone() {
            let receipt = Receipt::of(Reached::Synced, lanes);
            return Receiver::recalled_committed(config, hello, receipt).expect("nothing has changed");
        }
        self.happened.misfortune |= way > 4;
        self.happened.garbled |= way == 6;
        let left = |lane: &mut Model| match way {
            5 => lane.forget(b),
            6 => lane.garble(),
            _ => lane.crash(b),
        };
        let lanes = self.lanes.iter_mut().map(left).collect();
        Receiver::recalled(config, hello, lanes).expect("nothing has changed")
    }

    /// Something goes wrong.
    pub(super) fn suffer(&mut self, a: u8) {
        if self.cast == Cast::Honest {
            return;
        }
        self.happened.misfortune = true;
        let sink = || Failure::new(Cause::Sink, Party::Receiver, "no space left");
        match a % 8 {
            0 => self.sender.fail(Failure::new(Cause::Source, Party::Sender, "the tool ended with 1")),
            1 => self.receiver.fail(sink()),
            2 if !self.sender_is_up => self.sender.peer_lost("it did not come back"),
            3 if !self.receiver_is_up && self.receiver.is_busy() => self.receiver.peer_lost("it did not come back"),
            4 if self.is_publishing => {
                self.is_publishing = false;
                self.receiver.publishing_failed(sink());
            }
            5 => self.replace(),
            _ => {}
        }
    }

    /// Another session takes the place of this one, if it may.
    fn replace(&mut self) {
        if self.receiver.may_be_replaced() && self.receiver.is_busy() {
            self.receiver.replace();
            assert_eq!(self.receiver.outcome(), Some(&Received::Replaced));
            self.receiver = Receiver::new(offer(2));
            self.receiver.link_up(hello(2, 1)).expect("there is room");
            self.lanes.iter_mut().for_each(|lane| lane.lose());
        }
    }
}
