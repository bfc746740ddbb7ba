//! What is done with a backup once it is committed.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use xbtests::{Backup, Ended, FakeTool, Pace, Running, Scene};

fn transfer<const N: usize>(scene: &Scene, args: [&str; N], backup: &Backup) -> (Ended, Ended) {
    scene.transfer(scene.receiver(args), |to| scene.sender(to, []).feed(backup))
}

fn wait_for(scene: &Scene, name: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !scene.path(name).exists() {
        assert!(Instant::now() < deadline, "{name} does not appear");
        thread::sleep(Duration::from_millis(10));
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode() & 0o777
}

#[test]
fn the_receipt_comes_first_and_the_sender_does_not_wait() {
    let scene = Scene::new();
    let then = "ls out.xb out.xb.sha1 > seen; while ! [ -e go ]; do sleep 0.02; done; echo went; touch ran";
    let mut receiver = scene.receiver(["-o", "out.xb", "--then", then]).start();
    let sender = scene.sender(&receiver.address(), []).feed(&Backup::small()).start();
    sender.wait().expect_success();
    wait_for(&scene, "seen");
    assert!(receiver.is_alive());
    receiver.ask_until("the command of --then has been running for");
    scene.file("go", "");
    receiver.wait().expect_success().expect_said("then: went");
    assert_eq!(fs::read_to_string(scene.path("seen")).expect("written"), "out.xb\nout.xb.sha1\n");
    assert!(scene.path("ran").exists());
    scene.expect_nobody_left();
}

#[test]
fn the_command_is_told_what_is_known_and_nothing_else() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let then = "env | grep ^XB_ | grep -v ^XB_CONFIG= | sort > told";
    let receiver = scene.receiver(["--extract", "-C", "new", "--then", then]).env("XB_SERVER_UUID", "stale");
    let (sent, received) = scene.transfer(receiver, |to| scene.sender(to, []).feed(&backup));
    sent.expect_success();
    received.expect_success();
    let told = fs::read_to_string(scene.path("told")).expect("written");
    let expected = [
        "XB_BACKUP_TYPE=full".to_owned(),
        format!("XB_BYTES={}", backup.stream().len()),
        format!("XB_DIR={}", fs::canonicalize(scene.path("new")).expect("a directory").display()),
        format!("XB_FILES={}", backup.names().len()),
        "XB_FROM_LSN=0".to_owned(),
        "XB_REACHED=synced".to_owned(),
        "XB_SERVER_VERSION=10.11.19-MariaDB".to_owned(),
        format!("XB_SHA1={}", backup.sha1()),
        "XB_TOOL=mariadb-backup".to_owned(),
        "XB_TO_LSN=42".to_owned(),
    ];
    let mut told: Vec<&str> = told.lines().collect();
    told.sort();
    // The key is not among them.
    assert_eq!(told, expected.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn a_command_that_fails_is_the_receivers_affair_alone() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let (sent, received) = transfer(&scene, ["-o", "out.xb", "--then", "echo in vain >&2; exit 3"], &backup);
    sent.expect_success();
    received.expect_failure(9).expect_said("then: in vain");
    assert_eq!(
        received.cause(),
        "receiver: the backup is committed, but the command of --then exited with status 3; it said: in vain"
    );
    received.expect_said("left here: the committed backup, file out.xb; next: the copy is good");
    assert!(fs::read(scene.path("out.xb")).expect("stored") == backup.stream());
}

#[test]
fn nothing_is_run_after_a_failed_session() {
    let scene = Scene::new();
    let receiver = scene.receiver(["-x", "-C", "new", "--then", "touch ran"]);
    let (sent, received) = scene.transfer(receiver, |to| scene.sender(to, ["--", "sh", "-c", "exit 3"]));
    sent.expect_failure(6);
    received.expect_failure(6);
    assert_eq!(scene.listing("."), Vec::<String>::new());
    assert!(!scene.path("new").exists());
}

#[test]
fn a_receipt_that_nobody_acknowledges_is_a_commit() {
    let scene = Scene::at(Pace::of_this_run().without_retry());
    let consumer = "cat > all; touch heard; while ! [ -e go ]; do sleep 0.02; done";
    let receiver = scene.receiver(["--then", "touch ran", "--", "sh", "-c", consumer]).start();
    let sender = scene.sender(&receiver.address(), []).feed(&Backup::small()).start();
    wait_for(&scene, "heard");
    sender.signal(Signal::KILL);
    assert_eq!(sender.wait().code, 137);
    scene.file("go", "");
    receiver.wait().expect_success().expect_said("the sender has not acknowledged the receipt");
    assert!(scene.path("ran").exists());
}

#[test]
fn nothing_is_run_for_whoever_has_asked_for_the_end_before() {
    let scene = Scene::new();
    let consumer = "cat > all; touch heard; while ! [ -e go ]; do sleep 0.02; done";
    let receiver = scene.receiver(["--then", "touch ran", "--", "sh", "-c", consumer]).start();
    let sender = scene.sender(&receiver.address(), []).feed(&Backup::small()).start();
    wait_for(&scene, "heard");
    // It cannot acknowledge the receipt.
    sender.signal(Signal::STOP);
    scene.file("go", "");
    receiver.ask_until("committed, waiting for the sender's acknowledgement");
    receiver.signal(Signal::TERM);
    let received = receiver.wait();
    received.expect_failure(9);
    let expected = "receiver: the backup is committed, but the command of --then was not run: ended by SIGTERM";
    assert_eq!(received.cause(), expected);
    assert!(!scene.path("ran").exists());
    sender.signal(Signal::KILL);
    sender.wait();
}

/// A receiver whose backup is committed, and whose command runs and does not end by itself.
fn running(scene: &Scene, options: &[&str], command: &str) -> Running {
    let then = format!("{command} touch running; sleep 1000 & sleep 1000");
    let receiver = scene.receiver(["-o", "out.xb", "--then", &then]).args(options).start();
    scene.sender(&receiver.address(), []).feed(&Backup::small()).start().wait().expect_success();
    wait_for(scene, "running");
    receiver
}

#[test]
fn a_signal_ends_the_command_and_all_it_has_started() {
    for (signal, command, words) in [
        (Signal::INT, "", "interrupted by SIGINT"),
        (Signal::TERM, "", "ended by SIGTERM"),
        (Signal::TERM, "trap '' INT TERM;", "ended by SIGTERM"),
    ] {
        let scene = Scene::new();
        let receiver = running(&scene, &[], command);
        receiver.signal(signal);
        let received = receiver.wait();
        received.expect_failure(9);
        let expected = format!("receiver: the backup is committed, but the command of --then was stopped: {words}");
        assert_eq!(received.cause(), expected);
        scene.expect_nobody_left();
        assert!(scene.path("out.xb").exists());
    }
}

#[test]
fn the_deadline_holds_for_the_command_too() {
    let scene = Scene::new();
    let received = running(&scene, &["--deadline", "12s"], "").wait();
    received.expect_failure(9).expect_said("the command of --then was stopped: not done within 12.0 s (--deadline)");
    scene.expect_nobody_left();
}

#[test]
fn a_full_backup_is_prepared_by_its_tool_before_the_command_runs() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let script = "echo \"$@\" > prepared; echo '2026-11-23 14:18:46 completed OK!' >&2; umask 0; : > new/made";
    let tools = FakeTool::new(&scene, "mariadb-backup", script).and("xtrabackup", "exit 1");
    let args = ["-x", "-C", "new", "--prepare", "--mode", "604,705", "--then", "/bin/cat prepared >&2"];
    let receiver = scene.receiver(args).env("PATH", tools.path());
    let (sent, received) = scene.transfer(receiver, |to| scene.sender(to, []).feed(&backup));
    sent.expect_success();
    let dir = fs::canonicalize(scene.path("new")).expect("a directory");
    let words = format!("--no-defaults --prepare --target-dir={}", dir.display());
    received.expect_success().expect_said(&format!("then: {words}"));
    received.expect_said("prepare: 2026-11-23 14:18:46 completed, unconfirmed");
    for (name, expected) in [("made", 0o604), ("ibdata1", 0o604), ("shop", 0o705), ("a/b/c", 0o705), ("", 0o705)] {
        assert_eq!(mode(&dir.join(name)), expected, "{name}");
    }
}

