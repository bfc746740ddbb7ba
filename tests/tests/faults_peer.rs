//! The table of faults, `docs/faults.md`: programs that are stopped, killed, or not listened to. Each test is a row.

use rustix::process::Signal;
use xbtests::pace::pass;
use xbtests::{Backup, Destination, Pace, Scene, Transfer, Trickle};

fn backup() -> Backup {
    Backup::new(6, 1 << 20)
}

/// A transfer whose source never ends by itself.
fn with_child<'a>(scene: &'a Scene, destination: Destination) -> Transfer<'a> {
    scene.file("part.xb", Backup::without_its_end().stream());
    let source = ["--", "sh", "-c", "cat part.xb; exec sleep 1000"];
    let transfer = Transfer::start(scene, destination.receiver(scene), |to| scene.sender(to, source));
    transfer.wait_until_welcome();
    transfer
}

/// The sender is killed (SIGKILL).
#[test]
fn a_sender_killed() {
    Destination::each(|destination| {
        let scene = Scene::at(Pace::of_this_run());
        let mut transfer = with_child(&scene, destination);
        transfer.expect_under_way();
        transfer.sender.signal(Signal::KILL);
        let verdict = transfer.end();
        assert_eq!(verdict.sent.code, 137);
        verdict.received.expect_failure(3).expect_said("the link to the sender was lost");
        verdict.expect_left(&["part.xb"]);
    });
}

/// The receiver is stopped for a minute (SIGSTOP) and goes on (SIGCONT).
#[test]
fn a_receiver_stopped_for_a_while() {
    Destination::each(|destination| {
        let (scene, backup) = (Scene::at(Pace::of_this_run()), backup());
        let source = Trickle::of(&backup);
        let receiver = destination.receiver(&scene);
        let mut transfer = Transfer::start(&scene, receiver, |to| scene.sender(to, []).input(source.input()));
        transfer.wait_until_under_way();
        transfer.receiver.signal(Signal::STOP);
        pass(Pace::of_this_run().pause);
        transfer.receiver.signal(Signal::CONT);
        transfer.expect_under_way();
        source.release();
        transfer.end().expect_arrived(&backup, destination, &[]);
    });
}

/// A signal ends both sides in mid-transfer, the source with them, and nothing is left.
fn expect_end_by(signal: &str, code: i32, send: impl Fn(&Transfer<'_>)) {
    for destination in Destination::BOTH {
        let scene = Scene::new();
        let mut transfer = with_child(&scene, destination);
        transfer.expect_under_way();
        send(&transfer);
        transfer.end().expect_both_failed(code, signal).expect_left(&["part.xb"]);
    }
}

/// Ctrl-C on the sender (SIGINT).
#[test]
fn a_sender_interrupted() {
    expect_end_by("SIGINT", 130, |transfer| transfer.sender.signal(Signal::INT));
}

/// The sender is told to end (SIGTERM).
#[test]
fn a_sender_terminated() {
    expect_end_by("SIGTERM", 143, |transfer| transfer.sender.signal(Signal::TERM));
}

/// Ctrl-C on the receiver (SIGINT).
#[test]
fn a_receiver_interrupted() {
    expect_end_by("SIGINT", 130, |transfer| transfer.receiver.signal(Signal::INT));
}

/// The receiver is told to end (SIGTERM).
#[test]
fn a_receiver_terminated() {
    expect_end_by("SIGTERM", 143, |transfer| transfer.receiver.signal(Signal::TERM));
}

/// The sender's standard error is closed.
#[test]
fn a_sender_without_standard_error() {
    let (scene, backup) = (Scene::new(), backup());
    let receiver = Destination::File.receiver(&scene);
    let verdict = Transfer::start(&scene, receiver, |to| scene.sender(to, []).feed(&backup).without_stderr()).end();
    assert_eq!(verdict.sent.code, 0);
    verdict.received.expect_success();
    verdict.expect_stored(&backup);
}

/// The receiver's standard error is closed.
#[test]
fn a_receiver_without_standard_error() {
    let (scene, backup) = (Scene::new(), backup());
    let address = scene.free_address();
    let receiver = scene.receiver_at(&address.to_string()).args(["-o", "out.xb"]).without_stderr().start();
    let verdict = Transfer::to(&scene, receiver, address, |to| scene.sender(to, []).feed(&backup)).end();
    assert_eq!(verdict.received.code, 0);
    verdict.sent.expect_success();
    verdict.expect_stored(&backup);
}
