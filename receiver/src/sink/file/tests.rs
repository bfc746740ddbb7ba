//! The life of `-o FILE`.

mod comeback;
mod interrupted;
mod several;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use tempfile::TempDir;
use xbproto::lane::Sha1Sum;

use super::publish::{checksum_line, take_back};
use super::*;
use crate::disk::Notice;
use crate::journal::sample::hello;
use crate::sink::{Opened, to_path};

const WINDOW: u64 = 1 << 20;
const CACHE: PageCache = PageCache::Bypassed;

fn sum() -> LaneSum {
    LaneSum { lane: LaneId(0), len: 5, sum: Sha1Sum([0xab; 20]) }
}

fn create(room: &TempDir) -> Result<Opened<FileSink>, SinkError> {
    FileSink::create(&room.path().join("backup"), WINDOW, CACHE, Ownership::default())
}

fn filled(room: &TempDir) -> FileSink {
    let Opened { mut sink, notices, .. } = create(room).unwrap();
    assert_eq!(notices, []);
    let mut lane = sink.lane(LaneId(0), &LaneDigest::default()).unwrap();
    lane.write(&Bytes::from_static(b"he")).unwrap();
    lane.write(&Bytes::from_static(b"llo")).unwrap();
    lane.finish().unwrap();
    sink
}

fn names(room: &TempDir) -> Vec<String> {
    let mut names: Vec<_> =
        room.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn nothing_has_its_name_before_commit() {
    let room = tempfile::tempdir().unwrap();
    let mut sink = filled(&room);
    sink.sync().unwrap();
    assert_eq!(names(&room), ["backup.partial"]);

    assert_eq!(sink.commit(&[sum()]).unwrap(), Reached::Synced);

    assert_eq!(names(&room), ["backup", "backup.sha1"]);
    assert_eq!(std::fs::read(room.path().join("backup")).unwrap(), b"hello");
    assert_eq!(
        std::fs::read_to_string(room.path().join("backup.sha1")).unwrap(),
        "abababababababababababababababababababab  backup\n"
    );
    let mode = room.path().join("backup").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7137, 0, "{mode:o} is more than 0640");
    drop(sink);
    assert_eq!(names(&room), ["backup", "backup.sha1"]);
}

#[test]
fn abandon_leaves_nothing_and_may_be_repeated() {
    let room = tempfile::tempdir().unwrap();
    let mut sink = filled(&room);
    sink.abandon();
    sink.abandon();
    assert_eq!(names(&room), [""; 0]);
    assert!(sink.commit(&[sum()]).is_err());
}

#[test]
fn a_checksum_that_cannot_be_published_takes_the_file_back() {
    let room = tempfile::tempdir().unwrap();
    let mut sink = filled(&room);
    std::fs::write(room.path().join("backup.sha1"), "theirs").unwrap();
    assert!(matches!(sink.commit(&[sum()]), Err(SinkError::Exists { .. })));
    assert_eq!(names(&room), ["backup.partial", "backup.sha1", "backup.sha1.partial"]);
    sink.abandon();
    assert_eq!(names(&room), ["backup.sha1"]);
}

#[test]
fn what_cannot_be_taken_back_is_told() {
    let room = tempfile::tempdir().unwrap();
    let sink = filled(&room);
    sink.names.rename(PARTIAL, "").unwrap();
    std::fs::write(room.path().join("backup.partial"), "").unwrap();
    let error = take_back(sink.out_of_turn("commit"), &[(&sink.names, PARTIAL, "")]);
    let (backup, partial) = (room.path().join("backup"), room.path().join("backup.partial"));
    let expected = format!(
        "; taking back {} failed too: {} exists already; remove it or choose another name; \
         the backup is not confirmed",
        backup.display(),
        partial.display()
    );
    assert!(error.to_string().ends_with(&expected), "{error}");
}

#[test]
fn a_dropped_sink_leaves_nothing() {
    let room = tempfile::tempdir().unwrap();
    drop(filled(&room));
    assert_eq!(names(&room), [""; 0]);
}

#[test]
fn the_interrupter_ends_a_sync_and_not_a_commit() {
    let room = tempfile::tempdir().unwrap();
    let mut sink = filled(&room);
    sink.interrupter().interrupt();
    assert!(matches!(sink.sync(), Err(SinkError::Interrupted { .. })));
    drop(sink);

    let mut sink = filled(&room);
    sink.sync().unwrap();
    sink.interrupter().interrupt();
    assert_eq!(sink.commit(&[sum()]).unwrap(), Reached::Synced);
}