#[test]
fn what_prepares_can_write_files_that_nobody_may_write_afterwards() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let tools = FakeTool::new(&scene, "mariadb-backup", "stat -c %a new/ibdata1 >&2");
    let receiver = scene.receiver(["-x", "-C", "new", "--prepare", "--mode", "440"]).env("PATH", tools.path());
    let (sent, received) = scene.transfer(receiver, |to| scene.sender(to, []).feed(&backup));
    sent.expect_success();
    received.expect_success().expect_said("prepare: 640");
    assert_eq!(mode(&scene.path("new/ibdata1")), 0o440);
}

#[test]
fn a_backup_that_stays_compressed_is_not_prepared() {
    let scene = Scene::new();
    let info = b"tool_name = mariadb-backup\ntool_version = 10.11.19-MariaDB\ncompressed = compressed\n";
    let backup = Backup::small().replacing("xtrabackup_info", info);
    let tools = FakeTool::new(&scene, "mariadb-backup", "touch ran");
    let prepare = |dir, more: &[&str]| {
        let receiver = scene.receiver(["-x", "-C", dir, "--prepare"]).args(more).env("PATH", tools.path());
        let (sent, received) = scene.transfer(receiver, |to| scene.sender(to, []).feed(&backup));
        sent.expect_success();
        received
    };
    let received = prepare("new", &[]);
    received.expect_failure(9).expect_said("are compressed, and only plain ones can be prepared; decode them with: ");
    received.expect_said("mariadb-backup --decompress --target-dir=/");
    assert!(!scene.path("ran").exists());
    prepare("other", &["--decompress"]).expect_success();
    assert!(scene.path("ran").exists());
}

