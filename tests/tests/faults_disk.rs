//! The table of faults, `docs/faults.md`: disks that are full, broken, or not writable any more. Each test is a row.

use rustix::process::Signal;
use xbtests::{
    Backup, Destination, Endless, FailingDisk, Injection, Input, Program, ReadOnlyDisk, Scene, SmallDisk, Transfer,
    Trickle,
};

/// Many files, so that a commit has many renames to a directory, and some megabytes.
fn backup() -> Backup {
    Backup::new(24, 200_000)
}

/// More files than are synced one by one.
fn many_files() -> Backup {
    Backup::new(400, 12_000)
}

/// The receiver's system calls fail so: both sides say so, in these words, and nothing is left.
fn expect_failure_of(test: &str, injection: impl Fn(Destination, &Scene) -> Injection, words: &str) {
    for destination in Destination::BOTH {
        let scene = Scene::new();
        let receiver = destination.receiver(&scene);
        let Some(receiver) = injection(destination, &scene).into(test, receiver) else { return };
        let transfer = Transfer::start(&scene, receiver, |to| scene.sender(to, ["-L", "4m"]).feed(&backup()));
        transfer.end().expect_both_failed(7, words).expect_left(&[]);
    }
}

/// The receiver's disk gets full (ENOSPC).
#[test]
fn a_full_disk() {
    for destination in Destination::BOTH {
        let scene = Scene::new();
        let Some(disk) = SmallDisk::mount("a_full_disk", scene.new_folder("disk"), 2 << 20) else { return };
        let receiver = destination.receiver_below(&scene, "disk/");
        let endless = || Input::Reader(Box::new(Endless::new(1 << 40)));
        let transfer = Transfer::start(&scene, receiver, |to| scene.sender(to, []).input(endless()));
        transfer.end().expect_both_failed(7, "No space left on device").expect_left(&[]);
        drop(disk);
    }
}

/// The quota of the receiver's user is used up (EDQUOT).
#[test]
fn a_quota_used_up() {
    let injection = |_, _: &Scene| Injection::error("pwrite64", "EDQUOT").from(3);
    expect_failure_of("a_quota_used_up", injection, "quota exceeded");
}

/// The size of the backup is known, and more than the quota of the receiver's user (EDQUOT).
#[test]
fn a_size_beyond_the_quota() {
    let scene = Scene::new();
    let injection = Injection::error("fallocate", "EDQUOT").on(scene.path("out.xb.partial"));
    let receiver = Destination::File.receiver(&scene);
    let Some(receiver) = injection.into("a_size_beyond_the_quota", receiver) else { return };
    let transfer = Transfer::start(&scene, receiver, |to| scene.sender(to, ["--size", "5m"]).feed(&backup()));
    transfer.end().expect_both_failed(7, "there is no room for 5.0 MiB").expect_left(&[]);
}

/// The receiver's disk refuses a write (EIO).
#[test]
fn a_write_that_fails() {
    expect_failure_of(
        "a_write_that_fails",
        |_, _: &Scene| Injection::error("pwrite64", "EIO").from(3),
        "Input/output error",
    );
}

/// The receiver's disk loses what was written before (EIO at the next sync).
#[test]
fn a_write_back_that_fails() {
    let injection = |_, _: &Scene| Injection::error("fdatasync", "EIO");
    expect_failure_of("a_write_back_that_fails", injection, "Input/output error");
}

/// The same, when it is many small files that are synced by one call.
#[test]
fn a_write_back_of_many_files_that_fails() {
    let test = "a_write_back_of_many_files_that_fails";
    let scene = Scene::new();
    let receiver = Destination::Directory.receiver(&scene);
    let Some(receiver) = Injection::error("syncfs", "EIO").into(test, receiver) else { return };
    let transfer = Transfer::start(&scene, receiver, |to| scene.sender(to, []).feed(&many_files()));
    transfer.end().expect_both_failed(7, "syncing the files: Input/output error").expect_left(&[]);
}

