//! Who sends and who dials are two independent facts: the sender listens, and the receiver connects to it.

use rustix::process::Signal;
use xbtests::pace::pass;
use xbtests::{Backup, Input, Pace, Program, Relay, Running, Scene, Trickle};

/// A sender of this file that listens on a free port of this host.
fn listening_sender<const N: usize>(scene: &Scene, args: [&str; N]) -> Program {
    let pace = Pace::of_this_run();
    scene.xbsend(["--listen", "127.0.0.1:0"]).args(pace.sender_options()).args(args)
}

/// A receiver that connects there, to unpack into a folder, or whatever else is said.
fn connecting_receiver<const N: usize>(scene: &Scene, to: &str, args: [&str; N]) -> Program {
    scene.xbrecv(["--connect", to]).args(Pace::of_this_run().receiver_options()).args(args)
}

#[test]
fn a_receiver_fetches_a_backup() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("b.xb", backup.stream());
    scene.new_folder("restored");
    let sender = listening_sender(&scene, ["-i", "b.xb"]).start();
    let received = connecting_receiver(&scene, &sender.address(), ["-x", "-C", "restored"]).start().wait();
    let sent = sender.wait();
    received.expect_success();
    sent.expect_success();
    assert_eq!(sent.checksums()[0].0, received.checksums()[0].0);
    backup.expect_in(&scene.path("restored"));
    scene.expect_nobody_left();
}

#[test]
fn what_a_command_gives_is_stored_with_its_checksum() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("b.xb", backup.stream());
    let sender = listening_sender(&scene, ["--", "cat", "b.xb"]).start();
    let received = connecting_receiver(&scene, &sender.address(), ["-o", "copy.xb"]).start().wait();
    received.expect_success();
    sender.wait().expect_success();
    assert!(std::fs::read(scene.path("copy.xb")).expect("a copy") == backup.stream());
    assert!(scene.path("copy.xb.sha1").exists());
}

/// A transfer over a relay, with the link down for a while in its middle; who comes back is the receiver.
#[test]
fn the_receiver_comes_back_after_an_outage() {
    let (scene, backup, pace) = (Scene::new(), Backup::new(8, 1 << 20), Pace::of_this_run());
    let source = Trickle::of(&backup);
    let sender = listening_sender(&scene, []).input(source.input()).start();
    let relay = Relay::to(sender.listening());
    let receiver = connecting_receiver(&scene, &relay.address(), ["-o", "copy.xb"]).start();
    scene.wait_for_size("copy.xb.partial", 1 << 20);
    relay.down();
    pass(pace.outage);
    relay.up();
    source.release();
    let (sent, received) = (sender.wait(), receiver.wait());
    sent.expect_success().expect_said("for the receiver to come back").expect_said("resumed at byte ");
    received.expect_success().expect_said("trying to come back").expect_said("resumed at byte ");
    assert!(std::fs::read(scene.path("copy.xb")).expect("a copy") == backup.stream());
}

#[test]
fn a_receiver_that_was_killed_goes_on_where_it_was() {
    let (scene, backup) = (Scene::new(), Backup::new(8, 1 << 20));
    let source = Trickle::of(&backup);
    let sender = listening_sender(&scene, []).input(source.input()).start();
    let to = sender.address();
    let receiver = connecting_receiver(&scene, &to, ["-o", "copy.xb"]).start();
    scene.wait_for_size("copy.xb.partial", 1 << 20);
    receiver.signal(Signal::KILL);
    assert_eq!(receiver.wait().code, 137);
    let again = connecting_receiver(&scene, &to, ["-o", "copy.xb"]).start();
    again.log().wait_for("resumed at byte ");
    source.release();
    again.wait().expect_success();
    sender.wait().expect_success().expect_said("interrupted").expect_said("resumed at byte ");
    assert!(std::fs::read(scene.path("copy.xb")).expect("a copy") == backup.stream());
}

