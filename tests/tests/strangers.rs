//! A one-shot receiver on a port that anybody can reach.

use std::io::Write;
use std::net::{IpAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use xbproto::wire::CloseCode;
use xbtests::{Backup, Input, Rogue, Scene, throw_garbage};

/// Datagrams and wrong keys that a receiver must survive.
const DATAGRAMS: usize = 10_000;
const WRONG_KEYS: usize = 50;

/// Strangers that come and hold their places: so many of each kind, and from each address.
const HOLDING: usize = 100;

#[test]
fn strangers_neither_stop_a_receiver_nor_use_it_up() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let address = receiver.listening();
    throw_garbage(address, DATAGRAMS);
    let rogue = Rogue::dialer();
    let silent: Vec<_> = (0..5).map(|_| rogue.connect_in_silence(address)).collect();
    for _ in 0..WRONG_KEYS {
        let refused = rogue.knock(address, Scene::new().key(), xbproto::wire::VERSIONS).expect_err("a wrong key");
        assert!(refused.to_string().contains("key"), "{refused}");
    }
    scene.sender(&address.to_string(), []).feed(&backup).start().wait().expect_success();
    let received = receiver.wait();
    received.expect_success();
    drop(silent);
    let lines = received.log.lines().filter(|line| line.contains("turned away")).count();
    assert!((1..=10).contains(&lines), "{lines} lines about strangers, all from one address");
    assert!(std::fs::read(scene.path("out.xb")).expect("stored") == backup.stream());
}

#[test]
fn a_stranger_with_the_key_of_another_listener_learns_nothing() {
    let scene = Scene::new();
    let rogue = Rogue::listener();
    let sender = scene.sender(&rogue.address().to_string(), []).feed(&Backup::small()).start();
    rogue.admit(Scene::new().key(), xbproto::wire::VERSIONS).expect_err("another key");
    sender.wait().expect_failure(4).expect_said("key");
}

#[test]
fn waiting_for_nobody_ends_as_not_reached() {
    let scene = Scene::new();
    let receiver = scene.receiver(["-o", "out.xb", "--wait", "1s"]).start();
    throw_garbage(receiver.listening(), DATAGRAMS);
    receiver.wait().expect_failure(3).expect_said("no sender came");
    assert_eq!(scene.listing("."), Vec::<String>::new());
}

#[test]
fn waiting_with_nobody_but_wrong_keys_ends_as_refused() {
    let scene = Scene::new();
    let receiver = scene.receiver(["-o", "out.xb", "--wait", "3s"]).start();
    let rogue = Rogue::dialer();
    let address = receiver.listening();
    rogue.knock(address, Scene::new().key(), xbproto::wire::VERSIONS).expect_err("a wrong key");
    receiver.wait().expect_failure(4);
}

#[test]
fn a_strangers_last_words_are_its_own() {
    let scene = Scene::new();
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let address = receiver.listening();
    for code in codes() {
        Rogue::dialer().close_at_once(address, code, "I have no key at all");
    }
    scene.sender(&address.to_string(), []).feed(&Backup::small()).start().wait().expect_success();
    let received = receiver.wait();
    received.expect_success();
    let echoes: Vec<&str> = received.log.lines().filter(|line| line.contains("no key at all")).collect();
    assert!(echoes.iter().all(|line| line.contains("turned away 127.0.0.1")), "{echoes:?}");
}

#[test]
fn waiting_with_nobody_but_strangers_ends_as_not_reached() {
    let scene = Scene::new();
    let receiver = scene.receiver(["-o", "out.xb", "--wait", "3s"]).start();
    let address = receiver.listening();
    for code in codes() {
        Rogue::dialer().close_at_once(address, code, "I have no key at all");
    }
    receiver.wait().expect_failure(3).expect_said("no sender came");
    assert_eq!(scene.listing("."), Vec::<String>::new());
}

/// Whatever a stranger may close with.
fn codes() -> [u32; 6] {
    let named = [CloseCode::Done, CloseCode::WrongKey, CloseCode::Version, CloseCode::Busy, CloseCode::Violation];
    let [done, key, version, busy, violation] = named.map(CloseCode::number);
    [done, key, version, busy, violation, 0x107]
}

#[test]
fn strangers_that_hold_their_places_do_not_keep_the_sender_out() {
    let scene = Scene::new();
    let receiver = scene.xbrecv(["--listen", "0", "-o", "out.xb"]).start();
    let port = receiver.listening().port();
    let rogues: Vec<(Rogue, IpAddr)> = addresses().map(|from| (Rogue::dialer_from(from), from)).collect();
    let mut held = Vec::new();
    for (rogue, address) in rogues.iter().cycle().take(rogues.len() * HOLDING) {
        let address = (*address, port).into();
        held.push((rogue.connect_in_silence(address), rogue.stop_within_a_knock(address, Scene::new().key())));
    }
    let sender = scene.sender(&format!("127.0.0.1:{port}"), ["--wait", "10s"]).feed(&Backup::small());
    sender.start().wait().expect_success();
    receiver.wait().expect_success();
    drop(held);
}

#[test]
fn strangers_that_keep_coming_do_not_keep_the_sender_out() {
    let (scene, rogue) = (Scene::new(), Rogue::dialer());
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let (address, is_in) = (receiver.listening(), AtomicBool::new(false));
    let mut held: Vec<_> = (0..HOLDING).map(|_| rogue.connect_in_silence(address)).collect();
    let (pipe, mut feed) = std::io::pipe().expect("a pipe");
    let sender = thread::scope(|scope| {
        scope.spawn(|| {
            while !is_in.load(Ordering::Relaxed) {
                held.push(rogue.connect_in_silence(address));
                thread::sleep(Duration::from_millis(40));
            }
        });
        let sender = scene.sender(&address.to_string(), ["--wait", "10s"]).input(Input::Open(pipe.into())).start();
        sender.log().wait_for("sending to");
        is_in.store(true, Ordering::Relaxed);
        sender
    });
    feed.write_all(&Backup::small().stream()).expect("a sender that reads");
    drop(feed);
    sender.wait().expect_success();
    receiver.wait().expect_success();
}

/// Some of this host's own: not every host has one of IPv6.
fn addresses() -> impl Iterator<Item = IpAddr> {
    let all = ["127.0.0.1", "127.0.0.2", "::1"].map(|text| text.parse::<IpAddr>().expect("an address"));
    all.into_iter().filter(|address| UdpSocket::bind((*address, 0)).is_ok())
}