/// The receiver's disk takes what is written and does not keep it: nothing is simulated but the disk.
#[test]
fn a_disk_that_loses_what_was_written() {
    let file = |scene: &Scene| scene.receiver(["-o", "disk/out.xb"]);
    let cached = |scene: &Scene| scene.receiver(["-o", "disk/out.xb", "--no-direct"]);
    let directory = |scene: &Scene| scene.receiver(["-x", "-C", "disk/data"]);
    let receivers: [fn(&Scene) -> Program; 4] = [file, cached, directory, directory];
    for (receiver, backup) in receivers.into_iter().zip([backup(), backup(), backup(), many_files()]) {
        let scene = Scene::new();
        let Some(disk) = FailingDisk::mount("a_disk_that_loses_what_was_written", &scene, "disk") else { return };
        let source = Trickle::of(&backup);
        let transfer = Transfer::start(&scene, receiver(&scene), |to| scene.sender(to, []).input(source.input()));
        transfer.wait_until_under_way();
        disk.fail();
        source.release();
        transfer.end().expect_both_failed(7, "Input/output error");
        scene.expect_nobody_left();
        let left = scene.listing("disk");
        assert!(left.iter().all(|name| name.contains(".partial") || name.contains(".xbrecv-")), "{left:?}");
    }
}

/// The receiver's file system refuses direct I/O (EINVAL): the page cache is used.
#[test]
fn a_file_system_without_direct_io() {
    for call in ["fcntl", "pwrite64"] {
        let scene = Scene::new();
        // The journal, which is written by other threads, is not concerned.
        let injection = Injection::error(call, "EINVAL").only(1).on(scene.path("out.xb.partial"));
        let receiver = Destination::File.receiver(&scene);
        let Some(receiver) = injection.into("a_file_system_without_direct_io", receiver) else { return };
        let transfer = Transfer::start(&scene, receiver, |to| scene.sender(to, []).feed(&backup()));
        transfer.end().expect_arrived(&backup(), Destination::File, &[]);
    }
}

/// The receiver's disk turns read-only in mid-transfer.
#[test]
fn a_disk_that_turns_read_only() {
    for destination in Destination::BOTH {
        let scene = Scene::new();
        let Some(disk) = ReadOnlyDisk::mount("a_disk_that_turns_read_only", &scene, "disk") else { return };
        let receiver = destination.receiver_below(&scene, "disk/");
        let source = Trickle::of(&backup());
        let transfer = Transfer::start(&scene, receiver, |to| scene.sender(to, []).input(source.input()));
        transfer.wait_until_under_way();
        disk.turn_read_only();
        // Whether a write (EROFS) or a sync (EIO) meets it first, it names the file.
        let file = if destination == Destination::File { "disk/out.xb" } else { "shop/t" };
        transfer.end().expect_both_failed(7, file);
        scene.expect_nobody_left();
        // What cannot be removed either is not under its final name.
        let left = scene.listing("disk");
        assert!(left.iter().all(|name| name.contains(".partial") || name.contains(".xbrecv-")), "{left:?}");
    }
}

/// The receiver's disk turns read-only when the backup is to get its name.
#[test]
fn a_disk_that_turns_read_only_before_the_commit() {
    let injection = |destination, _: &Scene| match destination {
        // Not the rename that gives the journal its name.
        Destination::File => Injection::error("renameat2", "EROFS").on("out.xb"),
        Destination::Directory => Injection::error("renameat2", "EROFS"),
    };
    expect_failure_of("a_disk_that_turns_read_only_before_the_commit", injection, "Read-only file system");
}

/// The receiver's disk fails when a part of the backup has its name already: it is taken back.
#[test]
fn a_disk_that_fails_within_the_commit() {
    let injection = |_, _: &Scene| Injection::error("renameat2", "EIO").only(2);
    expect_failure_of("a_disk_that_fails_within_the_commit", injection, "Input/output error");
}

/// The receiver's disk fails to make the names of a whole backup last: they are taken back.
#[test]
fn a_disk_that_fails_at_the_end_of_the_commit() {
    let injection = |destination, scene: &Scene| match destination {
        Destination::File => {
            // With a journal there, the folder is not synced before the commit.
            leave_journal(scene);
            Injection::error("fsync", "EIO").on(scene.folder()).only(1)
        }
        // The first one makes the record of the commit last.
        Destination::Directory => Injection::error("fsync", "EIO").on(scene.path("data")).only(2),
    };
    expect_failure_of("a_disk_that_fails_at_the_end_of_the_commit", injection, "Input/output error");
}

/// A receiver of a file is killed before anybody has come, and leaves its journal.
fn leave_journal(scene: &Scene) {
    let receiver = Destination::File.receiver(scene).start();
    receiver.listening();
    receiver.signal(Signal::KILL);
    receiver.wait();
    assert_eq!(scene.listing("."), ["out.xb.partial", "out.xb.partial.journal"]);
}
