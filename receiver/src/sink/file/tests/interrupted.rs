//! A receiver is killed amid its commit.

use std::fs;

use rustix::fs::Mode;

use super::comeback::*;
use super::*;
use crate::journal::sample::{digest, presence, sum};
use crate::sink::file::names::CHECKSUM;

const MODES: Ownership =
    Ownership { user: None, group: None, file_mode: Some(Mode::from_raw_mode(0o604)), dir_mode: None };

fn owned(room: &TempDir) -> Opened<FileSink> {
    FileSink::create(&room.path().join("backup"), WINDOW, CACHE, MODES).unwrap()
}

fn mode(room: &TempDir, name: &str) -> u32 {
    fs::metadata(room.path().join(name)).unwrap().permissions().mode() & 0o777
}

fn whole() -> LaneSum {
    sum(LaneId(0), b"hello")
}

/// A sink whose bytes are all durable, and that has written down that it is about to commit.
fn committing(room: &TempDir) -> FileSink {
    let mut sink = begun(room);
    write(&mut sink, b"", &[b"he", b"llo"]);
    sink.sync().unwrap();
    sink.append(Record::Committing(vec![whole()])).unwrap();
    sink
}

/// The steps of a commit after that, one by one.
fn step(sink: &FileSink, step: usize) {
    let names = &sink.names;
    match step {
        0 => publish::write_checksum(names, whole().sum, &Ownership::default()).unwrap(),
        1 => names.rename(PARTIAL, "").unwrap(),
        2 => names.rename(CHECKSUM_PARTIAL, CHECKSUM).unwrap(),
        _ => sink.append(Record::Committed(receipt())).unwrap(),
    }
}

fn receipt() -> Receipt {
    Receipt::of(Reached::Synced, vec![whole()])
}

/// A room where a receiver was killed after so many steps.
fn killed_after(steps: usize) -> TempDir {
    let room = tempfile::tempdir().unwrap();
    let sink = committing(&room);
    (0..steps).for_each(|number| step(&sink, number));
    kill(sink);
    room
}

fn expect_whole(room: &TempDir) {
    assert_eq!(fs::read(room.path().join("backup")).unwrap(), b"hello");
    let line = format!("{}  backup\n", digest(b"hello").sum());
    assert_eq!(fs::read_to_string(room.path().join("backup.sha1")).unwrap(), line);
}

#[test]
fn before_the_file_has_its_name_the_session_goes_on() {
    for steps in 0..=1 {
        let room = killed_after(steps);
        let Opened { mut sink, recalled, .. } = open(&room);
        let session = session(recalled);
        session.condition.unwrap();
        assert_eq!(session.lanes[0].sum(), whole().sum, "nothing is to be sent again");
        assert_eq!(names(&room), ["backup.partial", "backup.partial.journal"]);
        sink.start(&session.hello).unwrap();
        drop(sink.lane(LaneId(0), &session.lanes[0]).unwrap());
        sink.commit(&[whole()]).unwrap();
        sink.close();
        expect_whole(&room);
        assert_eq!(names(&room), ["backup", "backup.sha1"]);
    }
}

#[test]
fn after_that_the_rest_is_done_and_the_receipt_is_there() {
    for steps in 2..=4 {
        let room = killed_after(steps);
        for _ in 0..2 {
            let Opened { sink, notices, recalled } =
                to_path(&room.path().join("backup"), WINDOW, CACHE, Ownership::default()).unwrap();
            let recalled = recalled.unwrap();
            assert_eq!((notices.as_slice(), recalled.committed), ([].as_slice(), Some(receipt())), "{steps} steps");
            assert_eq!(recalled.session.unwrap().lanes[0].sum(), whole().sum);
            expect_whole(&room);
            assert_eq!(names(&room), ["backup", "backup.partial.journal", "backup.sha1"]);
            // Dropped untouched, it is still there for the next.
            drop(sink);
        }
        open(&room).sink.close();
        assert_eq!(names(&room), ["backup", "backup.sha1"]);
        assert!(matches!(create(&room), Err(SinkError::Exists { .. })));
    }
}

