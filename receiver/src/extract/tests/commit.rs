//! All or nothing: the staging folder, the commit, its undoing, and what a later run does about an interrupted one.

use super::*;
use crate::disk::Notice;
use crate::extract::record;

const STREAM: [(&str, &str); 4] = [("db1/a", "1"), ("db2/b", "2"), ("shared/new", "3"), ("top", "4")];

fn chunks() -> Vec<Vec<u8>> {
    STREAM.iter().map(|(path, data)| file(path, data)).collect()
}

/// A room whose target has a directory that the stream fills further.
fn room() -> Room {
    let room = Room::new();
    fs::create_dir(room.at("shared")).unwrap();
    fs::write(room.at("shared/old"), "old").unwrap();
    room
}

const BEFORE: [&str; 2] = ["shared/", "shared/old"];
const AFTER: [&str; 8] = ["db1/", "db1/a", "db2/", "db2/b", "shared/", "shared/new", "shared/old", "top"];

/// An extraction that has unpacked everything, and its commit as planned and recorded.
fn planned(room: &Room) -> (Extraction, Commit) {
    let extraction = room.extraction();
    feed(&extraction, &chunks()).unwrap();
    extraction.shared.settle().unwrap();
    let (tree, target) = (extraction.staging.tree().unwrap(), extraction.staging.target().unwrap());
    let commit = Commit::plan(tree, target, &room.dir()).unwrap();
    extraction.staging.write_record(commit.moves()).unwrap();
    (extraction, commit)
}

/// What a killed process leaves: the lock is gone, everything else stays.
fn kill(extraction: Extraction) {
    extraction.staging.lose_lock();
    std::mem::forget(extraction);
}

#[test]
fn nothing_has_its_name_before_commit() {
    let room = room();
    let mut extraction = room.extraction();
    feed(&extraction, &chunks()).unwrap();
    extraction.sync().unwrap();
    let visible: Vec<_> = room.paths().into_iter().filter(|path| !path.starts_with(STAGING_PREFIX)).collect();
    assert_eq!(visible, BEFORE);
    extraction.commit().unwrap();
    assert_eq!(room.paths(), AFTER);
    drop(extraction);
    assert_eq!(room.paths(), AFTER);
}

#[test]
fn abandon_leaves_nothing_and_may_be_repeated() {
    let room = room();
    let mut extraction = room.extraction();
    feed(&extraction, &[chunks().concat(), payload("open", 0, "x")]).unwrap();
    extraction.abandon();
    extraction.abandon();
    assert_eq!(room.paths(), BEFORE);
    assert!(matches!(extraction.commit(), Err(ExtractError::OutOfTurn)));
}

#[test]
fn a_stop_ends_a_sync_and_not_a_commit() {
    let room = room();
    let mut extraction = room.extraction();
    feed(&extraction, &chunks()).unwrap();
    extraction.stop().raise();
    assert!(matches!(extraction.sync(), Err(ExtractError::Interrupted)));
    drop(extraction);

    let mut extraction = room.extraction();
    feed(&extraction, &chunks()).unwrap();
    extraction.sync().unwrap();
    extraction.stop().raise();
    extraction.commit().unwrap();
    assert_eq!(room.paths(), AFTER);
}

#[test]
fn a_lane_that_still_writes_leaves_nothing_after_abandon() {
    let room = room();
    let mut extraction = room.extraction();
    let mut unpacker = extraction.lane(LaneId(0));
    let lane = std::thread::spawn(move || {
        (0_u64..).find_map(|i| unpacker.write(&Bytes::from(file(&format!("dir{i}/file"), "x"))).err()).unwrap()
    });
    while extraction.progress().files() < 100 {
        std::thread::yield_now();
    }
    extraction.abandon();
    assert!(matches!(lane.join().unwrap(), ExtractError::Interrupted));
    assert_eq!(room.paths(), BEFORE);
}

#[test]
fn a_missing_target_is_made_and_goes_again_on_failure() {
    let room = Room::new();
    let dir = room.at("new");
    let (mut extraction, _) = Extraction::create(&dir, ID, Unpacking::default()).unwrap();
    extraction.abandon();
    assert!(!dir.exists());
    let (mut extraction, _) = Extraction::create(&dir, ID, Unpacking::default()).unwrap();
    feed(&extraction, &chunks()).unwrap();
    extraction.commit().unwrap();
    assert_eq!(fs::read_to_string(dir.join("db1/a")).unwrap(), "1");
    let error = Extraction::create(&room.at("no/where"), ID, Unpacking::default()).unwrap_err();
    assert_eq!(error.cause(), Cause::Sink);
}

#[test]
fn a_target_that_is_a_file_is_refused() {
    let room = Room::new();
    fs::write(room.at("file"), "").unwrap();
    let error = Extraction::create(&room.at("file"), ID, Unpacking::default()).unwrap_err();
    assert!(error.to_string().ends_with("/file: Not a directory"), "{error}");
}

#[test]
fn a_collision_at_any_rename_undoes_those_before_it() {
    for at in 0..STREAM.len() {
        let room = room();
        let (mut extraction, commit) = planned(&room);
        assert_eq!(commit.moves().len(), STREAM.len());
        let taken = room.dir().join(&commit.moves()[at].path);
        fs::write(&taken, "theirs").unwrap();

        assert!(matches!(commit.carry_out().unwrap_err(), ExtractError::Exists { .. }));
        extraction.staging.remove_record().unwrap();
        extraction.abandon();

        assert_eq!(fs::read_to_string(&taken).unwrap(), "theirs");
        fs::remove_file(&taken).unwrap();
        assert_eq!(room.paths(), BEFORE, "rename {at}");
    }
}

