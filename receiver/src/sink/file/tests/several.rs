//! Several streams: each a file, all or none, also when the receiver is killed.

use super::comeback::{kill, open, session};
use super::*;
use crate::journal::Damage;
use crate::journal::sample::{digest, hello, presence, sum};

const STREAMS: [&[u8]; 3] = [b"hello", b"", b"world!"];

fn sums() -> Vec<LaneSum> {
    STREAMS.iter().enumerate().map(|(lane, bytes)| sum(LaneId(lane as u16), bytes)).collect()
}

/// A sink in a session of three streams.
fn begun(room: &TempDir) -> FileSink {
    let mut sink = open(room).sink;
    sink.remember(&presence(9)).unwrap();
    sink.start(&hello(1, 3)).unwrap();
    sink
}

/// Writes what is missing of each stream, up to `most` bytes of it, and makes it durable.
fn write(sink: &mut FileSink, before: &[usize], most: usize) {
    for (lane, (bytes, before)) in STREAMS.iter().zip(before).enumerate() {
        let mut written = digest(&bytes[..*before]);
        let mut writer = sink.lane(LaneId(lane as u16), &written).unwrap();
        let piece = &bytes[*before..bytes.len().min(most).max(*before)];
        if !piece.is_empty() {
            writer.write(&Bytes::copy_from_slice(piece)).unwrap();
            written.update(piece);
            while writer.durable(&written).unwrap() < written.len() {
                std::thread::yield_now();
            }
        }
        writer.finish().unwrap();
    }
}

fn names_after_commit() -> Vec<String> {
    let files = (0..3).flat_map(|lane| [format!("backup.{lane}"), format!("backup.{lane}.sha1")]);
    files.collect()
}

fn expect_committed(room: &TempDir) {
    for (lane, bytes) in STREAMS.iter().enumerate() {
        assert_eq!(std::fs::read(room.path().join(format!("backup.{lane}"))).unwrap(), *bytes);
        let line = std::fs::read_to_string(room.path().join(format!("backup.{lane}.sha1"))).unwrap();
        assert_eq!(line, format!("{}  backup.{lane}\n", digest(bytes).sum()));
    }
    assert_eq!(names(room), names_after_commit());
}

/// A room where a receiver was killed when so much of each stream was durable.
fn killed(most: usize) -> TempDir {
    let room = tempfile::tempdir().unwrap();
    let mut sink = begun(&room);
    write(&mut sink, &[0, 0, 0], most);
    kill(sink);
    room
}

#[test]
fn each_stream_is_a_file_with_its_checksum() {
    let room = tempfile::tempdir().unwrap();
    let mut sink = begun(&room);
    write(&mut sink, &[0, 0, 0], usize::MAX);
    sink.sync().unwrap();
    assert!(names(&room).iter().all(|name| name.contains(".partial")), "{:?}", names(&room));
    assert_eq!(sink.commit(&sums()).unwrap(), Reached::Synced);
    sink.close();
    drop(sink);
    expect_committed(&room);
}

#[test]
fn nothing_is_left_of_a_session_that_failed() {
    let room = tempfile::tempdir().unwrap();
    let mut sink = begun(&room);
    write(&mut sink, &[0, 0, 0], 3);
    assert!(sink.left().contains("backup.partial"));
    sink.abandon();
    assert_eq!((names(&room), sink.left()), (vec![], "nothing".to_owned()));
    sink.close();
    assert!(sink.commit(&sums()).is_err());
}

#[test]
fn what_exists_is_found_before_the_session_and_kept() {
    let room = tempfile::tempdir().unwrap();
    let sink = open(&room).sink;
    let admission = sink.admission();
    admission.judge(&hello(1, 3)).unwrap();
    std::fs::write(room.path().join("backup.2.sha1"), "theirs").unwrap();
    let error = admission.judge(&hello(1, 3)).unwrap_err();
    assert!(error.to_string().contains("backup.2.sha1 exists already"), "{error}");
    admission.judge(&hello(1, 2)).unwrap();
    admission.judge(&hello(1, 1)).unwrap();

    let mut sink = sink;
    sink.remember(&presence(9)).unwrap();
    assert!(matches!(sink.start(&hello(1, 3)), Err(SinkError::Exists { .. })));
    sink.abandon();
    assert_eq!(names(&room), ["backup.2.sha1"]);
}

#[test]
fn a_name_taken_meanwhile_takes_all_back() {
    let room = tempfile::tempdir().unwrap();
    let mut sink = begun(&room);
    write(&mut sink, &[0, 0, 0], usize::MAX);
    std::fs::write(room.path().join("backup.2"), "theirs").unwrap();
    assert!(matches!(sink.commit(&sums()), Err(SinkError::Exists { .. })));
    sink.abandon();
    assert_eq!(names(&room), ["backup.2"]);
    assert_eq!(std::fs::read(room.path().join("backup.2")).unwrap(), b"theirs");
}

