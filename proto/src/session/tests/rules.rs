//! What neither half takes from the other.

use super::*;

#[test]
fn a_receipt_before_the_end_is_a_violation() {
    let mut pair = Pair::linked();
    let receipt = crate::wire::Receipt::of(Reached::Synced, Vec::new());
    let error = pair.sender.handle(Message::Receipt(receipt)).expect_err("too early");
    assert_eq!(error, Violation::Unexpected { message: "Receipt" });
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
    pair.receiver.given_up(lane, 0, share);
    pair.receiver.begins(lane, 0, 1).expect("there is room again");
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
    assert!(share(4 << 20, 3).expect_err("too small").to_string().contains("3 streams"));
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

#[test]
fn blocks_that_come_again_leave_room_for_new_ones() {
    let mut pair = Pair::linked();
    let half = vec![7; WINDOW as usize / 4];
    pair.push(0, &half);
    pair.push(0, &half);
    (0..2).for_each(|_| pair.send());
    (0..2).for_each(|_| pair.arrive(0));
    pair.cut();
    pair.link();
    (0..2).for_each(|_| pair.send());
    (0..2).for_each(|_| pair.drain(0, Durable::All));
    pair.talk();
    pair.push(0, &half);
    pair.send();
}

#[test]
fn a_restarted_receiver_keeps_to_the_window_of_its_session() {
    let mut pair = Pair::linked();
    let offer = ReceiverConfig { window: 1, target: "a test".into(), free: None };
    let hello = pair.receiver.hello().cloned().expect("a session");
    pair.cut();
    pair.receiver = Receiver::recalled(offer, hello, Vec::new()).expect("a session that goes on");
    pair.link();
    pair.push(0, &vec![7; WINDOW as usize / 2]);
    pair.send();
}

#[test]
fn a_restarted_receiver_welcomes_to_the_window_of_its_session() {
    let offer = |window| ReceiverConfig { window, target: "a test".into(), free: None };
    let mut pair = Pair::new();
    pair.sender = Sender::new(SenderConfig {
        session: SessionId([1; 16]),
        purpose: Purpose::Transfer,
        lanes: LANES,
        window: 2 * WINDOW,
        retry_for: Duration::from_secs(300),
        size: None,
    });
    pair.receiver = Receiver::new(offer(WINDOW));
    pair.sender.link_up();
    let Some(Message::Hello(hello)) = pair.sender.next_message() else { panic!("a link begins with Hello") };
    pair.receiver.link_up(hello).expect("accepted");
    pair.cut();
    let hello = pair.receiver.hello().cloned().expect("a session");
    pair.receiver = Receiver::recalled(offer(2 * WINDOW), hello, Vec::new()).expect("a session that goes on");
    pair.link();
    assert_eq!(pair.sender.room(LaneId(0)), WINDOW as usize / 2);
}

fn joining(purpose: Purpose, session: u8) -> Hello {
    let (session, window) = (SessionId([session; 16]), WINDOW);
    Hello { session, purpose, lanes: LANES, window, retry_for: Duration::ZERO, size: None }
}

#[test]
fn a_join_begins_no_session_and_displaces_no_link() {
    let mut pair = Pair::new();
    let join = joining(Purpose::Join, 1);
    assert_eq!(pair.receiver.admits_joining(&join), Err(LinkRefused::StateLost));
    assert_eq!(pair.receiver.link_up(join.clone()), Err(LinkRefused::NoMainLink));
    assert!(!pair.receiver.is_busy());
    pair.link();
    assert_eq!(pair.receiver.admits_joining(&join), Ok(()));
    assert_eq!(pair.receiver.link_up(join), Err(LinkRefused::NoMainLink));
    assert_eq!(pair.receiver.admits_joining(&joining(Purpose::Join, 2)), Err(LinkRefused::StateLost));
}

#[test]
fn only_what_is_linked_and_goes_on_is_joined() {
    let mut pair = Pair::linked();
    let join = pair.sender.join();
    pair.cut();
    assert_eq!(pair.receiver.admits_joining(&join), Err(LinkRefused::NoMainLink));
    pair.link();
    assert_eq!(pair.receiver.admits_joining(&join), Ok(()));
    pair.receiver.fail(Failure::new(Cause::Sink, Party::Receiver, "no space left"));
    assert_eq!(pair.receiver.admits_joining(&join), Err(LinkRefused::NoMainLink));
}

#[test]
fn copies_of_blocks_under_way_are_limited() {
    let mut pair = Pair::linked();
    let (lane, share) = (LaneId(0), WINDOW as usize / 2);
    (0..2).for_each(|half| {
        pair.receiver.begins(lane, half * share as u64 / 2, share / 2).expect("half of the share");
    });
    assert_eq!(pair.receiver.begins(lane, 0, share / 2), Ok(Coming::New));
    assert_eq!(pair.receiver.begins(lane, share as u64 / 2, share / 2), Ok(Coming::OneTooMany));
}
