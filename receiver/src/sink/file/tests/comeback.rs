//! A receiver is killed, and the next one goes on with what it left.

use std::fs::{self, Permissions};
use std::os::unix::fs::symlink;

use super::*;
use crate::journal::sample::{digest, hello, presence, sum};
use crate::journal::{Damage, Recalled, RecalledSession};

/// So small that everything is synced at once.
const WINDOW: u64 = 4;

pub(super) fn open(room: &TempDir) -> Opened<FileSink> {
    FileSink::create(&room.path().join("backup"), WINDOW, CACHE, Ownership::default()).unwrap()
}

fn partial(room: &TempDir) -> PathBuf {
    room.path().join("backup.partial")
}

/// A sink in the first session of a receiver at port 9.
pub(super) fn begun(room: &TempDir) -> FileSink {
    let mut sink = open(room).sink;
    sink.remember(&presence(9)).unwrap();
    sink.start(&hello(1, 1)).unwrap();
    sink
}

/// Writes `pieces` behind `before`, and waits after each until it is durable.
pub(super) fn write(sink: &mut FileSink, before: &[u8], pieces: &[&[u8]]) {
    let mut written = digest(before);
    let mut lane = sink.lane(LaneId(0), &written).unwrap();
    for piece in pieces {
        lane.write(&Bytes::copy_from_slice(piece)).unwrap();
        written.update(piece);
        while lane.durable(&written).unwrap() < written.len() {
            std::thread::yield_now();
        }
    }
}

/// What SIGKILL does: nothing is tidied up, and the locks are gone.
pub(super) fn kill(mut sink: FileSink) {
    sink.ahead.clear();
    sink.partial.iter().chain(&sink.guard).for_each(|file| file.unlock().unwrap());
    sink.parts.iter().flat_map(|part| &part.file).for_each(|file| file.unlock().unwrap());
    sink.journal.iter().for_each(|journal| journal.lose_lock());
    std::mem::forget(sink);
}

/// A room where a receiver was killed when `pieces` were durable.
fn killed(pieces: &[&[u8]]) -> TempDir {
    let room = tempfile::tempdir().unwrap();
    let mut sink = begun(&room);
    write(&mut sink, b"", pieces);
    kill(sink);
    room
}

/// The session that the next receiver recalls.
pub(super) fn session(recalled: Option<Recalled>) -> RecalledSession {
    let recalled = recalled.expect("somebody is recalled");
    assert_eq!(recalled.presence.address, presence(9).address);
    assert!(recalled.committed.is_none());
    recalled.session.expect("a session is recalled")
}

fn damage(room: &TempDir) -> Damage {
    session(open(room).recalled).condition.unwrap_err()
}

#[test]
fn it_goes_on_where_it_was_durable() {
    let room = killed(&[b"he", b"l"]);
    let Opened { mut sink, notices, recalled } = open(&room);
    let session = session(recalled);
    assert_eq!(notices, []);
    assert_eq!(session.hello, hello(1, 1));
    assert_eq!((session.lanes.len(), session.lanes[0].sum()), (1, digest(b"hel").sum()));
    session.condition.unwrap();

    sink.remember(&presence(10)).unwrap();
    sink.start(&hello(1, 1)).unwrap();
    write(&mut sink, b"hel", &[b"lo"]);
    assert_eq!(sink.commit(&[sum(LaneId(0), b"hello")]).unwrap(), Reached::Synced);
    sink.close();
    assert_eq!(fs::read(room.path().join("backup")).unwrap(), b"hello");
    let line = format!("{}  backup\n", digest(b"hello").sum());
    assert_eq!(fs::read_to_string(room.path().join("backup.sha1")).unwrap(), line);
    assert_eq!(names(&room), ["backup", "backup.sha1"]);
}

#[test]
fn it_may_be_killed_again_and_again() {
    let room = killed(&[b"0"]);
    for turn in 1..5 {
        let Opened { mut sink, recalled, .. } = open(&room);
        let before: Vec<u8> = (0..turn).map(|digit| b'0' + digit).collect();
        assert_eq!(session(recalled).lanes[0].sum(), digest(&before).sum());
        sink.remember(&presence(9)).unwrap();
        sink.start(&hello(1, 1)).unwrap();
        write(&mut sink, &before, &[&[b'0' + turn]]);
        kill(sink);
    }
    assert_eq!(fs::read(partial(&room)).unwrap(), b"01234");
}

#[test]
fn what_is_synced_at_the_end_is_kept_too() {
    let room = tempfile::tempdir().unwrap();
    let mut sink = begun(&room);
    // Too little for a sync of its own, and too young.
    sink.pace = Pace { bytes: 1 << 20, age: Duration::from_secs(1 << 30) };
    let mut lane = sink.lane(LaneId(0), &LaneDigest::default()).unwrap();
    lane.write(&Bytes::from_static(b"hello")).unwrap();
    assert_eq!(lane.durable(&digest(b"hello")).unwrap(), 0);
    lane.finish().unwrap();
    drop(lane);
    sink.sync().unwrap();
    kill(sink);
    let session = session(open(&room).recalled);
    session.condition.unwrap();
    assert_eq!(session.lanes[0].sum(), digest(b"hello").sum());
}