#[test]
fn a_collision_before_the_plan_leaves_nothing() {
    let room = room();
    let mut extraction = room.extraction();
    feed(&extraction, &chunks()).unwrap();
    fs::write(room.at("top"), "theirs").unwrap();
    assert!(matches!(extraction.commit().unwrap_err(), ExtractError::Exists { .. }));
    extraction.abandon();
    assert_eq!(room.paths(), ["shared/", "shared/old", "top"]);
}

#[test]
fn a_run_killed_amid_its_commit_is_undone() {
    for done in 0..STREAM.len() {
        let room = room();
        let (extraction, commit) = planned(&room);
        for entry in &commit.moves()[..done] {
            fs::rename(room.staged("").join(&entry.path), room.dir().join(&entry.path)).unwrap();
        }
        kill(extraction);

        let (extraction, Recovered { notices, .. }) = Extraction::create(&room.dir(), 7, Unpacking::default()).unwrap();
        assert!(matches!(&notices[..], [Notice::UndidCommit(_)]), "{notices:?}");
        drop(extraction);
        assert_eq!(room.paths(), BEFORE, "{done} renames");
    }
}

#[test]
fn a_rename_in_two_steps_is_undone_after_its_first() {
    let room = room();
    let (extraction, commit) = planned(&room);
    fs::hard_link(room.staged("top"), room.at("top")).unwrap();
    drop(commit);
    kill(extraction);

    let (extraction, Recovered { notices, .. }) = Extraction::create(&room.dir(), 7, Unpacking::default()).unwrap();
    assert!(matches!(&notices[..], [Notice::UndidCommit(_)]), "{notices:?}");
    drop(extraction);
    assert_eq!(room.paths(), BEFORE);
}

#[test]
fn a_run_killed_after_its_last_rename_is_finished() {
    let room = room();
    let (extraction, commit) = planned(&room);
    commit.carry_out().unwrap();
    kill(extraction);

    let (extraction, Recovered { notices, .. }) = Extraction::create(&room.dir(), 7, Unpacking::default()).unwrap();
    assert!(matches!(&notices[..], [Notice::FinishedCommit(_)]), "{notices:?}");
    drop(extraction);
    assert_eq!(room.paths(), AFTER);
}

#[test]
fn undoing_spares_what_somebody_else_put_there() {
    let room = room();
    let (extraction, commit) = planned(&room);
    commit.carry_out().unwrap();
    let moved = room.0.path().join("kept");
    fs::rename(room.at("top"), &moved).unwrap();
    fs::write(room.at("top"), "theirs").unwrap();
    kill(extraction);

    drop(Extraction::create(&room.dir(), 7, Unpacking::default()).unwrap());
    assert_eq!(room.read("top"), "theirs");
    assert_eq!(room.paths(), ["shared/", "shared/old", "top"]);
    assert_eq!(fs::read_to_string(moved).unwrap(), "4");
}

#[test]
fn a_run_killed_before_its_commit_is_removed() {
    let room = room();
    let extraction = room.extraction();
    feed(&extraction, &chunks()).unwrap();
    kill(extraction);

    let (extraction, Recovered { notices, .. }) = Extraction::create(&room.dir(), ID, Unpacking::default()).unwrap();
    assert!(matches!(&notices[..], [Notice::RemovedStaging(_)]), "{notices:?}");
    drop(extraction);
    assert_eq!(room.paths(), BEFORE);
}

#[test]
fn a_record_that_cannot_be_trusted_is_left_for_a_person() {
    let room = room();
    let (extraction, _) = planned(&room);
    kill(extraction);
    let path = room.staged("").parent().unwrap().join("commit");
    let mut bytes = fs::read(&path).unwrap();
    assert!(record::decode(&bytes).is_ok());
    bytes[20] ^= 1;
    fs::write(&path, bytes).unwrap();
    let before = room.paths();

    let error = Extraction::create(&room.dir(), 7, Unpacking::default()).unwrap_err();
    assert!(matches!(error, ExtractError::BadRecord { .. }), "{error}");
    assert_eq!(room.paths(), before);
}

#[test]
fn a_second_receiver_is_told_so() {
    let room = room();
    let extraction = room.extraction();
    let error = Extraction::create(&room.dir(), 7, Unpacking::default()).unwrap_err();
    assert!(matches!(error, ExtractError::AlreadyRunning { .. }), "{error}");
    drop(extraction);
    drop(Extraction::create(&room.dir(), 7, Unpacking::default()).unwrap());
}

#[test]
fn a_failed_sync_fails_the_commit() {
    let room = room();
    let mut extraction = room.extraction();
    feed(&extraction, &chunks()).unwrap();
    let (_reader, pipe) = rustix::pipe::pipe().unwrap();
    extraction.shared.resources().syncers.push(sync::Finished {
        path: "db1/a".into(),
        file: Arc::new(pipe.into()),
        written: 1,
    });
    assert_eq!(extraction.sync().unwrap_err().to_string(), "syncing db1/a: Invalid argument");
    assert_eq!(extraction.commit().unwrap_err().to_string(), "syncing db1/a: Invalid argument");
    extraction.abandon();
    assert_eq!(room.paths(), BEFORE);
}
