//! Somebody who puts links in the way while a backup is unpacked.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use xbtests::hostile::{Chunk, Snapshot};
use xbtests::{Backup, Scene, Trickle};

/// Unpacks a backup; `plant` is called when some of it is there, and the rest of it comes after that.
fn expect_refused(name: &str, plant: impl Fn(&Path)) {
    let scene = Scene::new();
    fs::write(scene.new_folder("canary").join("file"), "alive").expect("space");
    let out = scene.new_folder("out");
    let before = Snapshot::of(&scene.path("canary"));
    let trickle = Trickle::of(&Backup::new(3, 1 << 20).with("db/first", b"first").with("zz/b", b"b"));
    let running = scene.xbrecv(["-x", "-C", "out", "--from", "-"]).without_key().input(trickle.input()).start();
    while !scene.listing("out").iter().any(|path| path.ends_with("tree/db/first")) {
        std::thread::yield_now();
    }
    plant(&out);
    let planted = Snapshot::of(&out).without(&staging(&out));
    trickle.release();
    let ended = running.wait();
    ended.expect_failure(7).expect_silence_on("panicked");
    assert!(before == Snapshot::of(&scene.path("canary")), "{name}");
    assert!(planted == Snapshot::of(&out), "{name}: {:?}", planted.differences(&Snapshot::of(&out)));
    scene.expect_nobody_left();
}

/// The name of the staging folder in the target directory.
fn staging(out: &Path) -> String {
    let mut names = fs::read_dir(out).expect("a folder").map(|entry| entry.expect("an entry").file_name());
    names
        .find_map(|name| name.into_string().ok().filter(|name| name.starts_with(".xbrecv-")))
        .expect("a staging folder")
}

#[test]
fn what_is_put_in_the_way_while_it_runs_is_followed_nowhere() {
    expect_refused("link for a directory to come", |out| symlink("../canary", out.join("shop")).expect("space"));
    expect_refused("link for a directory that came", |out| symlink("../canary", out.join("db")).expect("space"));
    expect_refused("link for a file to come", |out| symlink("../canary/file", out.join("ib_logfile0")).expect("space"));
    expect_refused("file for a directory that came", |out| fs::write(out.join("zz"), "old").expect("space"));
}

#[test]
fn a_hostile_stream_from_a_sender_leaves_nothing() {
    let streams = [
        ("../canary/file", Chunk::file("../canary/file", "dead")),
        ("/tmp/xbrecv-hostile", Chunk::file("/tmp/xbrecv-hostile", "dead")),
        ("lengths", Chunk::claiming("a", u64::MAX, 0, b"x").bytes()),
        ("order", Chunk::payload("a", 7, b"x").bytes()),
        ("rename", [Chunk::file("a", "x"), Chunk::rename("a", "../canary/file").bytes()].concat()),
    ];
    for (name, stream) in streams {
        let scene = Scene::new();
        fs::write(scene.new_folder("canary").join("file"), "alive").expect("space");
        scene.file("stream", stream);
        let before = Snapshot::of(scene.folder());
        let receiver = scene.receiver(["-x", "-C", "out"]);
        let (sent, received) =
            scene.transfer(receiver, |to| scene.sender(to, ["-i", "stream", "--expect", "xbstream"]));
        sent.expect_failure(5);
        received.expect_failure(5).expect_silence_on("panicked");
        assert!(before == Snapshot::of(scene.folder()), "{name}");
        scene.expect_nobody_left();
    }
}