#[test]
fn it_goes_on_within_a_page_and_across_pages() {
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
    for cache in [PageCache::Bypassed, PageCache::Used] {
        let room = tempfile::tempdir().unwrap();
        let mut end = 0;
        for len in [1, 4094, 1, 5000, 1 << 20, 100_001] {
            let Opened { mut sink, recalled, .. } = open(&room);
            let from = recalled.map_or_else(LaneDigest::default, |recalled| {
                let session = session(Some(recalled));
                session.condition.unwrap();
                session.lanes[0].clone()
            });
            assert_eq!(from.len(), end as u64);
            sink.cache = cache;
            sink.remember(&presence(9)).unwrap();
            sink.start(&hello(1, 1)).unwrap();
            write(&mut sink, &bytes[..end], &[&bytes[end..end + len]]);
            end += len;
            kill(sink);
        }
        assert!(fs::read(partial(&room)).unwrap() == bytes[..end], "{cache:?}");
    }
}

#[test]
fn bytes_that_were_not_durable_are_cut_off() {
    let room = killed(&[b"he", b"l"]);
    fs::write(partial(&room), "helXX").unwrap();
    let recalled = open(&room).recalled;
    session(recalled).condition.unwrap();
    assert_eq!(fs::read(partial(&room)).unwrap(), b"hel");
}

#[test]
fn what_was_synced_last_is_read_again() {
    let room = killed(&[b"he", b"llo"]);
    fs::write(partial(&room), "heLlo and more").unwrap();
    let damage = damage(&room);
    let Damage::Changed { from: 2, to: 5, expected, actual, .. } = &damage else { panic!("{damage}") };
    assert_eq!((*expected, *actual), (digest(b"hello").sum(), digest(b"heLlo").sum()));
    let words = format!("{}: bytes 2 to 5 are not those that were written", partial(&room).display());
    assert!(damage.to_string().starts_with(&words), "{damage}");
    assert_eq!(fs::read(partial(&room)).unwrap(), b"heLlo and more", "damage is left to look at");
}

#[test]
fn of_a_single_point_all_before_it_is_read_again() {
    let room = killed(&[b"hello"]);
    fs::write(partial(&room), "Hello").unwrap();
    assert!(matches!(damage(&room), Damage::Changed { from: 0, to: 5, .. }));
}

#[test]
fn more_than_one_piece_is_read_again() {
    let bytes: Vec<u8> = (0..700_000_u32).map(|i| i as u8).collect();
    let room = killed(&[&bytes]);
    session(open(&room).recalled).condition.unwrap();
    let mut changed = bytes;
    changed[699_999] ^= 1;
    fs::write(partial(&room), changed).unwrap();
    assert!(matches!(damage(&room), Damage::Changed { .. }));
}

#[test]
fn a_file_that_was_cut_is_damaged() {
    let room = killed(&[b"he", b"llo"]);
    fs::write(partial(&room), "hell").unwrap();
    assert!(matches!(damage(&room), Damage::Short { expected: 5, actual: 4, .. }));
    assert_eq!(names(&room), ["backup.partial", "backup.partial.journal"]);
}

#[test]
fn a_session_may_be_forgotten_for_another() {
    let room = killed(&[b"he", b"llo"]);
    let mut sink = open(&room).sink;
    assert!(matches!(sink.start(&hello(2, 1)), Err(SinkError::OutOfTurn { .. })), "not before");
    sink.forget().unwrap();
    assert_eq!(fs::read(partial(&room)).unwrap(), b"");
    sink.start(&hello(2, 1)).unwrap();
    write(&mut sink, b"", &[b"new"]);
    kill(sink);

    let Opened { mut sink, recalled, .. } = open(&room);
    assert_eq!(session(recalled).hello, hello(2, 1));
    sink.start(&hello(2, 1)).unwrap();
    sink.commit(&[sum(LaneId(0), b"new")]).unwrap();
    assert_eq!(fs::read(room.path().join("backup")).unwrap(), b"new");
}

#[test]
fn a_forgotten_session_is_not_recalled() {
    let room = killed(&[b"he", b"llo"]);
    let mut sink = open(&room).sink;
    sink.forget().unwrap();
    kill(sink);
    let recalled = open(&room).recalled.unwrap();
    assert!(recalled.session.is_none());
}