#[test]
fn another_receivers_partial_file_is_not_touched() {
    let room = tempfile::tempdir().unwrap();
    let other = FileSink::create(&room.path().join("backup.1"), WINDOW, CACHE, Ownership::default()).unwrap().sink;
    let mut sink = open(&room).sink;
    sink.remember(&presence(9)).unwrap();
    assert!(matches!(sink.start(&hello(1, 3)), Err(SinkError::AlreadyRunning { .. })));
    sink.abandon();
    assert_eq!(names(&room), ["backup.1.partial"]);
    drop(other);
}

#[test]
fn it_goes_on_where_each_stream_was_durable() {
    let room = killed(3);
    let opened = open(&room);
    let recalled = session(opened.recalled);
    recalled.condition.unwrap();
    let lens: Vec<usize> = recalled.lanes.iter().map(|digest| digest.len() as usize).collect();
    assert_eq!(lens, [3, 0, 3]);
    let mut sink = opened.sink;
    sink.remember(&presence(9)).unwrap();
    sink.start(&hello(1, 3)).unwrap();
    write(&mut sink, &lens, usize::MAX);
    sink.commit(&sums()).unwrap();
    sink.close();
    drop(sink);
    expect_committed(&room);
}

#[test]
fn killed_before_any_file_was_made_it_goes_on_all_the_same() {
    let room = killed(0);
    std::fs::remove_file(room.path().join("backup.1.partial")).unwrap();
    let opened = open(&room);
    session(opened.recalled).condition.unwrap();
    let mut sink = opened.sink;
    sink.start(&hello(1, 3)).unwrap();
    write(&mut sink, &[0, 0, 0], usize::MAX);
    sink.commit(&sums()).unwrap();
}

#[test]
fn a_stream_that_is_not_what_was_written_is_not_gone_on_with() {
    let changes: [fn(&std::path::Path); 3] = [
        |path| std::fs::write(path, "hxl").unwrap(),
        |path| std::fs::write(path, "h").unwrap(),
        |path| std::fs::remove_file(path).unwrap(),
    ];
    for change in changes {
        let room = killed(3);
        change(&room.path().join("backup.0.partial"));
        let opened = open(&room);
        let damage = session(opened.recalled).condition.unwrap_err();
        assert!(matches!(damage, Damage::Changed { .. } | Damage::Short { .. }), "{damage}");
        let mut sink = opened.sink;
        sink.abandon();
        assert_eq!(names(&room), [""; 0]);
    }
}

#[test]
fn it_can_be_forgotten_for_another_session() {
    let room = killed(3);
    let mut sink = open(&room).sink;
    sink.forget().unwrap();
    assert_eq!(names(&room), ["backup.partial", "backup.partial.journal"]);
    sink.start(&hello(2, 1)).unwrap();
    let mut lane = sink.lane(LaneId(0), &LaneDigest::default()).unwrap();
    lane.write(&Bytes::from_static(b"hello")).unwrap();
    lane.finish().unwrap();
    sink.commit(&[sum(LaneId(0), b"hello")]).unwrap();
    sink.close();
    assert_eq!(names(&room), ["backup", "backup.sha1"]);
}

/// Does the first `steps` of a publication, the way `publish` does, and is killed.
fn killed_in_publication(steps: usize) -> TempDir {
    let room = tempfile::tempdir().unwrap();
    let mut sink = begun(&room);
    write(&mut sink, &[0, 0, 0], usize::MAX);
    sink.sync().unwrap();
    sink.append(Record::Committing(sums())).unwrap();
    let all: Vec<&Names> = sink.parts.iter().map(|part| &part.names).collect();
    all.iter()
        .zip(sums())
        .for_each(|(names, sum)| publish::write_checksum(names, sum.sum, &Ownership::default()).unwrap());
    let renames = all.iter().map(|names| (names, PARTIAL, ""));
    let renames = renames.chain(all.iter().map(|names| (names, CHECKSUM_PARTIAL, names::CHECKSUM)));
    renames.take(steps).for_each(|(names, from, to)| names.rename(from, to).unwrap());
    kill(sink);
    room
}

#[test]
fn a_publication_is_finished_once_every_file_has_its_name_and_else_taken_back() {
    for steps in 0..=6 {
        let room = killed_in_publication(steps);
        let Opened { mut sink, recalled, .. } = open(&room);
        let recalled = recalled.expect("somebody is recalled");
        let receipt = Receipt::of(Reached::Synced, sums());
        match steps {
            0..3 => {
                assert_eq!(recalled.committed, None, "{steps}");
                assert!(names(&room).iter().all(|name| name.contains(".partial")), "{steps}: {:?}", names(&room));
                sink.start(&hello(1, 3)).unwrap();
                write(&mut sink, &[5, 0, 6], usize::MAX);
                sink.commit(&sums()).unwrap();
            }
            _ => {
                assert_eq!(recalled.committed, Some(receipt), "{steps}");
                // Once more, before the sender has heard of it.
                kill(sink);
                sink = open(&room).sink;
            }
        }
        sink.close();
        drop(sink);
        expect_committed(&room);
    }
}
