//! Receivers that have the key and do not behave: the sender says what they did, its child is gone, and it ends.

use std::thread;

use xbproto::failure::{Cause, Failure, Party};
use xbproto::lane::{LaneDigest, LaneId, Sha1Sum};
use xbproto::link::Link;
use xbproto::wire::{Ack, CloseCode, LaneSum, Message, Reached, Receipt, Resume, VERSIONS, Welcome};
use xbtests::{Backup, Ended, Pace, Rogue, Scene};

/// What the sender's source gives before it goes on for ever, and the whole of one that ends.
const ENDLESS: [&str; 4] = ["--", "sh", "-c", "cat half.xb; exec sleep 1000"];
const WHOLE: [&str; 3] = ["--", "cat", "whole.xb"];

/// A sender with this source comes to a receiver that does this; how the sender ended.
fn sender_meets<const N: usize>(source: [&str; N], deed: impl AsyncFnOnce(&mut Link)) -> Ended {
    sender_meets_rogue(source, async |link, _| deed(link).await)
}

fn sender_meets_rogue<const N: usize>(source: [&str; N], deed: impl AsyncFnOnce(&mut Link, &Rogue)) -> Ended {
    let (scene, rogue) = (Scene::at(Pace::of_this_run().without_retry()), Rogue::listener());
    scene.file("half.xb", Backup::small().cut());
    scene.file("whole.xb", Backup::small().stream());
    let sender = scene.sender(&rogue.address().to_string(), source).start();
    let mut link = rogue.admit(scene.key(), VERSIONS).expect("a sender with the key");
    rogue.run(async {
        let Some(Message::Hello(_)) = link.reader.next().await.expect("a greeting") else { panic!("no greeting") };
        deed(&mut link, &rogue).await;
        rogue.wait_until_left_alone().await;
    });
    let sent = sender.wait();
    scene.expect_nobody_left();
    sent
}

/// A sender in the middle of its backup ends with 5 and these words when its receiver does this.
fn expect_violation(words: &str, deed: impl AsyncFnOnce(&mut Link)) {
    let sent = sender_meets(ENDLESS, async |link| {
        say(link, welcome(64 << 20)).await;
        deed(link).await;
    });
    sent.expect_failure(5).expect_said(words);
}

async fn say(link: &mut Link, message: Message) {
    link.writer.send(&message).await.expect("a sender that listens");
}

