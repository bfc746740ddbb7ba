//! A one-shot receiver on a port that anybody can reach.

use std::net::UdpSocket;

use xbtests::{Backup, Rogue, Scene};

/// Datagrams and wrong keys that a receiver must survive.
const DATAGRAMS: usize = 10_000;
const WRONG_KEYS: usize = 50;

#[test]
fn strangers_neither_stop_a_receiver_nor_use_it_up() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let address = receiver.listening();
    throw_garbage(&address.to_string());
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

/// Datagrams of all lengths: noise, zeros, and what looks like the beginning of a QUIC connection.
fn throw_garbage(address: &str) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    for n in 0..DATAGRAMS {
        let mut datagram: Vec<u8> = (0..n % 1400).map(|at| (at * 31 + n * 17) as u8).collect();
        if let (0, Some(head)) = (n % 3, datagram.get_mut(..5)) {
            head.copy_from_slice(&[0xc3, 0, 0, 0, 1]);
        }
        // A full buffer on the other side is not our business.
        let _ = socket.send_to(&datagram, address);
    }
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
    throw_garbage(&receiver.address());
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