#[test]
fn what_an_interrupted_commit_has_left_is_no_company() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("b.xb", backup.stream());
    // Killed when the first of two files had its name.
    let staging = ".xbrecv-0123456789abcdef";
    scene.new_folder("new");
    for folder in [staging, &format!("{staging}/tree")] {
        fs::create_dir(scene.path("new").join(folder)).expect("a folder");
    }
    let folder = scene.path("new").join(staging);
    fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).expect("ours");
    let (moved, staged) = (scene.path("new/ibdata1"), folder.join("tree/xtrabackup_info"));
    for file in [&moved, &staged, &folder.join("lock")] {
        fs::write(file, "").expect("space");
    }
    let inode = |path: &Path| fs::metadata(path).expect("a file").ino();
    let record = format!("xbrecv commit 1\n{} ibdata1\0{} xtrabackup_info\0", inode(&moved), inode(&staged));
    let sum = crc32fast::hash(record.as_bytes());
    fs::write(folder.join("commit"), format!("{record}crc32 {sum:08x}\n")).expect("space");
    let tools = FakeTool::new(&scene, "mariadb-backup", "");
    let ended = scene.xbrecv(["-x", "-C", "new", "--prepare", "--from", "b.xb"]).env("PATH", tools.path());
    ended.start().wait().expect_success();
    backup.expect_in(&scene.path("new"));
}

#[test]
fn a_preparation_that_fails_ends_it() {
    let scene = Scene::new();
    let tools = FakeTool::new(&scene, "mariabackup", "echo no redo >&2; exit 1");
    let receiver = scene.receiver(["-x", "-C", "new", "--prepare", "--then", "touch ran"]).env("PATH", tools.path());
    let (sent, received) = scene.transfer(receiver, |to| scene.sender(to, []).feed(&Backup::small()));
    sent.expect_success();
    received.expect_failure(9).expect_said("mariabackup --prepare exited with status 1; it said: no redo");
    assert!(!scene.path("ran").exists());
    Backup::small().expect_in(&scene.path("new"));
}

#[test]
fn an_incremental_backup_is_left_for_its_base() {
    let scene = Scene::new();
    let backup = Backup::small().replacing("xtrabackup_checkpoints", b"backup_type = incremental\nto_lsn = 57\n");
    let tools = FakeTool::new(&scene, "mariadb-backup", "touch ran");
    let receiver = scene.receiver(["-x", "-C", "new", "--prepare"]).env("PATH", tools.path());
    let (sent, received) = scene.transfer(receiver, |to| scene.sender(to, []).feed(&backup));
    sent.expect_success();
    let dir = fs::canonicalize(scene.path("new")).expect("a directory");
    let command = format!("mariadb-backup --prepare --target-dir=BASE --incremental-dir={}", dir.display());
    received.expect_failure(9).expect_said(&command);
    assert!(!scene.path("ran").exists());
}

