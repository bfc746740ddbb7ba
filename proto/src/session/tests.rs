//! Both halves talking to each other, without a network in between.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
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
        self.blocks.clear();
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
        if let Some(block) = self.sender.next_block() {
            self.receiver.begins(block.lane, block.offset, block.bytes.len()).expect("an honest block may come");
            self.blocks.push(block);
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
                self.receiver.committed(Reached::Synced, None);
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

#[test]
fn a_receipt_is_the_only_good_end() {
    let mut pair = Pair::linked();
    pair.push(0, b"hello");
    (0..LANES).for_each(|lane| pair.sender.end_of_lane(LaneId(lane)));
    pair.settle();
    assert_eq!(pair.sender.outcome(), None, "the source has not said how it ended");
    assert!(!pair.receiver.may_settle());
    pair.sender.source_succeeded();
    pair.settle();
    assert!(matches!(pair.sender.outcome(), Some(Sent::Confirmed(_))));
    assert!(matches!(pair.receiver.outcome(), Some(Received::Confirmed(_))));
    assert_eq!(pair.sink[0], b"hello");
}

#[test]
fn a_failed_source_is_told_and_nothing_commits() {
    let mut pair = Pair::linked();
    pair.push(0, b"half");
    let failure = Failure::new(Cause::Source, Party::Sender, "the tool ended with 1");
    pair.sender.fail(failure.clone());
    pair.settle();
    assert_eq!(pair.receiver.outcome(), Some(&Received::Failed(failure)));
    assert!(!pair.receiver.may_settle());
}

#[test]
fn a_failed_sink_is_told_with_its_reason() {
    let mut pair = Pair::linked();
    let failure = Failure::new(Cause::Sink, Party::Receiver, "writing a.ibd: No space left on device");
    pair.receiver.fail(failure.clone());
    pair.settle();
    assert_eq!(pair.sender.outcome(), Some(&Sent::Failed(failure)));
}

#[test]
fn the_first_failure_wins() {
    let mut pair = Pair::linked();
    pair.sender.fail(Failure::new(Cause::Source, Party::Sender, "first"));
    pair.sender.fail(Failure::new(Cause::Sink, Party::Receiver, "second"));
    let Some(Sent::Failed(failure)) = pair.sender.outcome() else { panic!("failed") };
    assert_eq!(failure.reason, "first");
}

#[test]
fn a_wrong_digest_fails_both() {
    let mut pair = Pair::linked();
    pair.push(0, b"hello");
    pair.send();
    pair.blocks[0].bytes = Bytes::from_static(b"hallo");
    pair.end_source();
    pair.settle();
    let Some(Sent::Failed(failure)) = pair.sender.outcome() else { panic!("failed") };
    assert_eq!((failure.cause, failure.party), (Cause::Integrity, Party::Receiver));
    assert!(matches!(pair.receiver.outcome(), Some(Received::Failed(_))));
}

#[test]
fn a_receipt_for_something_else_is_no_receipt() {
    let mut pair = Pair::linked();
    pair.push(0, b"hello");
    pair.send();
    pair.end_source();
    pair.to_receiver.extend(std::iter::from_fn(|| pair.sender.next_message()));
    let lanes = (0..LANES).map(|lane| LaneSum { lane: LaneId(lane), len: 5, sum: Sha1Sum([0; 20]) }).collect();
    let receipt = crate::wire::Receipt { reached: Reached::Synced, lanes, files: None };
    pair.sender.handle(Message::Receipt(receipt)).expect("its turn");
    let Some(Sent::Failed(failure)) = pair.sender.outcome() else { panic!("failed") };
    assert_eq!(failure.cause, Cause::Integrity);
}

#[test]
fn a_receipt_before_the_end_is_a_violation() {
    let mut pair = Pair::linked();
    let receipt = crate::wire::Receipt { reached: Reached::Synced, lanes: Vec::new(), files: None };
    let error = pair.sender.handle(Message::Receipt(receipt)).expect_err("too early");
    assert_eq!(error, Violation::Unexpected { message: "Receipt" });
}

#[test]
fn a_lost_receipt_is_asked_for_again() {
    let mut pair = Pair::linked();
    pair.push(0, b"hello");
    pair.end_source();
    while pair.receiver.receipt().is_none() {
        pair.talk();
        pair.send();
        pair.arrive(0);
        (0..LANES).for_each(|lane| pair.drain(lane, Durable::All));
        (0..LANES)
            .map(LaneId)
            .filter(|lane| pair.receiver.is_drained(*lane))
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|lane| pair.receiver.finished(lane));
        if pair.receiver.may_publish() {
            pair.receiver.committed(Reached::Synced, None);
        }
    }
    pair.cut();
    pair.link();
    pair.settle();
    assert!(matches!(pair.sender.outcome(), Some(Sent::Confirmed(_))));
}