#[test]
fn existing_targets_are_refused_and_left_alone() {
    for taken in ["backup", "backup.sha1"] {
        let room = tempfile::tempdir().unwrap();
        std::fs::write(room.path().join(taken), "old").unwrap();
        let error = create(&room).unwrap_err();
        assert!(matches!(&error, SinkError::Exists { path } if path.ends_with(taken)), "{error}");
        assert_eq!(names(&room), [taken]);
    }
}

#[test]
fn a_second_receiver_is_told_so() {
    let room = tempfile::tempdir().unwrap();
    let first = filled(&room);
    assert!(matches!(create(&room).unwrap_err(), SinkError::AlreadyRunning { .. }));
    drop(first);
    create(&room).unwrap();
}

#[test]
fn a_stale_partial_is_replaced_and_said_so() {
    let room = tempfile::tempdir().unwrap();
    let partial = room.path().join("backup.partial");
    std::fs::write(&partial, "stale").unwrap();
    let Opened { mut sink, notices, .. } = create(&room).unwrap();
    assert_eq!(notices, [Notice::ReplacedPartial(partial)]);
    let mut lane = sink.lane(LaneId(0), &LaneDigest::default()).unwrap();
    lane.write(&Bytes::from_static(b"new")).unwrap();
    lane.finish().unwrap();
    sink.commit(&[sum()]).unwrap();
    assert_eq!(std::fs::read(room.path().join("backup")).unwrap(), b"new");
}

#[test]
fn a_target_that_appears_meanwhile_is_not_replaced() {
    for taken in ["backup", "backup.sha1"] {
        let room = tempfile::tempdir().unwrap();
        let mut sink = filled(&room);
        std::fs::write(room.path().join(taken), "theirs").unwrap();
        let error = sink.commit(&[sum()]).unwrap_err();
        assert!(matches!(&error, SinkError::Exists { path } if path.ends_with(taken)), "{error}");
        sink.abandon();
        assert_eq!(names(&room), [taken]);
        assert_eq!(std::fs::read(room.path().join(taken)).unwrap(), b"theirs");
    }
}

#[test]
fn an_announced_size_is_no_promise() {
    for size in [0, 3, 1 << 20, 1 << 62] {
        let room = tempfile::tempdir().unwrap();
        let mut sink = create(&room).unwrap().sink;
        sink.start(&Hello { size: Some(size), ..hello(1, 1) }).unwrap();
        let mut lane = sink.lane(LaneId(0), &LaneDigest::default()).unwrap();
        lane.write(&Bytes::from_static(b"hello")).unwrap();
        lane.finish().unwrap();
        sink.commit(&[sum()]).unwrap();
        let meta = room.path().join("backup").metadata().unwrap();
        assert_eq!(meta.len(), 5);
        assert!(meta.blocks() * 512 < 1 << 20, "the rest was given back");
    }
}

#[test]
fn a_second_lane_is_refused() {
    let room = tempfile::tempdir().unwrap();
    let mut sink = create(&room).unwrap().sink;
    assert!(matches!(sink.lane(LaneId(1), &LaneDigest::default()), Err(SinkError::OneLane { lane: LaneId(1), .. })));
}

#[test]
fn a_directory_and_a_dangling_link_are_refused() {
    let room = tempfile::tempdir().unwrap();
    assert!(matches!(
        to_path(room.path(), WINDOW, CACHE, Ownership::default()),
        Err(SinkError::NotAFile { kind: "directory", .. })
    ));
    let link = room.path().join("link");
    std::os::unix::fs::symlink(room.path().join("nowhere"), &link).unwrap();
    assert!(matches!(to_path(&link, WINDOW, CACHE, Ownership::default()), Err(SinkError::NotAFile { .. })));
    assert_eq!(names(&room), ["link"]);
}

#[test]
fn a_link_to_a_file_means_the_file() {
    let room = tempfile::tempdir().unwrap();
    std::fs::write(room.path().join("file"), "old").unwrap();
    let link = room.path().join("link");
    std::os::unix::fs::symlink("file", &link).unwrap();
    assert!(matches!(to_path(&link, WINDOW, CACHE, Ownership::default()), Err(SinkError::Exists { .. })));
}

#[test]
fn checksum_lines_are_those_of_sha1sum() {
    let digits = "ab".repeat(20);
    let cases: [(&[u8], String); 3] = [
        (b"a b.xb", format!("{digits}  a b.xb\n")),
        (b"a\nb", format!("\\{digits}  a\\nb\n")),
        (b"a\\b", format!("\\{digits}  a\\\\b\n")),
    ];
    for (name, line) in cases {
        assert_eq!(checksum_line(Sha1Sum([0xab; 20]), OsStr::from_bytes(name)), line.as_bytes());
    }
}