#[test]
fn a_file_and_its_checksum_get_their_owner_and_mode() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let owner = match rustix::process::geteuid() {
        root if root.is_root() => (12_345, 23_456),
        own => (own.as_raw(), rustix::process::getegid().as_raw()),
    };
    let words = format!("{}:{}", owner.0, owner.1);
    let (sent, received) = transfer(&scene, ["-o", "out.xb", "--owner", &words, "--mode", "0444"], &backup);
    sent.expect_success();
    received.expect_success();
    for name in ["out.xb", "out.xb.sha1"] {
        let metadata = fs::metadata(scene.path(name)).expect("a file");
        assert_eq!((metadata.uid(), metadata.gid(), metadata.mode() & 0o777), (owner.0, owner.1, 0o444), "{name}");
    }
}

#[test]
fn what_shares_its_directory_is_not_given_away() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let dir = scene.new_folder("old");
    scene.file("old/there", "before");
    let before = (mode(&dir), mode(&dir.join("there")));
    let (sent, received) = transfer(&scene, ["-x", "-C", "old", "--mode", "600,711"], &backup);
    sent.expect_success();
    received.expect_success();
    assert_eq!((mode(&dir), mode(&dir.join("there"))), before);
    assert_eq!((mode(&dir.join("ibdata1")), mode(&dir.join("shop"))), (0o600, 0o711));
}

#[test]
fn what_makes_no_sense_is_wrong_usage() {
    let scene = Scene::new();
    scene.new_folder("full");
    scene.file("full/ibdata1", "");
    let wrong: [(&[&str], &str); 9] = [
        (&["-o", "a", "--prepare"], "--prepare"),
        (&["-x", "-C", "new", "--prepare", "--only", "shop"], "cannot be used with '--only"),
        (&["-x", "-C", "full", "--prepare"], "full is not empty"),
        (&["-x", "-C", "new", "--prepare"], "none of mariadb-backup, mariabackup and xtrabackup is in PATH"),
        (&["-o", "a", "--owner", "no-such-user"], "there is no user no-such-user on this host"),
        (&["-o", "a", "--owner", "0:no-such-group"], "there is no group no-such-group on this host"),
        (&["-o", "a", "--mode", "u=rw"], "octal numbers"),
        (&["--stdout", "--mode", "600"], "--mode"),
        (&["-o", "/dev/null", "--mode", "600"], "/dev/null is there already"),
    ];
    for (args, words) in wrong {
        let ended = scene.receiver([]).args(args).env("PATH", "/nowhere").start().wait();
        ended.expect_failure(2).expect_said(words);
    }
    assert_eq!(scene.listing("."), ["full/ibdata1"]);
    assert!(!scene.path("new").exists());
}

#[test]
fn a_stored_stream_has_its_command_too() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("b.xb", backup.stream());
    let then = "echo $XB_BACKUP_TYPE $XB_TO_LSN $XB_FILES $XB_BYTES $XB_SHA1 $XB_DIR > told";
    let unpack = |folder, then| scene.xbrecv(["-x", "--from", "b.xb", "-C", folder, "--then", then]).start().wait();
    unpack("out", then).expect_success().expect_said("full backup of 10.11.19-MariaDB to LSN 42");
    backup.expect_in(&scene.path("out"));
    let dir = fs::canonicalize(scene.path("out")).expect("a directory");
    let (files, bytes) = (backup.names().len(), backup.stream().len());
    let expected = format!("full 42 {files} {bytes} {} {}\n", backup.sha1(), dir.display());
    assert_eq!(fs::read_to_string(scene.path("told")).expect("written"), expected);
    let failed = unpack("other", "exit 3");
    failed.expect_failure(9).expect_said("left here: the unpacked backup, directory other");
    backup.expect_in(&scene.path("other"));
}

#[test]
fn a_stored_stream_is_prepared_too() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("b.xb", backup.stream());
    let prepare = "[ \"$*\" = \"--no-defaults --prepare --target-dir=$PWD/out\" ] && echo preparing && touch prepared";
    let tool = FakeTool::new(&scene, "mariadb-backup", prepare);
    let ended =
        scene.xbrecv(["-x", "--from", "b.xb", "-C", "out", "--prepare"]).env("PATH", tool.path()).start().wait();
    ended.expect_success().expect_said("prepare: preparing");
    assert!(scene.path("prepared").exists());
    let again =
        scene.xbrecv(["-x", "--from", "b.xb", "-C", "out", "--prepare"]).env("PATH", tool.path()).start().wait();
    again.expect_failure(2).expect_said("out is not empty");
}
