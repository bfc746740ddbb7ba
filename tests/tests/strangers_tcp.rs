//! Whoever comes to the TCP port: none of them disturbs the receiver, and each comes to an end.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use xbproto::wire::{CloseCode, Frame};
use xbtests::{Backup, Running, Scene, TcpRogue, peak_memory};

/// Strangers of each kind that hold their places.
const HOLDING: usize = 100;

/// What is promised of an end, and some time for a busy machine.
const SOON: Duration = Duration::from_secs(30);

/// The most memory that a receiver may ever have had, in kilobytes.
const LIMIT: u64 = 150 << 10;

fn receiver(scene: &Scene) -> (Running, SocketAddr) {
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let address = receiver.listening();
    (receiver, address)
}

/// A sender comes after all that, and is served.
fn expect_undisturbed(scene: &Scene, receiver: Running, address: SocketAddr, transport: &str) -> String {
    let backup = Backup::small();
    let sender = scene.sender(&address.to_string(), ["--transport", transport]).feed(&backup);
    sender.start().wait().expect_success();
    let received = receiver.wait();
    received.expect_success();
    assert!(std::fs::read(scene.path("out.xb")).expect("stored") == backup.stream());
    received.log
}

/// Says something and reads to the end, which has to come.
fn visit(address: SocketAddr, words: &[u8]) {
    let mut visitor = TcpStream::connect(address).expect("an open port");
    visitor.set_read_timeout(Some(SOON)).expect("a timeout");
    // The other side may have had enough before all of it is written.
    let _ = visitor.write_all(words);
    let mut heard = Vec::new();
    if let Err(error) = visitor.read_to_end(&mut heard) {
        assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "nothing ends this visit");
    }
    assert!(heard.len() < 100, "a stranger was told {heard:?}");
}

#[test]
fn clients_without_tls_are_named_and_sent_home() {
    for (words, named) in [
        (&b"GET / HTTP/1.1\r\nHost: db2\r\n\r\n"[..], "something like an HTTP client"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "something like an SSH client"),
        (b"XBSTCK01\0P\x07\0\0\0ibdata1", "use xbsend for that"),
        (&[0x80; 100_000], "it does not speak TLS"),
        (b"\x16\x03\x01\xff\xff and no handshake at all", "its TLS is not acceptable"),
    ] {
        let scene = Scene::new();
        let (receiver, address) = receiver(&scene);
        visit(address, words);
        let log = expect_undisturbed(&scene, receiver, address, "auto");
        assert!(log.contains(named), "no {named:?} in {log}");
    }
}

#[test]
fn who_says_nothing_is_sent_home_and_who_looks_in_is_not_worth_a_word() {
    let scene = Scene::new();
    let (receiver, address) = receiver(&scene);
    (0..50).for_each(|_| drop(TcpStream::connect(address).expect("an open port")));
    assert!(!receiver.log().text().contains("turned away"));
    visit(address, b"");
    let log = expect_undisturbed(&scene, receiver, address, "auto");
    assert!(log.contains("it connected over TCP and said nothing"), "{log}");
}

#[test]
fn openssl_sees_the_certificate_and_is_sent_home() {
    let scene = Scene::new();
    let (receiver, address) = receiver(&scene);
    let client =
        scene.program("openssl", "openssl").args(["s_client", "-connect", &address.to_string()]).start().wait();
    assert!(String::from_utf8_lossy(&client.stdout).contains("BEGIN CERTIFICATE"), "{client:?}");
    let log = expect_undisturbed(&scene, receiver, address, "tcp");
    assert!(log.contains("it speaks TLS and not the protocol"), "{log}");
}

#[test]
fn strangers_over_tcp_that_hold_their_places_do_not_keep_the_sender_out() {
    let scene = Scene::new();
    let (receiver, address) = receiver(&scene);
    let silent: Vec<_> = (0..HOLDING).map(|_| TcpStream::connect(address).expect("an open port")).collect();
    let shaken: Vec<_> = (0..HOLDING).map(|_| TcpRogue::connect(address)).collect();
    let log = expect_undisturbed(&scene, receiver, address, "tcp");
    assert!(log.lines().filter(|line| line.contains("turned away")).count() <= 1, "{log}");
    drop((silent, shaken));
}

