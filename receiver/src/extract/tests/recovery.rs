//! What a new run takes for the staging folder of an old one, and what it leaves alone.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown, symlink};

use super::*;
use crate::extract::record::{self, Move};

/// What a run leaves that was killed while unpacking: a folder of ours.
fn leave_folder(room: &Room, name: &str) {
    fs::create_dir_all(room.at(name).join("tree")).unwrap();
    fs::set_permissions(room.at(name), Permissions::from_mode(0o700)).unwrap();
    fs::write(room.at(name).join("lock"), "").unwrap();
    fs::write(room.at(name).join("tree/file"), "x").unwrap();
}

/// Runs once, and says what was there before and is there no more.
fn lost(room: &Room) -> Vec<String> {
    let before = room.paths();
    let (extraction, Recovered { notices, .. }) = Extraction::create(&room.dir(), 7, Unpacking::default()).unwrap();
    drop(extraction);
    let after = room.paths();
    let lost: Vec<_> = before.into_iter().filter(|path| !after.contains(path)).collect();
    assert_eq!(lost.is_empty(), notices.is_empty(), "{notices:?}");
    lost
}

const NAME: &str = ".xbrecv-0123456789abcdef";

#[test]
fn a_folder_of_ours_is_removed() {
    let room = Room::new();
    leave_folder(&room, NAME);
    lost(&room);
    assert_eq!(room.paths(), [""; 0]);
}

#[test]
fn names_that_only_look_like_ours_are_left_alone() {
    let room = Room::new();
    fs::write(room.at(".xbrecv-key"), "secret").unwrap();
    for name in ["", "key2", "0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF", "0123456789abcdeg"] {
        leave_folder(&room, &format!("{STAGING_PREFIX}{name}"));
    }
    assert_eq!(lost(&room), [""; 0]);
}

#[test]
fn what_is_no_folder_is_left_alone() {
    let room = Room::new();
    fs::write(room.at(NAME), "x").unwrap();
    leave_folder(&room, "elsewhere");
    symlink("elsewhere", room.at(".xbrecv-0000000000000001")).unwrap();
    assert_eq!(lost(&room), [""; 0]);
}

#[test]
fn a_folder_without_a_lock_file_is_left_alone_unless_it_is_empty() {
    let room = Room::new();
    for (name, lock) in [("0", None), ("1", Some("a-link")), ("2", Some("a-directory"))] {
        let name = format!("{STAGING_PREFIX}{name:0>16}");
        leave_folder(&room, &name);
        let path = room.at(&name).join("lock");
        fs::remove_file(&path).unwrap();
        match lock {
            Some("a-link") => symlink("tree/file", path).unwrap(),
            Some(_) => fs::create_dir(path).unwrap(),
            None => {}
        }
    }
    assert_eq!(lost(&room), [""; 0]);

    let room = Room::new();
    fs::create_dir(room.at(NAME)).unwrap();
    fs::set_permissions(room.at(NAME), Permissions::from_mode(0o700)).unwrap();
    drop(Extraction::create(&room.dir(), 7, Unpacking::default()).unwrap());
    assert_eq!(room.paths(), [""; 0]);
}

#[test]
fn a_folder_that_others_may_enter_is_left_alone() {
    let room = Room::new();
    leave_folder(&room, NAME);
    fs::set_permissions(room.at(NAME), Permissions::from_mode(0o770)).unwrap();
    assert_eq!(lost(&room), [""; 0]);
}

#[test]
fn a_folder_that_somebody_else_made_is_left_alone_with_what_its_record_names() {
    let room = Room::new();
    leave_folder(&room, NAME);
    fs::write(room.at("precious"), "x").unwrap();
    let inode = std::os::unix::fs::MetadataExt::ino(&room.at("precious").metadata().unwrap());
    let record = record::encode(&[Move { path: "precious".into(), inode }, Move { path: "no".into(), inode: 1 }]);
    fs::write(room.at(NAME).join("commit"), record).unwrap();
    if chown(room.at(NAME), Some(65534), None).is_err() {
        // Only root can give a folder away.
        return;
    }
    assert_eq!(lost(&room), [""; 0]);
}

#[test]
fn the_lock_is_the_last_thing_to_go() {
    let room = Room::new();
    leave_folder(&room, NAME);
    // What cannot be removed stops the removal, as a crash would.
    let stuck = room.at(NAME).join("tree/mounted");
    fs::create_dir(&stuck).unwrap();
    let mount = std::process::Command::new("mount").args(["-t", "tmpfs", "tmpfs"]).arg(&stuck).output();
    if !mount.is_ok_and(|done| done.status.success()) {
        return;
    }
    let error = Extraction::create(&room.dir(), 7, Unpacking::default()).unwrap_err();
    std::process::Command::new("umount").arg(&stuck).status().unwrap();
    assert!(error.to_string().ends_with("busy"), "{error}");
    assert!(room.at(NAME).join("lock").exists());
    lost(&room);
    assert_eq!(room.paths(), [""; 0]);
}
