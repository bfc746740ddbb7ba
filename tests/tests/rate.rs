//! The rate limit while it runs: set by either side, through the control socket of either program.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use xbtests::{Backup, Ended, Running, Scene};

const MIB: f64 = 1_048_576.0;

/// How long a change may take to be met, and how long it is looked at then.
const MET: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_secs(2);

/// Who has a socket.
#[derive(Clone, Copy, Debug)]
enum Side {
    Sender,
    Receiver,
}

use Side::{Receiver, Sender};

/// Gives an order to the program of a side.
fn order(scene: &Scene, side: Side, words: &str) -> Ended {
    let program = match side {
        Sender => scene.xbsend(["--control", "send.socket"]),
        Receiver => scene.xbrecv(["--control", "recv.socket"]),
    };
    program.args(words.split(' ')).start().wait()
}

fn carried_out(scene: &Scene, side: Side, words: &str) -> String {
    let ended = order(scene, side, words);
    assert_eq!((ended.code, ended.log.as_str()), (0, ""), "{words}");
    String::from_utf8(ended.stdout).expect("UTF-8")
}

fn status(scene: &Scene, side: Side) -> Value {
    let said = carried_out(scene, side, "status");
    assert_eq!(said.lines().count(), 1, "{said}");
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{said}: {error}"))
}

/// A sender whose source never ends, at 4 MiB/s, and a receiver that throws away what comes; both take orders.
fn endless(scene: &Scene) -> (Running, Running) {
    let receiver = scene.receiver(["--control-socket", "recv.socket", "-o", "/dev/null"]).start();
    let args = ["--raw", "-L", "4m", "--control-socket", "send.socket", "--", "cat", "/dev/zero"];
    let sender = scene.sender(&receiver.address(), args).start();
    sender.log().wait_for("sending to");
    (sender, receiver)
}

fn expect_ended(scene: &Scene, sender: Running, receiver: Running) {
    sender.signal(Signal::TERM);
    assert_eq!((sender.wait().code, receiver.wait().code), (143, 143));
    scene.expect_nobody_left();
    assert_eq!(scene.listing("."), Vec::<String>::new(), "the sockets are gone");
}

/// Bytes a second between two answers, from a second after now on.
fn measured(scene: &Scene) -> f64 {
    let bytes = || status(scene, Receiver)["bytes"].as_f64().unwrap_or_default();
    sleep(MET);
    let (before, since) = (bytes(), Instant::now());
    sleep(LOOK);
    (bytes() - before) / since.elapsed().as_secs_f64()
}

#[test]
fn ten_changes_through_both_sockets_are_met_within_a_second() {
    let scene = Scene::new();
    let (sender, receiver) = endless(&scene);
    let changes = [
        (Sender, "16m", 16.0, "sender"),
        (Receiver, "4m", 4.0, "receiver"),
        (Receiver, "32m", 16.0, "sender"),
        (Sender, "4m", 4.0, "sender"),
        (Sender, "none", 32.0, "receiver"),
        (Receiver, "4m", 4.0, "receiver"),
        (Receiver, "16m", 16.0, "receiver"),
        (Sender, "4m", 4.0, "sender"),
        (Sender, "24m", 16.0, "receiver"),
        (Receiver, "2m", 2.0, "receiver"),
    ];
    for (number, (side, rate, binding, by)) in changes.into_iter().enumerate() {
        assert_eq!(carried_out(&scene, side, &format!("rate-limit {rate}")), "");
        let got = measured(&scene) / MIB;
        // What has arrived is told twice a second, and block by block; and a busy machine is slow.
        assert!((binding * 0.4..=binding * 1.7).contains(&got), "change {number}: {got} MiB/s of {binding}");
        for side in [Sender, Receiver] {
            let status = status(&scene, side);
            assert_eq!(status["rate_limit"], binding * MIB, "change {number}, {side:?}");
            assert_eq!(status["rate_limit_by"], by, "change {number}, {side:?}");
        }
    }
    sender.log().wait_for("the rate limit is 24.0 MiB/s now; that of the receiver is 16.0 MiB/s, and binds");
    sender.log().wait_for("the receiver limits the rate to 2.0 MiB/s");
    receiver.log().wait_for("the sender does not limit the rate any more");
    expect_ended(&scene, sender, receiver);
}

#[test]
fn the_receivers_limit_is_kept_and_told_with_whose_it_is() {
    let (scene, backup) = (Scene::new(), Backup::new(3, 1 << 20));
    let receiver = scene.receiver(["-L", "1m", "-o", "out.xb"]);
    let (sent, received) = scene.transfer(receiver, |to| scene.sender(to, ["-L", "100m"]).feed(&backup));
    sent.expect_success().expect_said("the receiver limits the rate to 1.0 MiB/s");
    for ended in [sent, received] {
        ended.expect_success().expect_said("the limit was the limiter for ");
        ended.expect_said("the receiver's --rate-limit has it so");
    }
}