/// Waits until the sender has said that everything is sent.
async fn hear_the_end(link: &mut Link) -> LaneSum {
    loop {
        match link.reader.next().await.expect("a sender that goes on") {
            Some(Message::LaneEnd(sum)) => return sum,
            Some(Message::Pulse(_) | Message::RateLimit(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

fn welcome(window: u64) -> Message {
    welcome_at(window, Resume { offset: 0, sum: LaneDigest::default().sum() })
}

fn welcome_at(window: u64, resume: Resume) -> Message {
    Message::Welcome(Welcome { window, lanes: vec![resume], target: "a rogue".to_owned(), free: None })
}

fn receipt(lane: LaneSum) -> Message {
    Message::Receipt(Receipt::of(Reached::Synced, vec![lane]))
}

fn ack(written: u64) -> Message {
    Message::Ack(Ack { lane: LaneId(0), written, durable: written })
}

#[test]
fn a_window_too_small_for_anything() {
    let sent = sender_meets(ENDLESS, async |link| say(link, welcome(1)).await);
    sent.expect_failure(5).expect_said("a window of 1 B is too small");
}

#[test]
fn a_welcome_to_more_lanes_than_there_are() {
    let lane = Resume { offset: 0, sum: LaneDigest::default().sum() };
    let lanes = Welcome { window: 64 << 20, lanes: vec![lane; 2], target: "a rogue".to_owned(), free: None };
    let sent = sender_meets(ENDLESS, async move |link| say(link, Message::Welcome(lanes)).await);
    sent.expect_failure(5).expect_said("welcomed 2 lanes");
}

#[test]
fn a_welcome_to_the_middle() {
    let middle = Resume { offset: 5, sum: Sha1Sum([5; 20]) };
    let sent = sender_meets(ENDLESS, async move |link| say(link, welcome_at(64 << 20, middle)).await);
    sent.expect_failure(5).expect_said("wants to go on at byte 5");
}

#[test]
fn no_welcome_but_something_else() {
    let sent = sender_meets(ENDLESS, async |link| say(link, ack(0)).await);
    sent.expect_failure(5).expect_said("Ack when it was not its turn");
}

#[test]
fn two_welcomes() {
    expect_violation("Welcome when it was not its turn", async |link| say(link, welcome(64 << 20)).await);
}

#[test]
fn an_acknowledgement_of_what_was_never_sent() {
    expect_violation("acknowledged up to byte 1099511627776", async |link| say(link, ack(1 << 40)).await);
}

#[test]
fn an_acknowledgement_of_a_lane_that_is_not() {
    let ack = Ack { lane: LaneId(9), written: 0, durable: 0 };
    expect_violation("the session has 1", async move |link| say(link, Message::Ack(ack)).await);
}

#[test]
fn a_receipt_too_early() {
    let nothing = LaneSum { lane: LaneId(0), len: 0, sum: LaneDigest::default().sum() };
    expect_violation("Receipt when it was not its turn", async move |link| say(link, receipt(nothing)).await);
}

#[test]
fn receipts_for_something_else() {
    let wrong: [fn(LaneSum) -> LaneSum; 2] =
        [|sum| LaneSum { sum: Sha1Sum([5; 20]), ..sum }, |sum| LaneSum { len: sum.len - 1, ..sum }];
    for change in wrong {
        let sent = sender_meets(WHOLE, async move |link| {
            say(link, welcome(64 << 20)).await;
            let sum = hear_the_end(link).await;
            say(link, receipt(change(sum))).await;
        });
        sent.expect_failure(5).expect_said("the receipt says").expect_said("look at the receiver");
    }
}

#[test]
fn every_code_that_a_connection_may_be_closed_with_in_the_middle() {
    let sentence = "I have reasons of my own";
    let plain = [
        (CloseCode::Done.number(), 3, sentence),
        (CloseCode::WrongKey.number(), 4, sentence),
        (CloseCode::Version.number(), 4, sentence),
        (CloseCode::Busy.number(), 4, sentence),
        (CloseCode::Violation.number(), 5, sentence),
        // It may mean anything; all that is known is that the receiver is gone.
        (0x99, 3, "unknown code"),
    ];
    let aborted = Cause::ALL.map(|(cause, code)| match cause {
        // Only a receipt may make anybody believe that there is a copy.
        Cause::Unconfirmed | Cause::AfterCommit => (CloseCode::Aborted(cause).number(), 1, sentence),
        _ => (CloseCode::Aborted(cause).number(), i32::from(code), sentence),
    });
    thread::scope(|scope| {
        for (number, code, words) in plain.into_iter().chain(aborted) {
            scope.spawn(move || {
                let sent = sender_meets_rogue(ENDLESS, async |link, rogue| {
                    say(link, welcome(64 << 20)).await;
                    let _block = link.connection.next_block().await.expect("a sender that sends");
                    rogue.close(number, sentence);
                });
                sent.expect_failure(code).expect_said(words);
            });
        }
    });
}

#[test]
fn an_abort_and_then_no_end() {
    let failure = Failure::new(Cause::Sink, Party::Receiver, "the disk is on fire");
    let sent = sender_meets(ENDLESS, async move |link| {
        say(link, welcome(64 << 20)).await;
        say(link, Message::Abort(failure)).await;
    });
    sent.expect_failure(7).expect_said("receiver: the disk is on fire");
}

#[test]
fn a_receiver_that_ends_the_conversation() {
    let sent = sender_meets(ENDLESS, async |link| {
        say(link, welcome(64 << 20)).await;
        link.writer.finish().await.expect("a sender that listens");
    });
    sent.expect_failure(3).expect_said("the receiver ended the conversation");
}
