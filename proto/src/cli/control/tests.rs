//! A socket, and whoever comes to it.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::cli::{Face, Moment, Reporter, Screen, Status, Verbosity};
use crate::quantity::Rate;
use crate::session::{Receiver, ReceiverConfig};
use crate::shared::Shared;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    (folder, path)
}

fn silent() -> Reporter {
    struct Silent;
    impl Face for Silent {
        fn show(&mut self, _: Moment, _: &crate::cli::Event) {}
    }
    Reporter::with_face(Box::new(Silent), Screen::Elsewhere, Verbosity::Normal)
}

/// Lets a visitor say something to the socket of a receiver that waits, and gives what it is answered, and the session.
async fn visit(said: &'static [u8]) -> (String, Shared<Receiver>) {
    let (_folder, path) = place();
    let mut socket = ControlSocket::open(&path).expect("a free place");
    let config = ReceiverConfig { window: 4 << 20, target: "a test".into(), free: None };
    let (session, reporter) = (Shared::new(Receiver::new(config)), silent());
    let visitor = tokio::task::spawn_blocking(move || {
        let (mut stream, mut answer) = (UnixStream::connect(&path).expect("somebody"), String::new());
        // One that was not let finish has its answer all the same.
        let _ = stream.write_all(said);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let _ = stream.read_to_string(&mut answer);
        answer
    });
    let heed = async {
        loop {
            socket.next().await.heed(&session, || Status { state: "testing".into(), ..Status::default() }, &reporter);
        }
    };
    let answer = tokio::select! {
        answer = visitor => answer.expect("a visitor"),
        () = heed => unreachable!("it heeds for ever"),
    };
    assert_eq!(
        socket.rate_limit().flatten(),
        session.look(|s| s.limits().receiver),
        "what the next session begins with"
    );
    (answer, session)
}

#[tokio::test]
async fn a_rate_limit_reaches_the_session() {
    let (answer, session) = visit(b"rate-limit 10m\n").await;
    assert_eq!(answer, "ok\n");
    assert_eq!(session.look(|s| s.limits().receiver), Rate::new(10 << 20).ok());
}

#[tokio::test]
async fn a_status_is_one_line_of_json() {
    let (answer, _) = visit(b"status").await;
    assert_eq!(answer.lines().count(), 1);
    let object: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    assert_eq!((&object["event"], &object["state"]), (&"status".into(), &"testing".into()));
    assert_eq!((&object["program"], &object["session"]), (&"xbrecv".into(), &serde_json::Value::Null));
}

#[tokio::test]
async fn what_is_no_order_is_answered_with_what_is() {
    for said in [&b"\n"[..], b"", b"\xff\x00\xfe\n", b"rate-limit 5\n", b"GET / HTTP/1.1\r\n\r\n"] {
        let (answer, session) = visit(said).await;
        assert!(answer.starts_with("wrong: "), "{answer}");
        assert_eq!(session.look(|s| s.limits()), Default::default());
    }
    let (answer, _) = visit(&[b'x'; 300]).await;
    assert_eq!(answer, "wrong: an order has at most 256 bytes\n");
    let (answer, _) = visit(&[b'x'; 1 << 20]).await;
    assert_eq!(answer, "wrong: an order has at most 256 bytes\n");
}

#[tokio::test]
async fn whoever_is_silent_keeps_nobody_waiting() {
    let (_folder, path) = place();
    let mut socket = ControlSocket::open(&path).expect("a free place");
    let _silent: Vec<_> = (0..8).map(|_| UnixStream::connect(&path).expect("somebody")).collect();
    let mut stream = UnixStream::connect(&path).expect("somebody");
    stream.write_all(b"status\n").expect("written");
    socket.next().await;
}

#[tokio::test]
async fn an_order_that_nobody_takes_is_over() {
    let (_folder, path) = place();
    let mut socket = ControlSocket::open(&path).expect("a free place");
    let visitor = tokio::task::spawn_blocking(move || {
        let (mut stream, mut answer) = (UnixStream::connect(&path).expect("somebody"), String::new());
        stream.write_all(b"rate-limit none\n").expect("written");
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    });
    drop(socket.next().await);
    assert_eq!(visitor.await.expect("a visitor"), "over: no transfer is under way any more\n");
    assert_eq!(socket.rate_limit(), None, "what has been refused holds for nothing later");
}