/// A link that is down for longer than the sender would wait.
#[test]
fn an_outage_that_is_too_long_ends_both() {
    let scene = Scene::new();
    scene.file("part.xb", Backup::without_its_end().stream());
    let sender = listening_sender(&scene, ["--", "sh", "-c", "cat part.xb; exec sleep 1000"]).start();
    let relay = Relay::to(sender.listening());
    let receiver = connecting_receiver(&scene, &relay.address(), ["-o", "copy.xb"]).start();
    sender.log().wait_for("sending to");
    relay.down();
    let (sent, received) = (sender.wait(), receiver.wait());
    sent.expect_failure(3).expect_said("the receiver did not come back within");
    received.expect_failure(3).expect_said("it was not reached again within");
    scene.expect_nobody_left();
    assert!(!scene.path("copy.xb").exists());
}

#[test]
fn a_receiver_with_another_key_learns_nothing_and_the_right_one_is_served() {
    let (scene, stranger, backup) = (Scene::new(), Scene::new(), Backup::small());
    scene.file("b.xb", backup.stream());
    let sender = listening_sender(&scene, ["-i", "b.xb"]).start();
    let refused = connecting_receiver(&stranger, &sender.address(), ["-o", "copy.xb"]).start().wait();
    refused.expect_failure(4).expect_said("the key is not the sender's");
    sender.log().wait_for("turned away");
    connecting_receiver(&scene, &sender.address(), ["-o", "copy.xb"]).start().wait().expect_success();
    sender.wait().expect_success();
}

#[test]
fn a_second_receiver_is_told_that_the_sender_is_busy() {
    let (scene, backup) = (Scene::new(), Backup::new(8, 1 << 20));
    let source = Trickle::of(&backup);
    let sender = listening_sender(&scene, []).input(source.input()).start();
    let first = connecting_receiver(&scene, &sender.address(), ["-o", "first.xb"]).start();
    sender.log().wait_for("sending to");
    let second = connecting_receiver(&scene, &sender.address(), ["-o", "second.xb"]).start().wait();
    second.expect_failure(4).expect_said("the sender is busy with session");
    source.release();
    first.wait().expect_success();
    sender.wait().expect_success();
}

#[test]
fn a_failing_source_is_told_to_the_receiver_that_came() {
    let scene = Scene::new();
    let sender = listening_sender(&scene, ["--", "sh", "-c", "echo 'no such table' >&2; exit 3"]).start();
    let received = connecting_receiver(&scene, &sender.address(), ["-o", "copy.xb"]).start().wait();
    let sent = sender.wait();
    sent.expect_failure(6).expect_said("no such table");
    received.expect_failure(6);
    assert!(scene.listing("").is_empty(), "{:?}", scene.listing(""));
}

#[test]
fn backups_are_made_for_one_receiver_after_the_other() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("b.xb", backup.stream());
    let sender = listening_sender(&scene, ["--times", "2", "--", "sh", "-c", "echo run >> runs; cat b.xb"]).start();
    let to = sender.address();
    for name in ["first", "second"] {
        scene.new_folder(name);
        connecting_receiver(&scene, &to, ["--wait", "60s", "-x", "-C", name]).start().wait().expect_success();
        backup.expect_in(&scene.path(name));
    }
    sender.wait().expect_success();
    assert_eq!(std::fs::read_to_string(scene.path("runs")).expect("runs"), "run\nrun\n");
}

/// What was ordered for one backup holds for those that follow.
#[test]
fn an_ordered_limit_holds_for_the_next_backup() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("b.xb", backup.stream());
    let sender = listening_sender(&scene, ["--times", "2", "--control-socket", "s", "-i", "b.xb"]).start();
    sender.log().wait_for("listening on");
    scene.xbsend(["--control", "s", "rate-limit", "512k"]).start().wait().expect_code(0);
    let to = sender.address();
    for name in ["first.xb", "second.xb"] {
        let receiver = connecting_receiver(&scene, &to, ["--wait", "60s", "-o", name]).start();
        receiver.wait().expect_success().expect_said("the sender limits the rate to 512.0 KiB/s");
    }
    sender.wait().expect_success();
}

