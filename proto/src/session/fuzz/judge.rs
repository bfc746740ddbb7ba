//! What must hold after every step, and at the end.

use super::pair::{Pair, hello};
use super::script::Cast;
use crate::failure::{Cause, Failure};
use crate::session::{Received, Sent};

/// More than it takes from any point of a session to its end.
const ROUNDS: usize = 8;

/// Blocks of all lanes together: more than are ever under way.
const BLOCKS: u8 = 64;

impl Pair {
    pub(super) fn judge(&mut self) {
        let (held, limit) = self.receiver.window();
        assert!(held <= limit, "the receiver holds {held} bytes of {limit}");
        let (held, limit) = self.sender.window();
        // With lies, on either side, a later welcome may be to a smaller window; the sender's own setting holds always.
        let limit = if self.happened.lies { hello(1, self.lanes.len() as u16).window } else { limit };
        assert!(held <= limit, "the sender holds {held} bytes of {limit}");
        self.judge_sender();
        self.judge_receiver();
    }

    fn judge_sender(&mut self) {
        let Some(outcome) = self.sender.outcome() else { return };
        assert_eq!(self.verdict.get_or_insert_with(|| outcome.clone()), outcome, "a verdict stays");
        match outcome {
            Sent::Checked(_) => panic!("this is not a check"),
            Sent::Confirmed(receipt) => {
                assert!(self.lanes.iter().all(|lane| lane.has_ended));
                assert_eq!(receipt.lanes, self.sender.sums());
                assert!(self.happened.lies_to_sender || self.committed.as_ref() == Some(&receipt.lanes));
            }
            Sent::Failed(failure) if !self.happened.lies => self.judge_failure(failure),
            Sent::Failed(_) => {}
        }
    }

    fn judge_failure(&self, failure: &Failure) {
        assert!(self.happened.misfortune, "nothing went wrong, but: {failure}");
        let expected = match failure.cause {
            Cause::Integrity => self.happened.garbled,
            cause => [Cause::PeerLost, Cause::Refused, Cause::Source, Cause::Sink, Cause::Unconfirmed].contains(&cause),
        };
        assert!(expected, "nothing did this: {failure:?}");
        let says_so = failure.reason.contains("look at the receiver");
        assert!(says_so || self.committed.is_none(), "there is a copy, but: {failure}");
    }

    fn judge_receiver(&self) {
        let has_receipt = self.receiver.receipt().is_some();
        assert!(!has_receipt || self.committed.is_some(), "a receipt for nothing");
        match self.receiver.outcome() {
            Some(Received::Confirmed(_)) => {
                assert!(has_receipt && (self.sender.outcome().is_some() || self.happened.lies_to_receiver));
            }
            Some(Received::Unacknowledged(_)) => assert!(has_receipt),
            Some(Received::Failed(_) | Received::Replaced) => assert!(!has_receipt),
            None => {}
        }
    }

    /// Lets both halves come to an end, with a source that has no more to give, links that last and a sink that keeps up.
    pub(super) fn conclude(&mut self) {
        for _ in 0..ROUNDS {
            if self.sender.outcome().is_some() && self.receiver_is_over() {
                break;
            }
            self.go_on();
            self.judge();
        }
        if !self.receiver_is_over() {
            self.both_lose_link();
            self.receiver.peer_lost("the sender has ended");
            self.settle();
            self.judge();
        }
        assert!(self.receiver_is_over(), "the receiver waits for nothing");
        assert!(self.sender.outcome().is_some() || self.happened.lies, "the sender waits for nothing");
        let confirmed = matches!(self.sender.outcome(), Some(Sent::Confirmed(_)));
        assert!(confirmed || self.cast != Cast::Honest, "nothing went wrong, but: {:?}", self.sender.outcome());
    }

    fn receiver_is_over(&self) -> bool {
        self.receiver.outcome().is_some() || !self.receiver.is_busy()
    }

    fn go_on(&mut self) {
        if !(self.sender_is_up && self.receiver_is_up) {
            self.come(1);
        }
        self.talk();
        if self.sender.welcomes() > 0 {
            (0..self.lanes.len()).for_each(|lane| self.end_lane(lane));
            self.sender.source_succeeded();
        }
        // Every link moves.
        (0..3).for_each(|link| self.look(255 - link));
        for _ in 0..BLOCKS {
            self.send(31);
            self.arrive(0, 31);
        }
        self.talk();
        self.settle();
        self.talk();
    }

    /// The sink does all it can.
    fn settle(&mut self) {
        for lane in 0..self.lanes.len() as u8 {
            (0..16).for_each(|_| self.drain(lane, u8::MAX));
            self.write(lane, 0);
            self.close_lane(lane);
        }
        self.publish();
        self.commit();
    }
}
