//! Directories as backups: `xbsend --dir`.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use xbtests::{Backup, Ended, Input, Pace, Scene, Transfer, Tree};

/// A scene with a directory `src` of files with these contents.
fn scene(files: &[(&str, &[u8])]) -> Scene {
    let scene = Scene::at(Pace::of_this_run());
    for (name, content) in files {
        let path = scene.path("src").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, content).expect("a file");
    }
    scene
}

fn some_files() -> Scene {
    let long: Vec<u8> = (0..5_000_003_u32).map(|n| (n % 251) as u8).collect();
    scene(&[
        ("ibdata1", &long),
        ("shop/orders.ibd", b"orders"),
        ("shop/t#P#p0.ibd", b"partition"),
        ("@0024x/a b.MYD", b"odd name"),
        ("mysql/slow_log.CSV", b""),
        ("db.opt/db.opt", b"default-character-set=utf8mb4\n"),
    ])
}

/// Sends `src` to the tree `data`.
fn send(scene: &Scene) -> (Ended, Ended) {
    scene.transfer(scene.receiver(["-x", "-C", "data"]), |to| scene.sender(to, ["--dir", "src"]))
}

fn fail(scene: &Scene, code: i32, words: &str) {
    let sender = scene.sender("127.0.0.1:1", ["--dir", "src"]).start();
    sender.wait().expect_failure(code).expect_said(words);
}

/// A file with holes before, between and behind its data, of 64 MiB.
fn make_sparse(path: &Path) {
    let file = File::create(path).expect("a file");
    for at in [1 << 20, 40 << 20] {
        file.write_all_at(&[0x5a; 64 << 10], at).expect("space");
    }
    file.set_len(64 << 20).expect("a longer file");
    file.sync_all().expect("a disk");
}

#[test]
fn a_directory_arrives_as_it_is() {
    let scene = some_files();
    fs::create_dir(scene.path("src/nothing")).expect("a folder");
    let (sent, received) = send(&scene);
    sent.expect_success().expect_said("1 empty directory is not sent");
    received.expect_success();
    assert_eq!(Tree::of(&scene.path("src")).differences(&Tree::of(&scene.path("data"))), Default::default());
    scene.expect_nobody_left();
}

#[test]
fn mbstream_unpacks_it_too() {
    let scene = some_files();
    let (sent, received) = scene.transfer(scene.receiver(["-o", "out.xb"]), |to| scene.sender(to, ["--dir", "src"]));
    sent.expect_success();
    received.expect_success();
    let folder = scene.new_folder("theirs");
    let mbstream = scene.program("mbstream", "mbstream").args(["-x", "-C"]).arg(&folder);
    let stream = File::open(scene.path("out.xb")).expect("a stream");
    assert_eq!(mbstream.input(Input::from(stream)).start().wait().code, 0);
    assert_eq!(Tree::of(&scene.path("src")).differences(&Tree::of(&folder)), Default::default());
}

#[test]
fn holes_arrive_as_holes() {
    let scene = scene(&[("a", b"a")]);
    make_sparse(&scene.path("src/t.ibd"));
    let (sent, received) = send(&scene);
    sent.expect_success();
    received.expect_success();
    assert_eq!(Tree::of(&scene.path("src")).differences(&Tree::of(&scene.path("data"))), Default::default());
    let blocks = |folder: &str| fs::metadata(scene.path(folder).join("t.ibd")).expect("a file").blocks();
    assert!(blocks("src") < 1000, "this file system has no holes: {} blocks", blocks("src"));
    // The extractor may round a hole to what it writes at once.
    assert!(blocks("data") <= blocks("src") + 64, "{} blocks have become {}", blocks("src"), blocks("data"));
}

#[test]
fn what_xbrecv_has_unpacked_so_far_is_no_part_of_it() {
    let scene = some_files();
    fs::create_dir(scene.path("src/.xbrecv-0123")).expect("a folder");
    fs::write(scene.path("src/.xbrecv-0123/half"), "half").expect("a file");
    let (sent, received) = send(&scene);
    sent.expect_success();
    received.expect_success();
    assert!(scene.listing("data").iter().all(|name| !name.contains("half")), "{:?}", scene.listing("data"));
}

#[test]
fn what_would_not_arrive_is_refused_before_anything_is_sent() {
    let link = scene(&[("shop/orders.ibd", b"orders")]);
    std::os::unix::fs::symlink("/elsewhere/big.ibd", link.path("src/shop/big.ibd")).expect("a link");
    fail(&link, 6, "src/shop/big.ibd is a symbolic link");
    let socket = scene(&[("a", b"a")]);
    let _socket = std::os::unix::net::UnixListener::bind(socket.path("src/mysql.sock")).expect("a socket");
    fail(&socket, 6, "src/mysql.sock is a socket");
    let name = ["x".repeat(200), "y".repeat(200), "z".repeat(200)].join("/");
    fail(&scene(&[(&name, b"a")]), 6, "expected 1 to 511");
    let empty = scene(&[]);
    empty.new_folder("src");
    fail(&empty, 6, "src has no files in it");
    fail(&scene(&[]), 6, "src: No such file or directory");
}

#[test]
fn a_file_that_changes_is_named_and_nothing_arrives() {
    let scene = some_files();
    let receiver = scene.receiver(["-x", "-C", "data"]);
    // So slow that the second half is still to be read.
    let sender = |to: &str| scene.sender(to, ["--dir", "src", "-L", "1m"]);
    let transfer = Transfer::start(&scene, receiver, sender);
    transfer.wait_until_welcome();
    fs::write(scene.path("src/shop/orders.ibd"), "one more order").expect("a file");
    let verdict = transfer.end();
    verdict.expect_both_failed(6, "src/shop/orders.ibd is not any more what it was when src was listed");
    assert_eq!(scene.listing("data"), Vec::<String>::new());
}

#[test]
fn a_directory_is_no_backup_unless_it_is_one() {
    let scene = some_files();
    let receiver = scene.receiver(["-x", "-C", "data"]);
    let sender = |to: &str| scene.sender(to, ["--dir", "src", "--expect", "backup"]);
    let (sent, received) = scene.transfer(receiver, sender);
    sent.expect_failure(5).expect_said("backup incomplete");
    received.expect_failure(5);

    let whole = Scene::new();
    whole.file("whole.xb", Backup::small().stream());
    let unpack = |to: &str| whole.sender(to, ["-i", "whole.xb"]);
    whole.transfer(whole.receiver(["-x", "-C", "src"]), unpack).1.expect_success();
    let again = |to: &str| whole.sender(to, ["--dir", "src", "--expect", "backup"]);
    whole.transfer(whole.receiver(["-x", "-C", "data"]), again).1.expect_success();
    Backup::small().expect_in(&whole.path("data"));
}

#[test]
fn its_size_is_known_beforehand_and_a_lost_link_costs_nothing() {
    let scene = some_files();
    make_sparse(&scene.path("src/t.ibd"));
    let receiver = scene.receiver(["-o", "out.xb"]);
    let sender = |to: &str| scene.sender(to, ["--dir", "src", "-L", "2m", "--progress", "json"]);
    let mut transfer = Transfer::start(&scene, receiver, sender);
    transfer.wait_until_under_way();
    transfer.relay.down();
    transfer.sender.log().wait_for("interrupted");
    transfer.expect_under_way();
    transfer.relay.up();
    let verdict = transfer.end();
    assert_eq!((verdict.sent.code, verdict.received.code), (0, 0));
    let len = fs::metadata(scene.path("out.xb")).expect("a stream").len();
    verdict.sent.expect_said(&format!("\"total\":{len},"));
}
