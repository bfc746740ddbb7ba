//! Transfers over several links: the same bytes, whatever becomes of one of them.

use std::fs;

use xbproto::failure::Cause;
use xbproto::lane::{LaneDigest, LaneId};
use xbproto::link::LinkError;
use xbproto::wire::{CloseCode, LaneSum, MAX_LINKS, Message, SessionId};
use xbtests::{Backup, Destination, Intruder, Pace, Rogue, Running, Scene, Transfer, Trickle};

const LINKS: [&str; 3] = ["--links", "4", "-v"];

fn backup() -> Backup {
    Backup::new(8, 1 << 20)
}

/// Waits until a sender has all its links.
fn wait_for_links(sender: &Running) {
    for link in 2..=4 {
        sender.log().wait_for(&format!("link {link} has joined"));
    }
}

/// A transfer over four links that is under way.
fn under_way<'a>(scene: &'a Scene, source: &Trickle, destination: Destination) -> Transfer<'a> {
    let receiver = destination.receiver(scene);
    let transfer = Transfer::start(scene, receiver, |to| scene.sender(to, LINKS).input(source.input()));
    wait_for_links(&transfer.sender);
    transfer.wait_until_under_way();
    transfer
}

#[test]
fn four_links_bring_a_backup_to_each_destination() {
    Destination::each(|destination| {
        let (scene, backup) = (Scene::at(Pace::of_this_run()), backup());
        let source = Trickle::of(&backup);
        let transfer = under_way(&scene, &source, destination);
        transfer.sender.ask_until("path: 4 links");
        transfer.receiver.ask_until("path: 4 links");
        source.release();
        let verdict = transfer.end();
        verdict.expect_arrived(&backup, destination, &[]);
        verdict.sent.expect_silence_on("interrupted");
    });
}

#[test]
fn a_link_that_falls_silent_is_nobodys_affair() {
    let (scene, backup) = (Scene::at(Pace::of_this_run()), backup());
    let source = Trickle::of(&backup);
    let transfer = under_way(&scene, &source, Destination::File);
    transfer.relay.swallow_last();
    transfer.sender.log().wait_for("has ended (no sign of life)");
    source.release();
    let verdict = transfer.end();
    verdict.expect_arrived(&backup, Destination::File, &[]);
    verdict.sent.expect_silence_on("interrupted");
    verdict.received.expect_silence_on("interrupted");
}

#[test]
fn all_links_come_back_after_an_outage() {
    let pace = Pace::of_this_run();
    let (scene, backup) = (Scene::at(pace), backup());
    let source = Trickle::of(&backup);
    let transfer = under_way(&scene, &source, Destination::File);
    transfer.relay.down();
    transfer.sender.log().wait_for("interrupted");
    transfer.relay.up();
    transfer.sender.log().wait_for("resumed at byte ");
    transfer.sender.ask_until("path: 4 links");
    source.release();
    transfer.end().expect_arrived(&backup, Destination::File, &[]);
}

#[test]
fn all_links_come_back_to_a_receiver_that_was_killed() {
    let (scene, backup) = (Scene::at(Pace::of_this_run()), backup());
    let source = Trickle::of(&backup);
    let mut transfer = under_way(&scene, &source, Destination::File);
    scene.wait_for_size("out.xb.partial", 1 << 20);
    transfer.kill_receiver();
    transfer.start_receiver(Destination::File.receiver(&scene));
    transfer.sender.log().wait_for("resumed at byte ");
    transfer.receiver.ask_until("path: 4 links");
    source.release();
    transfer.end().expect_arrived(&backup, Destination::File, &[]);
}

/// All that an intruder sends.
const WHOLE: &[u8] = b"a whole backup";

/// An intruder whose session has begun at a receiver, which writes it to a file.
fn intrusion(scene: &Scene) -> (Running, Rogue, Intruder) {
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let rogue = Rogue::dialer();
    let intruder = rogue.intrude(receiver.listening(), scene.key(), Default::default());
    (receiver, rogue, intruder)
}

