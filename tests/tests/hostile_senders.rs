//! Senders that have the key and do not behave: the receiver says what they did, holds no more than it should, keeps
//! nothing, and ends.

use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use xbproto::failure::{Cause, Failure, Party};
use xbproto::lane::{LaneDigest, LaneId};
use xbproto::link::LinkError;
use xbproto::wire::{Ack, CloseCode, LaneSum, Message, Reached, Receipt};
use xbtests::{Intruder, Rogue, Running, Scene, peak_memory};

const MIB: usize = 1 << 20;

/// The share of the one lane: the receiver's window.
const SHARE: usize = xbproto::cli::WINDOW as usize;

/// The most memory that a receiver may ever have had, in kilobytes.
const LIMIT: u64 = 150 << 10;

/// How long a sender says that it would try to come back. One that has heard why its session failed is not waited for.
const RETRY_FOR: Duration = Duration::from_secs(600);

/// A sender that does this is told so in these words, the receiver ends with them, and has not grown.
fn expect_violation(words: &str, deed: impl AsyncFnOnce(&mut Intruder) + Send) {
    let scene = Scene::new();
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let address = receiver.address();
    let ended = observe(&scene, &receiver, RETRY_FOR, async |intruder| {
        deed(intruder).await;
        intruder.wait_for_the_end().await
    });
    let LinkError::Closed { code: CloseCode::Aborted(Cause::Integrity), reason } = &ended else { panic!("{ended:?}") };
    assert!(reason.contains(words), "the sender was told {reason:?}, not {words:?}");
    receiver.wait().expect_failure(5).expect_said(words);
    scene.expect_nobody_left();
    scene.expect_port_free(&address);
    assert_eq!(scene.listing("."), Vec::<String>::new());
}

/// Comes to the receiver, does something, and looks at the receiver's memory all the while.
fn observe<T: Send>(
    scene: &Scene,
    receiver: &Running,
    retry_for: Duration,
    deed: impl AsyncFnOnce(&mut Intruder) -> T + Send,
) -> T {
    let rogue = Rogue::dialer();
    let mut intruder = rogue.intrude(receiver.listening(), scene.key(), retry_for);
    let (result, peak) = thread::scope(|scope| {
        let doing = scope.spawn(move || rogue.run(deed(&mut intruder)));
        let mut highest = 0;
        while !doing.is_finished() {
            highest = peak_memory(receiver.pid()).unwrap_or(0).max(highest);
            thread::sleep(Duration::from_millis(5));
        }
        (doing.join().expect("a deed done"), highest)
    });
    assert!((1..LIMIT).contains(&peak), "the receiver had {peak} kB");
    result
}

fn sum(len: usize, digest: &LaneDigest) -> LaneSum {
    LaneSum { lane: LaneId(0), len: len as u64, sum: digest.sum() }
}

#[test]
fn blocks_without_end_far_apart() {
    expect_violation("only 67108864 may be sent", async |intruder| {
        let mut begun = Vec::new();
        for n in 0..1000 {
            let Some(block) = intruder.begin_block(0, n << 40, MIB, &[1; MIB - 1]).await else { break };
            begun.push(block);
        }
    });
}

#[test]
fn blocks_without_end_within_the_share() {
    expect_violation("are under way at once", async |intruder| {
        let mut begun = Vec::new();
        for n in 0..1000 {
            // Each time around they begin a byte later, and are others.
            let offset = (n * MIB % SHARE + n / (SHARE / MIB)) as u64;
            let Some(block) = intruder.begin_block(0, offset, MIB, &[1; MIB - 1]).await else { break };
            begun.push(block);
        }
    });
}

#[test]
fn one_block_begun_again_and_again() {
    let scene = Scene::new();
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let ended = observe(&scene, &receiver, Duration::ZERO, async |intruder| {
        let mut begun = Vec::new();
        for _ in 0..1000 {
            let Some(block) = intruder.begin_block(0, 0, MIB, &[1; MIB - 1]).await else { break };
            begun.push(block);
        }
        intruder.wait_for_the_end().await
    });
    assert!(matches!(ended, LinkError::Closed { code: CloseCode::Broken, .. }), "{ended:?}");
    receiver.wait().expect_failure(3).expect_said("too many copies of blocks are under way");
}

#[test]
fn blocks_begun_and_cancelled_again_and_again() {
    let scene = Scene::new();
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    observe(&scene, &receiver, Duration::ZERO, async |intruder| {
        for _ in 0..1000 {
            let mut block = intruder.begin_block(0, 0, MIB, &[1; 100_000]).await.expect("a receiver that bears it");
            let _ = block.reset(0u32.into());
        }
        finish_well(intruder).await;
    });
    receiver.wait().expect_success();
}

#[test]
fn a_hole_at_the_beginning_and_everything_behind_it() {
    expect_violation("only 67108864 may be sent", async |intruder| {
        for n in 1..=SHARE / MIB {
            intruder.send_block((n * MIB) as u64, &[1; MIB]).await;
        }
    });
}

#[test]
fn tiny_blocks_in_great_number() {
    expect_violation("more than 16384 blocks", async |intruder| {
        for n in 1..=20_000 {
            intruder.send_block(n, &[1]).await;
        }
    });
}

#[test]
fn blocks_that_overlap() {
    expect_violation("overlaps another one", async |intruder| {
        intruder.send_block(1, &[1; 10]).await;
        intruder.send_block(5, &[1; 10]).await;
    });
}

#[test]
fn a_block_longer_than_it_says() {
    expect_violation("bytes that follow", async |intruder| {
        drop(intruder.begin_block(0, 0, 4, &[1; 8]).await);
    });
}