#[test]
fn losing_the_peer_is_unconfirmed_only_when_it_may_have_committed() {
    let mut before = Pair::linked();
    before.push(0, b"hello");
    before.sender.peer_lost("timed out");
    let Some(Sent::Failed(failure)) = before.sender.outcome() else { panic!("failed") };
    assert_eq!(failure.cause, Cause::PeerLost);

    let mut after = Pair::linked();
    after.push(0, b"hello");
    after.send();
    after.end_source();
    after.talk();
    after.sender.peer_lost("timed out");
    let Some(Sent::Failed(failure)) = after.sender.outcome() else { panic!("failed") };
    assert_eq!(failure.cause, Cause::Unconfirmed);
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

#[test]
fn a_stop_while_settling_commits_nothing() {
    let mut pair = settling();
    pair.receiver.fail(Failure::new(Cause::Terminated, Party::Receiver, "ended by SIGTERM"));
    assert!(!pair.receiver.may_publish());
}

#[test]
fn nothing_stops_what_is_being_published() {
    let mut pair = settling();
    assert!(pair.receiver.may_publish());
    pair.receiver.fail(Failure::new(Cause::Terminated, Party::Receiver, "ended by SIGTERM"));
    pair.sender.fail(Failure::new(Cause::Interrupted, Party::Sender, "interrupted"));
    pair.talk();
    pair.receiver.peer_lost("closed");
    pair.receiver.committed(Reached::Synced, None);
    assert!(matches!(pair.receiver.outcome(), Some(Received::Unacknowledged(_))));
}

#[test]
fn a_committed_receiver_can_be_told_to_go() {
    let mut pair = settling();
    assert!(pair.receiver.may_publish());
    pair.receiver.committed(Reached::Synced, None);
    assert_eq!(pair.receiver.outcome(), None, "the sender may still say that it knows");
    pair.receiver.fail(Failure::new(Cause::Interrupted, Party::Receiver, "interrupted"));
    assert!(matches!(pair.receiver.outcome(), Some(Received::Unacknowledged(_))));
}

#[test]
fn an_interruption_after_everything_was_sent_does_not_deny_the_copy() {
    let mut pair = settling();
    pair.sender.fail(Failure::new(Cause::Interrupted, Party::Sender, "interrupted by SIGINT"));
    let Some(Sent::Failed(failure)) = pair.sender.outcome() else { panic!("failed") };
    assert_eq!(failure.cause, Cause::Interrupted);
    assert!(failure.reason.contains("the copy may exist"), "{failure}");
}

#[test]
fn an_abort_makes_nobody_believe_in_a_copy() {
    for cause in [Cause::Unconfirmed, Cause::AfterCommit] {
        let mut pair = Pair::linked();
        pair.sender.handle(Message::Abort(Failure::new(cause, Party::Receiver, "why"))).expect("in order");
        let told = Failure::new(Cause::Unforeseen, Party::Receiver, "why");
        assert_eq!(pair.sender.outcome(), Some(&Sent::Failed(told)));
    }
}

#[test]
fn who_aborts_has_the_last_word_whoever_is_to_blame() {
    let mut pair = Pair::linked();
    pair.sender.fail(Failure::new(Cause::Sink, Party::Receiver, "it has too little room"));
    pair.talk();
    for farewell in [pair.sender.farewell(), pair.receiver.farewell()] {
        let farewell = farewell.expect("over");
        assert_eq!((farewell.last_word, farewell.code), (Party::Sender, CloseCode::Aborted(Cause::Sink)));
    }
}

#[test]
fn a_lane_ends_once() {
    let mut pair = Pair::linked();
    let end = |len| Message::LaneEnd(LaneSum { lane: LaneId(0), len, sum: Sha1Sum([0; 20]) });
    pair.receiver.handle(end(3)).expect("its turn");
    pair.receiver.handle(end(3)).expect("the same again");
    assert!(matches!(pair.receiver.handle(end(4)), Err(Violation::TwoEnds { .. })));
}

#[test]
fn blocks_that_never_end_take_no_more_than_the_share() {
    let mut pair = Pair::linked();
    let (lane, share) = (LaneId(0), WINDOW as usize / 2);
    pair.receiver.begins(lane, 0, share).expect("all of the share");
    assert!(matches!(pair.receiver.begins(lane, 0, 1), Err(Violation::Crowded { .. })));
    pair.receiver.given_up(lane, share);
    pair.receiver.begins(lane, 0, 1).expect("there is room again");
}

#[test]
fn a_sender_lost_when_everything_is_here_is_not_missed() {
    let mut pair = Pair::linked();
    pair.push(0, b"hello");
    pair.send();
    pair.arrive(0);
    pair.end_source();
    pair.talk();
    pair.receiver.peer_lost("no sign of life");
    assert_eq!(pair.receiver.outcome(), None, "only the sink is behind");
}

#[test]
fn publishing_that_fails_fails_both() {
    let mut pair = settling();
    assert!(pair.receiver.may_publish());
    pair.receiver.publishing_failed(Failure::new(Cause::Sink, Party::Receiver, "b.xbstream exists"));
    pair.settle();
    let Some(Sent::Failed(failure)) = pair.sender.outcome() else { panic!("failed") };
    assert_eq!(failure.cause, Cause::Sink);
}

#[test]
fn a_sender_that_has_said_everything_may_go() {
    let mut pair = settling();
    pair.receiver.peer_lost("no sign of life");
    assert_eq!(pair.receiver.outcome(), None);
    assert!(pair.receiver.may_publish());
    pair.receiver.committed(Reached::Synced, None);
    assert!(matches!(pair.receiver.outcome(), Some(Received::Unacknowledged(_))));
}

#[test]
fn another_session_is_refused_while_one_runs() {
    let mut pair = Pair::linked();
    let other = Hello {
        session: SessionId([2; 16]),
        purpose: Purpose::Transfer,
        lanes: 1,
        window: WINDOW,
        retry_for: Duration::ZERO,
        size: None,
    };
    assert!(matches!(pair.receiver.link_up(other), Err(receiver::LinkRefused::Busy { .. })));
}

#[test]
fn a_window_too_small_for_its_lanes_is_refused() {
    assert_eq!(share(4 << 20, 2), Ok(2 << 20));
    assert!(share(4 << 20, 3).expect_err("too small").to_string().contains("3 lanes"));
}

#[test]
fn blocks_past_the_end_or_the_share_are_violations() {
    let mut pair = Pair::linked();
    let block = |offset, len: usize| Block { lane: LaneId(0), offset, bytes: Bytes::from(vec![0; len]) };
    let past_share = pair.receiver.arrived(block(WINDOW / 2, 1)).expect_err("past the share");
    assert!(matches!(past_share, Violation::Misplaced { .. }));
    pair.receiver
        .handle(Message::LaneEnd(LaneSum { lane: LaneId(0), len: 3, sum: Sha1Sum([0; 20]) }))
        .expect("its turn");
    assert!(matches!(pair.receiver.arrived(block(0, 4)), Err(Violation::PastEnd { .. })));
    let unknown = Block { lane: LaneId(9), offset: 0, bytes: Bytes::from_static(b"x") };
    assert!(matches!(pair.receiver.arrived(unknown), Err(Violation::UnknownLane { .. })));
}

#[derive(Clone, Debug)]
enum Step {
    Push(u16, usize),
    Send,
    Arrive(usize),
    Drain(u16, Durable),
    Talk,
    Cut,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let durable = prop_oneof![Just(Durable::All), Just(Durable::Before)];
    let step = prop_oneof![
        4 => (0..LANES, 1usize..900_000).prop_map(|(lane, len)| Step::Push(lane, len)),
        4 => Just(Step::Send),
        4 => any::<usize>().prop_map(Step::Arrive),
        4 => (0..LANES, durable).prop_map(|(lane, durable)| Step::Drain(lane, durable)),
        4 => Just(Step::Talk),
        1 => Just(Step::Cut),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is lost, reordered or cut: the sink gets exactly what was pushed, nobody sees the
    /// other break a rule, and both end confirmed.
    #[test]
    fn any_course_of_events_ends_in_the_same_bytes(steps in steps()) {
        let mut pair = Pair::linked();
        for step in steps {
            match step {
                Step::Push(lane, len) => pair.push(lane, &vec![len as u8; len]),
                Step::Send => pair.send(),
                Step::Arrive(pick) => pair.arrive(pick),
                Step::Drain(lane, durable) => pair.drain(lane, durable),
                Step::Talk => pair.talk(),
                Step::Cut => {
                    pair.cut();
                    pair.link();
                }
            }
        }
        pair.end_source();
        pair.settle();
        prop_assert!(matches!(pair.sender.outcome(), Some(Sent::Confirmed(_))));
        prop_assert!(matches!(pair.receiver.outcome(), Some(Received::Confirmed(_))));
        prop_assert!(pair.sink == pair.pushed);
    }
}