#[test]
fn a_wrong_key_over_tcp_is_a_refusal_and_no_reason_to_try_again() {
    let scene = Scene::new();
    let (receiver, address) = receiver(&scene);
    for transport in ["tcp", "auto"] {
        let stranger = Scene::new();
        let sender = stranger.sender(&address.to_string(), ["--transport", transport]).feed(&Backup::small());
        sender.start().wait().expect_failure(4).expect_said("the key is not the receiver's");
    }
    expect_undisturbed(&scene, receiver, address, "tcp");
}

/// Strangers that speak frames, and not as they should. Each is told, as far as it listens.
#[test]
fn frames_that_no_peer_writes_end_a_strangers_visit() {
    let scene = Scene::new();
    let (receiver, address) = receiver(&scene);
    for (bytes, expected) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], CloseCode::Violation),
        (&[3, 0, 0, 0, 1, 0], CloseCode::Violation),
        (&[1, 0xff, 0xff, 0xff, 0xff], CloseCode::Violation),
        (&[4, 0, 0, 0, 0], CloseCode::Violation),
        // A frame as it should be, with the head of a message that none has.
        (&[1, 0, 0, 0, 5, 0x01, 0xff, 0xff, 0xff, 0xff], CloseCode::Broken),
    ] {
        let mut rogue = TcpRogue::connect(address);
        rogue.write(bytes);
        let (code, _) = rogue.closed().expect("a close");
        assert_eq!(code, expected.number(), "{bytes:?}");
    }
    expect_undisturbed(&scene, receiver, address, "tcp");
}

/// A sender with the key that does this fails, the receiver says these words and has not grown.
fn expect_violation(words: &str, deed: impl FnOnce(&mut TcpRogue) + Send) {
    let scene = Scene::new();
    let (receiver, address) = receiver(&scene);
    let mut rogue = TcpRogue::intrude(address, scene.key());
    let highest = thread::scope(|scope| {
        let doing = scope.spawn(move || {
            deed(&mut rogue);
            rogue.closed()
        });
        let mut highest = 0;
        while !doing.is_finished() {
            highest = peak_memory(receiver.pid()).unwrap_or(0).max(highest);
            thread::sleep(Duration::from_millis(5));
        }
        doing.join().expect("a deed done").expect("a close");
        highest
    });
    assert!((1..LIMIT).contains(&highest), "the receiver had {highest} kB");
    receiver.wait().expect_failure(5).expect_said(words);
    scene.expect_nobody_left();
    assert_eq!(scene.listing("."), Vec::<String>::new());
}

#[test]
fn garbage_from_a_sender_with_the_key() {
    expect_violation("unknown frame kind 0x2a", |rogue| {
        rogue.write(&[0x2a; 100]);
    });
}

#[test]
fn a_length_that_no_frame_has() {
    expect_violation("frame of kind 0x03 with 4294967295 bytes", |rogue| {
        rogue.write(&[3, 0xff, 0xff, 0xff, 0xff]);
    });
}

#[test]
fn an_end_of_a_block_that_never_began() {
    expect_violation("the frame \"block ends\" came out of order", |rogue| {
        rogue.frame(&Frame::BlockEnd);
    });
}

/// The block says that it has a megabyte, and never ends.
#[test]
fn a_block_without_end() {
    expect_violation("bytes that follow", |rogue| {
        let header = [0x42, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        rogue.frame(&Frame::Piece(Bytes::copy_from_slice(&header)));
        let piece = Frame::Piece(Bytes::from(vec![1; 1 << 16]));
        for _ in 0..10_000 {
            if !rogue.frame(&piece) {
                break;
            }
        }
    });
}
