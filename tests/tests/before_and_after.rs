//! What is said no to before a byte is sent, and what a signal still changes after the last one.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use xbtests::{Backup, Input, Pace, Running, Scene};

/// More than any disk has.
const TOO_MUCH: [&str; 2] = ["--size", "1000000000G"];

#[test]
fn a_size_that_has_no_room() {
    let scene = Scene::new();
    let receiver = scene.receiver(["-o", "out.xb"]);
    let (sent, received) = scene.transfer(receiver, |to| scene.sender(to, TOO_MUCH).feed(&Backup::small()));
    sent.expect_failure(7).expect_said("are needed");
    let reason = sent.log.lines().find_map(|line| Some(&line[line.find("file out.xb has ")?..])).expect("a reason");
    received.expect_failure(7).expect_said(reason);
    scene.expect_nobody_left();
    assert_eq!(scene.listing("."), Vec::<String>::new());
}

#[test]
fn a_check_of_a_size_that_has_no_room_leaves_the_receiver_waiting() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let address = receiver.address();
    let [size, too_much] = TOO_MUCH;
    scene.sender(&address, ["--check", size, too_much]).start().wait().expect_failure(7).expect_said("are needed");
    scene.sender(&address, []).feed(&backup).start().wait().expect_success();
    receiver.wait().expect_success();
}

#[test]
fn a_check_with_a_wrong_key_leaves_the_receiver_waiting() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let address = receiver.address();
    let check = scene.sender(&address, ["--check"]).env("XB_KEY", Scene::new().key().reveal());
    check.start().wait().expect_failure(4).expect_said("key");
    scene.sender(&address, []).feed(&backup).start().wait().expect_success();
    receiver.wait().expect_success();
}

#[test]
fn checks_during_a_transfer_are_told_that_the_receiver_is_busy() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let address = receiver.address();
    let (pipe, mut feed) = std::io::pipe().expect("a pipe");
    let sender = scene.sender(&address, []).input(Input::Open(pipe.into())).start();
    sender.log().wait_for("sending to");
    for _ in 0..3 {
        scene.sender(&address, ["--check"]).start().wait().expect_failure(4).expect_said("busy");
        scene.sender(&address, []).feed(&backup).start().wait().expect_failure(4).expect_said("busy");
    }
    std::io::copy(&mut std::io::Cursor::new(backup.stream()), &mut feed).expect("a sender that reads");
    drop(feed);
    sender.wait().expect_success();
    receiver.wait().expect_success();
    assert!(fs::read(scene.path("out.xb")).expect("stored") == backup.stream());
}

/// A consumer that does not end by itself, and one that ends when it is told to.
const ENDLESS: &str = "exec sleep 1000";
const UNTIL_TOLD: &str = "while ! [ -e go ]; do sleep 0.02; done";

/// A sender that has sent everything, and a receiver whose consumer has heard everything and then does this.
fn slow_to_commit(scene: &Scene, then: &str) -> (Running, Running) {
    let script = format!("cat > all; touch heard; {then}");
    let receiver = scene.receiver(["--", "sh", "-c", &script]).start();
    let sender = scene.sender(&receiver.address(), []).feed(&Backup::small()).start();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !scene.path("heard").exists() {
        assert!(Instant::now() < deadline, "the consumer has not heard everything");
        thread::sleep(Duration::from_millis(10));
    }
    (sender, receiver)
}

#[test]
fn a_sender_signalled_before_its_receipt_takes_the_backup_back() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let scene = Scene::new();
        let (sender, receiver) = slow_to_commit(&scene, ENDLESS);
        sender.signal(signal);
        sender.wait().expect_failure(code).expect_said("the copy may exist: look at the receiver");
        receiver.wait().expect_failure(code).expect_said("sender: ");
        scene.expect_nobody_left();
    }
}

#[test]
fn a_receiver_signalled_before_its_receipt_gives_the_backup_up() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let scene = Scene::new();
        let (sender, receiver) = slow_to_commit(&scene, ENDLESS);
        receiver.signal(signal);
        receiver.wait().expect_failure(code);
        sender.wait().expect_failure(code).expect_said("receiver: ");
        scene.expect_nobody_left();
    }
}

#[test]
fn a_sender_killed_after_its_last_byte_does_not_stop_the_commit() {
    let scene = Scene::at(Pace::of_this_run().without_retry());
    let (sender, receiver) = slow_to_commit(&scene, UNTIL_TOLD);
    sender.signal(Signal::KILL);
    assert_eq!(sender.wait().code, 137);
    scene.file("go", "");
    receiver.wait().expect_success().expect_said("the sender has not acknowledged the receipt");
}