#[tokio::test(start_paused = true)]
async fn an_order_is_not_done_after_it_was_answered_that_it_is_not() {
    let (_folder, path) = place();
    let mut socket = ControlSocket::open(&path).expect("a free place");
    let (mut visitor, mut answer) = (tokio::net::UnixStream::connect(&path).await.expect("somebody"), String::new());
    visitor.write_all(b"rate-limit 1m\n").await.expect("written");
    visitor.read_to_string(&mut answer).await.expect("an answer");
    assert_eq!(answer, "over: the program has not answered within 2 s\n");
    assert!(tokio::time::timeout(Duration::from_secs(60), socket.next()).await.is_err());
}

#[tokio::test]
async fn the_socket_is_its_users_and_goes_with_its_program() {
    let (folder, path) = place();
    let socket = ControlSocket::open(&path).expect("a free place");
    let there = fs::symlink_metadata(&path).expect("a socket");
    assert!(there.file_type().is_socket());
    assert_eq!(there.permissions().mode() & 0o777, 0o600);
    drop(socket);
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[tokio::test]
async fn one_that_was_left_is_replaced_and_one_in_use_is_not() {
    let (_folder, path) = place();
    // The file stays behind, as after SIGKILL.
    drop(UnixListener::bind(&path).expect("a free place"));
    let socket = ControlSocket::open(&path).expect("nobody listens there");
    let error = ControlSocket::open(&path).expect_err("in use");
    assert!(matches!(error, PlaceError::Taken { .. }), "{error}");
    assert!(path.exists());
    drop(socket);
    assert!(!path.exists());
}

#[tokio::test]
async fn nobody_can_hold_up_a_start() {
    let (folder, path) = place();
    // Whoever may read the directory may lock it, and never give the lock back.
    let lock = fs::File::open(folder.path()).expect("a folder");
    lock.lock().expect("locked");
    drop(ControlSocket::open(&path).expect("a free place"));
    drop(lock);
    // A program there lets nobody in, and as many wait as may.
    let _stuck = UnixListener::bind(&path).expect("a free place");
    while place::knock(&path).is_ok() {}
    let error = ControlSocket::open(&path).expect_err("in use");
    assert!(matches!(error, PlaceError::Taken { .. }), "{error}");
}

#[tokio::test]
async fn what_is_no_socket_is_left_alone() {
    let (folder, path) = place();
    fs::write(&path, "mine").expect("a file");
    let error = ControlSocket::open(&path).expect_err("a file");
    assert!(matches!(error, PlaceError::Foreign { .. }), "{error}");
    assert_eq!(fs::read(&path).expect("the file"), b"mine");
    let error = ControlSocket::open(&folder.path().join("no/socket")).expect_err("no directory");
    assert!(error.to_string().contains("opening its directory: No such file"), "{error}");
}

#[tokio::test]
async fn another_one_in_its_place_is_not_removed() {
    let (_folder, path) = place();
    let socket = ControlSocket::open(&path).expect("a free place");
    fs::remove_file(&path).expect("removed");
    let _other = UnixListener::bind(&path).expect("a free place");
    drop(socket);
    assert!(path.exists());
}

#[tokio::test]
async fn two_that_start_at_once_do_not_take_it_from_each_other() {
    for _ in 0..20 {
        let (_folder, path) = place();
        drop(UnixListener::bind(&path).expect("a free place"));
        let both = Arc::new(Barrier::new(2));
        let open = |path: PathBuf| {
            let both = both.clone();
            thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                let socket = runtime.block_on(async { ControlSocket::open(&path) });
                both.wait();
                socket.is_ok()
            })
        };
        let taken = [open(path.clone()), open(path)].map(|thread| thread.join().expect("a thread"));
        assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
    }
}
