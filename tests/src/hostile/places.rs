//! What can be in the way in the target directory. It is the destination that is wrong, and it stays as it is.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::{CWD, FileType, makedev, mknodat};

use super::{Case, Chunk};
use crate::skip::is_root;

/// Puts something in the target directory.
type Plant = fn(&Path);

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = [names_taken(), ways_blocked(), staging_folders()].into_iter().flatten().collect();
    if is_root() {
        cases.push(taken("device", |out| node(out, FileType::CharacterDevice, makedev(1, 3))));
        cases.push(taken("disk", |out| node(out, FileType::BlockDevice, makedev(7, 200))));
    }
    cases
}

fn taken(name: &str, plant: Plant) -> Case {
    let stream = [Chunk::file("first", "x"), Chunk::file("a", "new")].concat();
    Case::refused(format!("{name} in the way"), "a exists already in", stream).by_the_destination().into(plant)
}

fn node(out: &Path, kind: FileType, device: u64) {
    mknodat(CWD, out.join("a"), kind, 0o600.into(), device).expect("a node");
}

fn names_taken() -> Vec<Case> {
    let others: [(&str, Vec<u8>); 4] = [
        ("an empty one", Chunk::end("a").bytes()),
        (
            "one that replaces",
            [Chunk::payload("a", 0, b"x").flags(2), Chunk::end("a")].map(|chunk| chunk.bytes()).concat(),
        ),
        ("one that was sought", [Chunk::seek("a", 9), Chunk::end("a")].map(|chunk| chunk.bytes()).concat()),
        ("a new name", [Chunk::file("b", "x"), Chunk::rename("b", "a").bytes()].concat()),
    ];
    let mut cases = vec![
        taken("file", |out| fs::write(out.join("a"), "old").expect("space")),
        taken("directory", |out| fs::create_dir_all(out.join("a/b")).expect("space")),
        taken("link to a file", |out| symlink("../canary/file", out.join("a")).expect("space")),
        taken("link to nothing", |out| symlink("../canary/new", out.join("a")).expect("space")),
        taken("link to itself", |out| symlink("a", out.join("a")).expect("space")),
        taken("FIFO", |out| node(out, FileType::Fifo, 0)),
        taken("socket", |out| node(out, FileType::Socket, 0)),
    ];
    for (what, stream) in others {
        let case = Case::refused(format!("{what} where a link is"), "a exists already in", stream).by_the_destination();
        cases.push(case.into(|out| symlink("../canary/file", out.join("a")).expect("space")));
    }
    cases
}

fn ways_blocked() -> Vec<Case> {
    let plants: [(&str, Plant); 5] = [
        ("link to a directory", |out| symlink("../canary", out.join("db")).expect("space")),
        ("link to nothing", |out| symlink("../canary/new", out.join("db")).expect("space")),
        ("link up", |out| symlink("..", out.join("db")).expect("space")),
        ("file", |out| fs::write(out.join("db"), "old").expect("space")),
        ("FIFO", |out| mknodat(CWD, out.join("db"), FileType::Fifo, 0o600.into(), 0).expect("a FIFO")),
    ];
    let streams: [(&str, Vec<u8>); 3] = [
        ("a file", Chunk::file("db/file", "new")),
        ("a file further down", Chunk::file("db/db/b/file", "new")),
        ("a new name", [Chunk::file("b", "x"), Chunk::rename("b", "db/file").bytes()].concat()),
    ];
    let mut cases = Vec::new();
    for (what, plant) in plants {
        for (which, stream) in &streams {
            let case = Case::refused(format!("{what} on the way of {which}"), "a directory on its way", &stream[..]);
            cases.push(case.by_the_destination().into(plant));
        }
    }
    cases
}

/// What is called as our staging folders are and is none is left alone.
fn staging_folders() -> Vec<Case> {
    const NAME: &str = ".xbrecv-0123456789abcdef";
    let plants: [(&str, Plant); 3] = [
        ("link", |out| symlink("../canary", out.join(NAME)).expect("space")),
        ("file", |out| fs::write(out.join(NAME), "old").expect("space")),
        ("FIFO", |out| mknodat(CWD, out.join(NAME), FileType::Fifo, 0o600.into(), 0).expect("a FIFO")),
    ];
    let case = |(what, plant)| {
        let stream = Chunk::payload("a", 1, b"x").bytes();
        Case::refused(format!("{what} with the name of a staging folder"), "expected 0", stream).into(plant)
    };
    plants.into_iter().map(case).collect()
}