/// Brings the session of an intruder to its good end, whatever it has sent before.
fn finish_well(scene: &Scene, receiver: Running, rogue: &Rogue, mut intruder: Intruder) {
    rogue.run(async {
        let mut digest = LaneDigest::default();
        digest.update(WHOLE);
        intruder.send_block(0, WHOLE).await;
        let (lane, len, sum) = (LaneId(0), WHOLE.len() as u64, digest.sum());
        intruder.say(&Message::LaneEnd(LaneSum { lane, len, sum })).await;
        while !matches!(intruder.hear().await.expect("a receiver that goes on"), Message::Receipt(_)) {}
        intruder.say(&Message::Seen).await;
        intruder.wait_for_the_end().await;
    });
    receiver.wait().expect_success();
    assert_eq!(fs::read(scene.path("out.xb")).expect("stored"), WHOLE);
}

/// A link that wants to join is told so, and its connection closed with this code.
fn expect_refused(rogue: &Rogue, joined: (Intruder, Option<Message>), cause: Cause, code: CloseCode) {
    let (intruder, answer) = joined;
    let Some(Message::Abort(failure)) = answer else { panic!("{answer:?}") };
    assert_eq!(failure.cause, cause, "{failure}");
    let ended = rogue.run(intruder.wait_for_the_end());
    assert!(matches!(&ended, LinkError::Closed { code: closed, .. } if *closed == code), "{ended:?}");
}

#[test]
fn a_link_that_joins_another_session_is_turned_away() {
    let scene = Scene::new();
    let (receiver, rogue, intruder) = intrusion(&scene);
    let joined = rogue.join(receiver.listening(), scene.key(), SessionId([9; 16]));
    expect_refused(&rogue, joined, Cause::PeerLost, CloseCode::StateLost);
    finish_well(&scene, receiver, &rogue, intruder);
}

#[test]
fn a_link_that_joins_before_there_is_a_session_begins_none() {
    let scene = Scene::new();
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let rogue = Rogue::dialer();
    let joined = rogue.join(receiver.listening(), scene.key(), Intruder::SESSION);
    expect_refused(&rogue, joined, Cause::PeerLost, CloseCode::StateLost);
    let intruder = rogue.intrude(receiver.listening(), scene.key(), Default::default());
    finish_well(&scene, receiver, &rogue, intruder);
}

#[test]
fn more_links_than_a_session_may_have_are_turned_away() {
    let scene = Scene::new();
    let (receiver, rogue, intruder) = intrusion(&scene);
    let join = || rogue.join(receiver.listening(), scene.key(), Intruder::SESSION);
    let joined: Vec<_> = (0..MAX_LINKS).map(|_| join()).collect();
    assert!(joined.iter().all(|(_, answer)| *answer == Some(Message::Joined)));
    expect_refused(&rogue, join(), Cause::Refused, CloseCode::Broken);
    finish_well(&scene, receiver, &rogue, intruder);
}

#[test]
fn a_block_that_comes_over_every_link_is_there_once() {
    let scene = Scene::new();
    let (receiver, rogue, intruder) = intrusion(&scene);
    let joined: Vec<_> = (0..3).map(|_| rogue.join(receiver.listening(), scene.key(), Intruder::SESSION).0).collect();
    rogue.run(async {
        for link in &joined {
            link.send_block(0, WHOLE).await;
        }
    });
    finish_well(&scene, receiver, &rogue, intruder);
}

#[test]
fn what_a_joined_link_may_not_say_ends_that_link_only() {
    let scene = Scene::new();
    let (receiver, rogue, intruder) = intrusion(&scene);
    let (mut joined, answer) = rogue.join(receiver.listening(), scene.key(), Intruder::SESSION);
    assert_eq!(answer, Some(Message::Joined));
    let ended = rogue.run(async {
        joined.say(&Message::Seen).await;
        joined.wait_for_the_end().await
    });
    assert!(matches!(ended, LinkError::Closed { code: CloseCode::Broken, .. }), "{ended:?}");
    finish_well(&scene, receiver, &rogue, intruder);
}