#[test]
fn a_receiver_that_no_sender_had_come_to_is_recalled_without_a_session() {
    let room = tempfile::tempdir().unwrap();
    let mut sink = open(&room).sink;
    sink.remember(&presence(9)).unwrap();
    kill(sink);
    fs::write(partial(&room), "of nobody").unwrap();
    let recalled = open(&room).recalled.unwrap();
    assert_eq!(recalled.presence.address.port(), 9);
    assert!(recalled.session.is_none() && recalled.committed.is_none());
    assert_eq!(fs::read(partial(&room)).unwrap(), b"");
}

#[test]
fn who_it_is_may_change() {
    let room = killed(&[]);
    let mut sink = open(&room).sink;
    sink.remember(&presence(10)).unwrap();
    kill(sink);
    assert_eq!(open(&room).recalled.unwrap().presence.address.port(), 10);
}

#[test]
fn what_was_recalled_stays_until_something_is_done_with_it() {
    let room = killed(&[b"he"]);
    drop(open(&room));
    session(open(&room).recalled);

    let mut sink = open(&room).sink;
    sink.start(&hello(1, 1)).unwrap();
    drop(sink);
    assert_eq!(names(&room), [""; 0], "ours by then");

    let room = killed(&[b"he"]);
    open(&room).sink.abandon();
    assert_eq!(names(&room), [""; 0]);
}

#[test]
fn a_receiver_that_lives_is_left_alone() {
    let room = tempfile::tempdir().unwrap();
    let mut sink = begun(&room);
    write(&mut sink, b"", &[b"hello"]);
    let again = || FileSink::create(&room.path().join("backup"), WINDOW, CACHE, Ownership::default());
    assert!(matches!(again(), Err(SinkError::AlreadyRunning { .. })));
    sink.commit(&[sum(LaneId(0), b"hello")]).unwrap();
    assert!(matches!(again(), Err(SinkError::AlreadyRunning { .. })), "committed, not acknowledged");
    sink.close();
    assert!(matches!(again(), Err(SinkError::Exists { .. })));
}

#[test]
fn without_a_journal_that_is_believed_the_partial_file_is_replaced() {
    let spoil: [fn(&Path); 4] = [
        |journal| fs::remove_file(journal).unwrap(),
        |journal| fs::set_permissions(journal, Permissions::from_mode(0o644)).unwrap(),
        |journal| fs::write(journal, "xbrecv journal 2\n").unwrap(),
        |journal| {
            let mut bytes = fs::read(journal).unwrap();
            bytes[30] ^= 1;
            fs::write(journal, bytes).unwrap();
        },
    ];
    for spoil in spoil {
        let room = killed(&[b"he", b"llo"]);
        spoil(&room.path().join("backup.partial.journal"));
        let Opened { sink, notices, recalled } = open(&room);
        assert_eq!(notices, [Notice::ReplacedPartial(partial(&room))]);
        assert!(recalled.is_none());
        assert_eq!(names(&room), ["backup.partial"]);
        assert_eq!(fs::read(partial(&room)).unwrap(), b"");
        drop(sink);
    }
}

#[test]
fn what_is_no_journal_is_refused_and_left_alone() {
    let room = killed(&[b"he", b"llo"]);
    let journal = room.path().join("backup.partial.journal");
    fs::rename(&journal, room.path().join("real")).unwrap();
    symlink("real", &journal).unwrap();
    let error = FileSink::create(&room.path().join("backup"), WINDOW, CACHE, Ownership::default()).unwrap_err();
    assert!(matches!(&error, SinkError::Exists { path } if *path == journal), "{error}");
    assert_eq!(fs::read(partial(&room)).unwrap(), b"hello");
    fs::remove_file(partial(&room)).unwrap();
    assert!(FileSink::create(&room.path().join("backup"), WINDOW, CACHE, Ownership::default()).is_err());
    assert_eq!(names(&room), ["backup.partial.journal", "real"]);
}

#[test]
fn a_journal_without_its_file_is_removed() {
    let room = killed(&[b"he", b"llo"]);
    fs::remove_file(partial(&room)).unwrap();
    let Opened { sink, notices, recalled } = open(&room);
    assert!(notices.is_empty() && recalled.is_none());
    assert_eq!(names(&room), ["backup.partial"]);
    drop(sink);
}

#[test]
fn a_journal_that_cannot_be_written_fails_the_sink() {
    let room = tempfile::tempdir().unwrap();
    let mut sink = begun(&room);
    // The journal tells of two bytes already, so that one byte is a contradiction.
    sink.append(Record::Progress(LaneId(0), digest(b"he"))).unwrap();
    let mut lane = sink.lane(LaneId(0), &LaneDigest::default()).unwrap();
    lane.write(&Bytes::from_static(b"h")).unwrap();
    let error = loop {
        match lane.durable(&digest(b"h")) {
            Ok(durable) => assert_eq!(durable, 0),
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("backup.partial.journal"), "{error}");
    drop(lane);
    assert!(sink.sync().is_err());
}