#[test]
fn orders_are_taken_before_the_other_side_is_there() {
    let scene = Scene::new();
    let address = scene.free_address().to_string();
    let args = ["--raw", "--wait", "60s", "--control-socket", "send.socket", "--", "cat", "/dev/zero"];
    let sender = scene.sender(&address, args).start();
    sender.log().wait_for("connecting to");
    assert_eq!(status(&scene, Sender)["state"], "looking for the receiver");
    carried_out(&scene, Sender, "rate-limit 2m");
    let receiver = scene.receiver_at(&address).args(["--control-socket", "recv.socket", "-o", "/dev/null"]).start();
    receiver.log().wait_for("the sender limits the rate to 2.0 MiB/s");
    expect_ended(&scene, sender, receiver);
}

#[test]
fn the_socket_is_for_nobody_else() {
    let scene = Scene::new();
    let receiver = scene.receiver(["--control-socket", "recv.socket", "-o", "out.xb"]).start();
    receiver.listening();
    let there = fs::symlink_metadata(scene.path("recv.socket")).expect("a socket");
    assert!(there.file_type().is_socket());
    assert_eq!(there.permissions().mode() & 0o777, 0o600);
    let second = scene.receiver(["--control-socket", "recv.socket", "-o", "other.xb"]).start().wait();
    second.expect_failure(2).expect_said("a program listens there already");
    assert_eq!(status(&scene, Receiver)["state"], "waiting for a sender");
    receiver.signal(Signal::INT);
    receiver.wait().expect_failure(130);
    assert_eq!(scene.listing("."), Vec::<String>::new());
}

#[test]
fn one_that_a_killed_program_has_left_is_replaced() {
    let scene = Scene::new();
    let receiver = scene.receiver(["--control-socket", "recv.socket", "-o", "/dev/null"]).start();
    receiver.listening();
    receiver.signal(Signal::KILL);
    assert_eq!(receiver.wait().code, 137);
    order(&scene, Receiver, "status").expect_failure(3).expect_said("is the program running");
    let receiver = scene.receiver(["--control-socket", "recv.socket", "-o", "/dev/null"]).start();
    receiver.listening();
    assert_eq!(status(&scene, Receiver)["state"], "waiting for a sender");
    receiver.signal(Signal::TERM);
    receiver.wait().expect_failure(143);
    assert!(!scene.path("recv.socket").exists());
}

#[test]
fn what_is_no_socket_is_left_alone() {
    let scene = Scene::new();
    scene.file("recv.socket", "mine");
    let receiver = scene.receiver(["--control-socket", "recv.socket", "-o", "out.xb"]).start().wait();
    receiver.expect_failure(2).expect_said("something is there that is no socket");
    assert_eq!(fs::read(scene.path("recv.socket")).expect("the file"), b"mine");
    order(&scene, Receiver, "status").expect_failure(3);
}

#[test]
fn what_is_no_order_is_wrong_usage_and_nobody_is_told() {
    let scene = Scene::new();
    for words in ["faster", "rate-limit", "rate-limit fast", "rate-limit 1", "status now"] {
        order(&scene, Sender, words).expect_failure(2);
    }
    scene.xbsend(["-L", "1m", "--control", "send.socket", "status"]).start().wait().expect_failure(2);
    order(&scene, Sender, "status").expect_failure(3).expect_said("send.socket");
}

/// Somebody listens there, but it is none of the programs.
#[test]
fn a_stranger_at_the_socket_is_none_of_the_programs() {
    let scene = Scene::new();
    let stranger = UnixListener::bind(scene.path("send.socket")).expect("a free place");
    let answering = std::thread::spawn(move || {
        use std::io::Write;
        let (mut stream, _) = stranger.accept().expect("a visitor");
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n");
    });
    order(&scene, Sender, "rate-limit 1m").expect_failure(3).expect_said("no answer of this program");
    answering.join().expect("an answer");
}

#[test]
fn garbage_and_silence_at_the_socket_disturb_nobody() {
    use std::io::Write;
    let scene = Scene::new();
    let (sender, receiver) = endless(&scene);
    let visit = || UnixStream::connect(scene.path("send.socket")).expect("somebody");
    let silent: Vec<_> = (0..8).map(|_| visit()).collect();
    let garbage: Vec<u8> = (0..1_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for said in [&garbage[..], b"\0\0\0\n", b"rate-limit 1\n", &[b'x'; 100_000]] {
        // It may be closed before all is written.
        let _ = visit().write_all(said);
    }
    carried_out(&scene, Sender, "rate-limit 8m");
    assert_eq!(status(&scene, Receiver)["rate_limit"], 8.0 * MIB);
    drop(silent);
    expect_ended(&scene, sender, receiver);
}