#[test]
fn the_rest_that_is_done_is_giving_it_away_too() {
    for steps in 2..=4 {
        let room = killed_after(steps);
        assert_ne!(mode(&room, "backup"), 0o604);
        assert_eq!(owned(&room).recalled.unwrap().committed, Some(receipt()));
        assert_eq!(mode(&room, "backup"), 0o604, "{steps} steps");
        // From there on the checksum has its name, and had its owner before.
        if steps == 2 {
            assert_eq!(mode(&room, "backup.sha1"), 0o604);
        }
    }
}

#[test]
fn it_is_not_given_away_before_it_has_its_name() {
    let room = tempfile::tempdir().unwrap();
    let mut sink = owned(&room).sink;
    sink.remember(&presence(9)).unwrap();
    sink.start(&hello(1, 1)).unwrap();
    write(&mut sink, b"", &[b"hello"]);
    fs::write(room.path().join("backup.sha1"), "theirs").unwrap();
    assert!(matches!(sink.commit(&[whole()]), Err(SinkError::Exists { .. })));
    assert_ne!(mode(&room, "backup.partial"), 0o604, "a run after a kill would take it for somebody else's");
    fs::remove_file(room.path().join("backup.sha1")).unwrap();
    sink.commit(&[whole()]).unwrap();
    assert_eq!((mode(&room, "backup"), mode(&room, "backup.sha1")), (0o604, 0o604));
}

#[test]
fn what_is_committed_takes_no_other_session() {
    let room = killed_after(4);
    let mut sink = open(&room).sink;
    assert!(matches!(sink.forget(), Err(SinkError::OutOfTurn { .. })));
    sink.abandon();
    expect_whole(&room);
}

#[test]
fn a_rename_in_two_steps_is_finished() {
    let room = killed_after(1);
    fs::hard_link(room.path().join("backup.partial"), room.path().join("backup")).unwrap();
    assert_eq!(open(&room).recalled.unwrap().committed, Some(receipt()));
    assert_eq!(names(&room), ["backup", "backup.partial.journal", "backup.sha1"]);
    expect_whole(&room);
}

#[test]
fn a_file_of_another_length_is_not_what_was_committed() {
    let room = killed_after(3);
    fs::write(room.path().join("backup"), "theirs").unwrap();
    assert!(matches!(create(&room), Err(SinkError::Exists { .. })));
    assert_eq!(fs::read(room.path().join("backup")).unwrap(), b"theirs");
}

#[test]
fn somebody_elses_file_and_checksum_are_refused_and_nothing_is_touched() {
    for (taken, steps) in [("backup", 0), ("backup.sha1", 1)] {
        let room = killed_after(steps);
        fs::write(room.path().join(taken), "theirs").unwrap();
        let before = names(&room);
        assert!(matches!(create(&room), Err(SinkError::Exists { path }) if path.ends_with(taken)));
        assert_eq!(names(&room), before);
        fs::remove_file(room.path().join(taken)).unwrap();
        session(open(&room).recalled).condition.unwrap();
    }
}

#[test]
fn an_empty_backup_is_committed_too() {
    let room = tempfile::tempdir().unwrap();
    let mut sink = begun(&room);
    sink.commit(&[sum(LaneId(0), b"")]).unwrap();
    kill(sink);
    let committed = open(&room).recalled.unwrap().committed.unwrap();
    assert_eq!(committed.lanes, [sum(LaneId(0), b"")]);
}

#[test]
fn closing_before_the_commit_changes_nothing() {
    let room = tempfile::tempdir().unwrap();
    let mut sink = begun(&room);
    sink.close();
    assert_eq!(names(&room), ["backup.partial", "backup.partial.journal"]);
}
