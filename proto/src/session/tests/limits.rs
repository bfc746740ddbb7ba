//! Both sides' rate limits.

use super::*;
use crate::quantity::Rate;

fn rate(kib: u64) -> Option<Rate> {
    Some(Rate::new(kib << 10).expect("a rate"))
}

/// What both halves know, which is the same.
fn known(pair: &Pair) -> Limits {
    assert_eq!(pair.sender.limits(), pair.receiver.limits());
    pair.sender.limits()
}

#[test]
fn the_receivers_limit_is_known_before_anything_may_be_sent() {
    let mut pair = Pair::new();
    pair.receiver.allow(rate(2));
    pair.sender.link_up();
    let Some(Message::Hello(hello)) = pair.sender.next_message() else { panic!("a link begins with Hello") };
    pair.receiver.link_up(hello).expect("accepted");
    assert_eq!(pair.receiver.next_message(), Some(Message::RateLimit(rate(2))));
    pair.sender.handle(Message::RateLimit(rate(2))).expect("its turn");
    assert!(!pair.sender.is_linked(), "not welcomed yet");
    assert_eq!(pair.sender.limits().binding().map(|limit| limit.by), Some(Party::Receiver));
    assert!(matches!(pair.receiver.next_message(), Some(Message::Welcome(_))));
}

#[test]
fn either_side_changes_its_limit_at_any_time() {
    let mut pair = Pair::linked();
    assert_eq!(known(&pair), Limits::default());
    for (sender, receiver) in [(rate(9), None), (rate(9), rate(3)), (None, rate(3)), (rate(1), rate(5)), (None, None)] {
        pair.sender.allow(sender);
        pair.receiver.allow(receiver);
        pair.talk();
        assert_eq!(known(&pair), Limits { sender, receiver });
    }
}

#[test]
fn a_limit_that_stays_the_same_is_not_said_again() {
    let mut pair = Pair::linked();
    pair.receiver.allow(rate(3));
    pair.talk();
    pair.receiver.allow(rate(3));
    assert_eq!(pair.receiver.next_message(), None);
}

#[test]
fn what_has_changed_in_an_outage_is_said_over_the_new_link() {
    let mut pair = Pair::linked();
    pair.receiver.allow(rate(3));
    pair.talk();
    pair.cut();
    pair.receiver.allow(None);
    pair.sender.allow(rate(7));
    assert_eq!(pair.sender.limits(), Limits { sender: rate(7), receiver: rate(3) });
    pair.link();
    assert_eq!(known(&pair), Limits { sender: rate(7), receiver: None });
}

#[test]
fn a_session_that_is_over_says_no_limit() {
    let mut pair = Pair::linked();
    pair.sender.fail(Failure::new(Cause::Source, Party::Sender, "killed"));
    pair.talk();
    pair.sender.allow(rate(1));
    pair.receiver.allow(rate(1));
    assert_eq!((pair.sender.next_message(), pair.receiver.next_message()), (None, None));
}
