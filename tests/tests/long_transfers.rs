//! What can be asked of programs that run for long, and what they say by themselves.

use rustix::process::Signal;
use xbtests::skip::is_full_run;
use xbtests::{Backup, Destination, Pace, Running, Scene, Transfer, Trickle};

/// The terminal is gone, and the program says all the same how it does.
fn expect_status(program: &Running, words: &[&str]) {
    program.signal(Signal::HUP);
    for part in words {
        program.ask_until(&format!("status: {part}"));
    }
}

#[test]
fn a_receiver_that_waits_says_so_when_it_is_asked() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let address = receiver.address();
    expect_status(&receiver, &["waiting for a sender", "window: 0 B of 64.0 MiB in use", "path: no link"]);
    scene.sender(&address, []).feed(&backup).start().wait().expect_success();
    receiver.wait().expect_success();
}

#[test]
fn a_sender_that_looks_for_its_receiver_says_so_when_it_is_asked() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let address = scene.free_address().to_string();
    let sender = scene.sender(&address, ["--wait", "10m"]).feed(&backup).start();
    sender.log().wait_for("connecting to");
    expect_status(&sender, &["looking for the receiver", "path: no link"]);
    let receiver = scene.receiver_at(&address).args(["-o", "out.xb"]).start();
    sender.wait().expect_success();
    receiver.wait().expect_success();
}

#[test]
fn both_sides_say_how_they_do_when_they_are_asked() {
    let (scene, backup) = (Scene::at(Pace::of_this_run()), Backup::new(8, 1 << 20));
    let source = Trickle::of(&backup);
    let receiver = Destination::File.receiver(&scene);
    let mut transfer = Transfer::start(&scene, receiver, |to| scene.sender(to, []).input(source.input()));
    transfer.wait_until_under_way();
    expect_status(&transfer.sender, &["sending, ", "window: ", "peer: ", "path: round trip "]);
    expect_status(&transfer.receiver, &["receiving, ", "window: ", "peer: ", "path: round trip "]);
    transfer.relay.down();
    expect_status(&transfer.sender, &["the link is lost, trying to come back, ", "path: no link"]);
    expect_status(&transfer.receiver, &["the link is lost, waiting for the sender to come back, ", "path: no link"]);
    transfer.relay.up();
    transfer.sender.log().wait_for("resumed at byte ");
    transfer.expect_under_way();
    source.release();
    transfer.end().expect_arrived(&backup, Destination::File, &[]);
}

#[test]
fn both_sides_say_once_a_minute_that_nothing_moves() {
    if !is_full_run() {
        // A minute is a minute, and each face's words have tests without a clock.
        return;
    }
    let scene = Scene::new();
    scene.file("part.xb", Backup::without_its_end().stream());
    let source = ["--", "sh", "-c", "cat part.xb; exec sleep 1000"];
    let transfer = Transfer::start(&scene, Destination::File.receiver(&scene), |to| scene.sender(to, source));
    for side in [&transfer.sender, &transfer.receiver] {
        let line = side.log().wait_for_line("nothing has moved for ");
        assert!(line.ends_with(", waiting for the source; the other side is alive"), "{line}");
    }
    transfer.sender.signal(Signal::TERM);
    transfer.end().expect_both_failed(143, "SIGTERM");
}