#[test]
fn a_block_shorter_than_it_says() {
    expect_violation("bytes that follow", async |intruder| {
        drop(intruder.begin_block(0, 0, 8, &[1; 4]).await);
    });
}

#[test]
fn a_block_of_a_lane_that_is_not() {
    expect_violation("the session has 1", async |intruder| {
        drop(intruder.begin_block(1, 0, 4, &[1; 4]).await);
    });
}

#[test]
fn a_block_past_the_end_of_its_lane() {
    expect_violation("ends at byte 4", async |intruder| {
        intruder.say(&Message::LaneEnd(sum(4, &LaneDigest::default()))).await;
        intruder.send_block(2, &[1; 10]).await;
    });
}

#[test]
fn two_ends_of_one_lane() {
    expect_violation("was said to end at byte 5, then at byte 6", async |intruder| {
        for len in [5, 6] {
            intruder.say(&Message::LaneEnd(sum(len, &LaneDigest::default()))).await;
        }
    });
}

#[test]
fn a_wrong_checksum() {
    expect_violation("the sender's is da39a3ee5e6b4b0d3255bfef95601890afd80709", async |intruder| {
        intruder.send_block(0, &[1; 5]).await;
        intruder.say(&Message::LaneEnd(sum(5, &LaneDigest::default()))).await;
    });
}

#[test]
fn messages_out_of_turn() {
    let receipt = Receipt::of(Reached::Synced, vec![sum(0, &LaneDigest::default())]);
    let messages =
        [Message::Seen, Message::Ack(Ack { lane: LaneId(0), written: 0, durable: 0 }), Message::Receipt(receipt)];
    for message in messages {
        let words = format!("the peer sent {} when it was not its turn", message.name());
        expect_violation(&words, async move |intruder| intruder.say(&message).await);
    }
}

#[test]
fn a_message_of_a_kind_that_is_not() {
    let garbage = [[0x42, 0, 1, 0, 0].as_slice(), &[0xa5; 64 << 10]].concat();
    expect_violation("0x42", async move |intruder| intruder.say_bytes(&garbage).await);
}

#[test]
fn a_message_with_garbage_in_it() {
    let garbage = [[0x06, 0, 1, 0, 0].as_slice(), &[0xa5; 64 << 10]].concat();
    expect_violation("LaneEnd", async move |intruder| intruder.say_bytes(&garbage).await);
}

#[test]
fn a_message_longer_than_any() {
    expect_violation("at most 65536", async |intruder| intruder.say_bytes(&[0x06, 0xff, 0xff, 0xff, 0xff]).await);
}

#[test]
fn messages_of_a_later_version_that_may_be_skipped_are() {
    let scene = Scene::new();
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    observe(&scene, &receiver, Duration::ZERO, async |intruder| {
        for kind in 0x82..=0xff {
            intruder.say_bytes(&[[kind, 0, 0, 0, 200].as_slice(), &[0xa5; 200]].concat()).await;
        }
        finish_well(intruder).await;
    });
    receiver.wait().expect_success();
    assert_eq!(std::fs::read(scene.path("out.xb")).expect("stored"), WHOLE);
}

/// All that a sender sends that ends well.
const WHOLE: &[u8] = b"a whole backup";

/// Sends it and its end, and gives the receipt, which is not acknowledged yet.
async fn send_all(intruder: &mut Intruder) -> Receipt {
    let mut digest = LaneDigest::default();
    digest.update(WHOLE);
    intruder.send_block(0, WHOLE).await;
    intruder.say(&Message::LaneEnd(sum(WHOLE.len(), &digest))).await;
    loop {
        match intruder.hear().await.expect("a receiver that goes on") {
            Message::Receipt(receipt) => return receipt,
            Message::Ack(_) | Message::Pulse(_) => {}
            other => panic!("{}: {other:?}", other.name()),
        }
    }
}

/// Goes on as a sender should, to the end.
async fn finish_well(intruder: &mut Intruder) {
    assert_eq!(send_all(intruder).await.lanes[0].len, WHOLE.len() as u64);
    intruder.say(&Message::Seen).await;
    let ended = intruder.wait_for_the_end().await;
    assert!(matches!(ended, LinkError::Closed { code: CloseCode::Done, .. }), "{ended:?}");
}

#[test]
fn a_receipt_that_is_never_acknowledged() {
    let scene = Scene::new();
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    observe(&scene, &receiver, Duration::ZERO, async |intruder| {
        send_all(intruder).await;
        receiver.ask_until("status: committed, waiting for the sender's acknowledgement");
        intruder.wait_for_the_end().await
    });
    receiver.wait().expect_success().expect_said("the sender has not acknowledged the receipt");
    assert_eq!(std::fs::read(scene.path("out.xb")).expect("committed"), WHOLE);
}

#[test]
fn a_receiver_interrupted_before_its_receipt_is_acknowledged() {
    let scene = Scene::new();
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    observe(&scene, &receiver, Duration::ZERO, async |intruder| {
        send_all(intruder).await;
        receiver.signal(Signal::INT);
        intruder.wait_for_the_end().await
    });
    receiver.wait().expect_success().expect_said("the sender has not acknowledged the receipt");
    assert_eq!(std::fs::read(scene.path("out.xb")).expect("committed"), WHOLE);
}

#[test]
fn an_abort_after_the_receipt_changes_nothing() {
    let scene = Scene::new();
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    observe(&scene, &receiver, Duration::ZERO, async |intruder| {
        send_all(intruder).await;
        intruder.say(&Message::Abort(Failure::new(Cause::Source, Party::Sender, "changed my mind"))).await;
        intruder.wait_for_the_end().await
    });
    receiver.wait().expect_success();
    assert_eq!(std::fs::read(scene.path("out.xb")).expect("committed"), WHOLE);
}
