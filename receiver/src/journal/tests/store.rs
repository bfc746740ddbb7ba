//! The file: whose it is, what is believed of it, and how it is kept short.

use std::fs::{self, Permissions};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::PathBuf;

use tempfile::TempDir;
use xbproto::wire::MAX_LANES;

use super::*;
use crate::disk::{DiskError, open_dir};

struct Room {
    room: TempDir,
    dir: OwnedFd,
}

impl Room {
    fn new() -> Room {
        let room = tempfile::tempdir().unwrap();
        let dir = open_dir(room.path()).unwrap();
        Room { room, dir }
    }

    fn path(&self) -> PathBuf {
        self.room.path().join("journal")
    }

    fn create(&self) -> Journal {
        Journal::create(&self.dir, &self.path(), &presence(9)).unwrap()
    }

    fn open(&self) -> Found {
        Journal::open(&self.dir, &self.path()).unwrap()
    }

    /// What a run after this one finds.
    fn says(&self) -> Replayed {
        match self.open() {
            Found::Journal(journal) => journal.says(),
            other => panic!("{other:?}"),
        }
    }

    fn names(&self) -> Vec<String> {
        let names = self.room.path().read_dir().unwrap();
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// Everything before `len` of the one lane is durable.
fn progress(len: usize) -> Record {
    Record::Progress(LaneId(0), digest(&vec![7; len]))
}

fn begin(journal: &Journal) {
    journal.append(Record::Session(hello(1, 1))).unwrap();
}

#[test]
fn what_is_appended_is_there_for_the_next() {
    let room = Room::new();
    let journal = room.create();
    begin(&journal);
    journal.append(progress(1)).unwrap();
    journal.append(progress(2)).unwrap();
    let said = journal.says().encode();
    drop(journal);
    assert_eq!(room.says().encode(), said);
    assert_eq!(room.names(), ["journal"]);
}

#[test]
fn it_is_for_its_user_only() {
    let room = Room::new();
    let journal = room.create();
    assert_eq!(room.path().metadata().unwrap().mode() & 0o777, 0o600);
    journal.forget_session().unwrap();
    assert_eq!(room.path().metadata().unwrap().mode() & 0o777, 0o600);
}

#[test]
fn nothing_is_not_a_journal() {
    let room = Room::new();
    assert!(matches!(room.open(), Found::Nothing));
}

#[test]
fn a_torn_end_is_cut_off_and_written_over() {
    let room = Room::new();
    let journal = room.create();
    begin(&journal);
    journal.append(progress(1)).unwrap();
    drop(journal);
    let whole = fs::read(room.path()).unwrap();
    let torn = [&whole, &progress(2).encode()[..20]].concat();
    fs::write(room.path(), torn).unwrap();

    let Found::Journal(journal) = room.open() else { panic!("a journal") };
    assert_eq!(fs::read(room.path()).unwrap(), whole);
    journal.append(progress(3)).unwrap();
    drop(journal);
    assert_eq!(fs::read(room.path()).unwrap(), [whole, progress(3).encode()].concat());
}

#[test]
fn it_is_locked_as_long_as_its_owner_lives() {
    let room = Room::new();
    let journal = room.create();
    assert!(matches!(room.open(), Found::Locked));
    journal.forget_session().unwrap();
    assert!(matches!(room.open(), Found::Locked), "written anew");
    drop(journal);
    let Found::Journal(journal) = room.open() else { panic!("a journal") };
    assert!(matches!(room.open(), Found::Locked), "taken over");
    drop(journal);
}

#[test]
fn it_is_kept_short() {
    let room = Room::new();
    let journal = room.create();
    journal.append(Record::Session(hello(1, MAX_LANES))).unwrap();
    let long = Record::Committing((0..MAX_LANES).map(|lane| sum(LaneId(lane), b"abc")).collect());
    let (mut longest, mut files, mut file) = (0, 0, 0);
    for len in 1..100 {
        journal.append(progress(len)).unwrap();
        journal.append(long.clone()).unwrap();
        let now = room.path().metadata().unwrap();
        longest = longest.max(now.len());
        files += i32::from(file != now.ino());
        file = now.ino();
    }
    assert!(longest <= 1 << 20, "{longest}");
    assert!((3..10).contains(&files), "written anew now and then, not always: {files}");
    let said = journal.says();
    drop(journal);
    assert_eq!(room.says().encode(), said.encode());
    let marks = &said.session.unwrap().lanes[0];
    assert_eq!((marks.earlier.len(), marks.last.len()), (98, 99));
    assert_eq!(room.names(), ["journal"]);
}

#[test]
fn what_an_interrupted_rewrite_left_is_not_in_the_way() {
    let room = Room::new();
    let journal = room.create();
    let elsewhere = room.room.path().join("elsewhere");
    fs::write(&elsewhere, "theirs").unwrap();
    symlink(&elsewhere, room.room.path().join("journal.new")).unwrap();
    journal.forget_session().unwrap();
    assert_eq!(fs::read(&elsewhere).unwrap(), b"theirs");
    assert!(room.path().symlink_metadata().unwrap().is_file());
}

#[test]
fn the_session_is_forgotten_and_the_presence_is_not() {
    let room = Room::new();
    let journal = room.create();
    begin(&journal);
    journal.append(progress(1)).unwrap();
    journal.forget_session().unwrap();
    drop(journal);
    let says = room.says();
    assert_eq!(says.presence.unwrap().address.port(), 9);
    assert!(says.session.is_none());
}

#[test]
fn a_contradiction_is_not_written() {
    let room = Room::new();
    let journal = room.create();
    let before = fs::read(room.path()).unwrap();
    let error: DiskError = journal.append(progress(1)).unwrap_err();
    assert_eq!(error.error.kind(), std::io::ErrorKind::InvalidInput);
    assert_eq!(fs::read(room.path()).unwrap(), before);
}

#[test]
fn what_others_could_have_read_or_written_is_not_believed() {
    for mode in [0o640, 0o604, 0o620, 0o601] {
        let room = Room::new();
        drop(room.create());
        fs::set_permissions(room.path(), Permissions::from_mode(mode)).unwrap();
        assert!(room.says().presence.is_none(), "{mode:o}");
    }
}

#[test]
fn what_somebody_else_has_made_is_not_believed() {
    let room = Room::new();
    drop(room.create());
    if chown(room.path(), Some(65534), None).is_err() {
        // Only root can give a file away.
        return;
    }
    assert!(room.says().presence.is_none());
}

#[test]
fn a_link_is_not_followed() {
    let room = Room::new();
    drop(room.create());
    fs::rename(room.path(), room.room.path().join("real")).unwrap();
    symlink("real", room.path()).unwrap();
    assert!(matches!(room.open(), Found::Other));
}

#[test]
fn what_is_no_journal_is_left_alone() {
    let room = Room::new();
    fs::write(room.path(), "theirs").unwrap();
    assert!(matches!(room.open(), Found::Other));
    let error = Journal::create(&room.dir, &room.path(), &presence(9)).unwrap_err();
    assert_eq!(error.error.kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(room.names(), ["journal"], "the key is not left anywhere");
    assert_eq!(fs::read(room.path()).unwrap(), b"theirs");
    fs::remove_file(room.path()).unwrap();
    fs::create_dir(room.path()).unwrap();
    assert!(matches!(room.open(), Found::Other));
}

#[test]
fn removed_it_is_gone() {
    let room = Room::new();
    room.create().remove().unwrap();
    assert_eq!(room.names(), [""; 0]);
}
