//! How sessions end, and who has the last word.

use super::*;

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
fn whoever_comes_back_to_a_failed_session_hears_that_and_no_welcome() {
    let mut pair = Pair::linked();
    pair.push(0, b"hello");
    pair.send();
    pair.cut();
    let failure = Failure::new(Cause::Integrity, Party::Receiver, "out.xb.partial has been changed");
    pair.receiver.fail(failure.clone());
    pair.link();
    assert_eq!(pair.sender.outcome(), Some(&Sent::Failed(failure)));
    assert_eq!(pair.sender.welcomes(), 1);
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
    let receipt = crate::wire::Receipt::of(Reached::Synced, lanes);
    pair.sender.handle(Message::Receipt(receipt)).expect("its turn");
    let Some(Sent::Failed(failure)) = pair.sender.outcome() else { panic!("failed") };
    assert_eq!(failure.cause, Cause::Integrity);
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
            pair.receiver.committed(Reached::Synced, None, BackupFacts::default());
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
    pair.receiver.committed(Reached::Synced, None, BackupFacts::default());
    assert!(matches!(pair.receiver.outcome(), Some(Received::Unacknowledged(_))));
}

#[test]
fn a_committed_receiver_can_be_told_to_go() {
    let mut pair = settling();
    assert!(pair.receiver.may_publish());
    pair.receiver.committed(Reached::Synced, None, BackupFacts::default());
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
    pair.receiver.committed(Reached::Synced, None, BackupFacts::default());
    assert!(matches!(pair.receiver.outcome(), Some(Received::Unacknowledged(_))));
}