#[test]
fn a_backup_that_failed_is_told_at_the_end_of_all() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("b.xb", backup.stream());
    let once = "[ -e tried ] || { touch tried; exit 1; }; cat b.xb";
    let sender = listening_sender(&scene, ["--times", "2", "--", "sh", "-c", once]).start();
    let to = sender.address();
    connecting_receiver(&scene, &to, ["-o", "first.xb"]).start().wait().expect_failure(6);
    connecting_receiver(&scene, &to, ["--wait", "60s", "-o", "second.xb"]).start().wait().expect_success();
    let sent = sender.wait();
    assert_eq!(sent.code, 6);
    sent.expect_said("1 of 2 backups failed, the last of them: ");
}

#[test]
fn a_receiver_takes_one_backup_after_the_other() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("b.xb", backup.stream());
    let receiver = scene.receiver(["--times", "2", "-o", "day-%n.xb"]).start();
    let to = receiver.address();
    for _ in 0..2 {
        scene.sender(&to, ["--wait", "60s", "-i", "b.xb"]).start().wait().expect_success();
    }
    receiver.wait().expect_success();
    for name in ["day-1.xb", "day-2.xb"] {
        assert!(std::fs::read(scene.path(name)).expect("a copy") == backup.stream(), "{name}");
    }
}

fn expect_usage(program: Program, words: &str) {
    program.start().wait().expect_failure(2).expect_said(words);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let scene = Scene::new();
    expect_usage(scene.xbrecv(["--times", "2", "-o", "copy.xb"]), "%n");
    expect_usage(scene.xbsend(["--listen", "0", "db2:9999"]), "cannot be used with");
    expect_usage(scene.xbsend(["--times", "2", "db2:9999"]), "cannot be used with");
    expect_usage(scene.xbrecv(["--connect", "db2", "--listen", "0", "-x"]), "cannot be used with");
    let piped = scene.xbsend(["--listen", "127.0.0.1:0", "--times", "2"]).input(Input::Bytes(Vec::new()));
    expect_usage(piped, "standard input can be read only once");
}

#[test]
fn whoever_waits_in_vain_says_so() {
    let scene = Scene::new();
    scene.file("b.xb", Backup::small().stream());
    let nobody = |program: Running, words: &str| {
        program.wait().expect_failure(3).expect_said(words);
    };
    nobody(
        listening_sender(&scene, ["--wait", "300ms", "-i", "b.xb"]).start(),
        "no receiver came within 0.3 s (--wait)",
    );
    let free = scene.free_address().to_string();
    nobody(
        connecting_receiver(&scene, &free, ["--wait", "300ms", "-o", "c.xb"]).start(),
        "was not reached within 0.3 s",
    );
    assert_eq!(scene.listing(""), ["b.xb"]);
}

#[test]
fn a_place_that_is_taken_ends_all_turns() {
    let scene = Scene::new();
    scene.file("day-1.xb", "mine");
    scene.receiver(["--times", "0", "-o", "day-%n.xb"]).start().wait().expect_failure(7).expect_said("day-1.xb");
    listening_sender(&scene, ["--times", "0", "-i", "no-such-file"]).start().wait().expect_failure(6);
}

#[test]
fn a_receiver_waits_for_its_turn() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("b.xb", backup.stream());
    let script = "while [ ! -e go ]; do sleep 0.05; done; cat b.xb";
    let sender = listening_sender(&scene, ["--times", "2", "--", "sh", "-c", script]).start();
    let first = connecting_receiver(&scene, &sender.address(), ["-o", "first.xb"]).start();
    sender.log().wait_for("sending to");
    let second = connecting_receiver(&scene, &sender.address(), ["--wait", "60s", "-o", "second.xb"]).start();
    sender.log().wait_for("has to wait");
    scene.file("go", "");
    first.wait().expect_success();
    second.wait().expect_success();
    sender.wait().expect_success();
}

#[test]
fn a_receiver_that_cannot_take_the_session_says_why() {
    let scene = Scene::new();
    scene.file("b.xb", Backup::small().stream());
    let sender = listening_sender(&scene, ["-i", "b.xb", "-i", "b.xb"]).start();
    let received = connecting_receiver(&scene, &sender.address(), ["--window", "2m", "-o", "copy.xb"]).start().wait();
    let sent = sender.wait();
    received.expect_failure(4).expect_said("window");
    sent.expect_failure(4).expect_said("window");
}
