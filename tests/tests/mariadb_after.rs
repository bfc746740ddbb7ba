//! A real backup that is prepared where it arrives, and the incremental one that its receipt leads to.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde_json::Value;
use xbtests::{MariaDb, Running, Scene};

#[test]
fn a_backup_is_prepared_and_its_receipt_leads_to_the_next() {
    if !MariaDb::is_installed("a_backup_is_prepared_and_its_receipt_leads_to_the_next") {
        return;
    }
    let scene = Scene::new();
    let source = MariaDb::create(&scene, "source");
    source.run(&scene, "CREATE DATABASE shop; CREATE TABLE shop.t (id INT PRIMARY KEY) ENGINE=InnoDB;");
    source.run(&scene, "USE shop; INSERT INTO t SELECT seq FROM seq_1_to_1000;");
    let owner = fs::metadata(source.data()).expect("a data directory");
    let owner = format!("{}:{}", owner.uid(), owner.gid());
    let receiver = scene.receiver(["-x", "-C", "full", "--prepare", "--owner", &owner, "--mode", "640,750"]).start();
    back_up(&scene, &source, &receiver, &["--receipt", "full.json"], &[]);
    receiver.wait().expect_success().expect_said("prepare: ");
    expect_given(&scene.path("full"), &source);

    let receipt: Value = serde_json::from_slice(&fs::read(scene.path("full.json")).expect("a receipt")).expect("JSON");
    let facts = &receipt["backup"];
    assert_eq!((facts["type"].as_str(), facts["from_lsn"].as_u64()), (Some("full"), Some(0)), "{facts}");
    assert!(facts["server_version"].as_str().is_some_and(|version| version.contains("MariaDB")), "{facts}");
    assert!(facts["uuid"].is_string() && facts["tool"].is_string() && facts["binlog_position"].is_string(), "{facts}");
    let since = format!("--incremental-lsn={}", facts["to_lsn"].as_u64().expect("an LSN"));

    source.run(&scene, "USE shop; INSERT INTO t SELECT seq FROM seq_1001_to_1500;");
    let receiver = scene.receiver(["-x", "-C", "later", "--prepare"]).start();
    back_up(&scene, &source, &receiver, &[], &[&since]);
    let received = receiver.wait();
    received.expect_failure(9).expect_said("which cannot be prepared by itself");

    copy(&scene, "full", "base");
    expect_rows(&scene, "full", 1000);
    run_the_advice(&scene, &received.log);
    expect_rows(&scene, "base", 1500);
    source.stop();
}

/// `xbsend -- mariadb-backup …` to this receiver, to a good end.
fn back_up(scene: &Scene, source: &MariaDb, receiver: &Running, options: &[&str], tool_options: &[&str]) {
    let sender = scene.sender(&receiver.address(), []).args(options).args(["--", "mariadb-backup", "--no-defaults"]);
    let sender = sender.args(["--backup", "--stream=xbstream", "--user=root"]).arg(source.socket_option());
    fs::create_dir_all(scene.path("target")).expect("a folder");
    let sender = sender.arg(format!("--target-dir={}", scene.path("target").display())).args(tool_options);
    sender.start().wait().expect_success().expect_said("next: --incremental-lsn=");
}

/// Everything below the directory, whoever has made it, and the directory itself.
fn expect_given(dir: &Path, source: &MariaDb) {
    let owner = fs::metadata(source.data()).expect("a data directory");
    let found = fs::metadata(dir).expect("restored");
    let mode = if found.is_dir() { 0o750 } else { 0o640 };
    let expected = (owner.uid(), owner.gid(), mode);
    assert_eq!((found.uid(), found.gid(), found.mode() & 0o777), expected, "{}", dir.display());
    if found.is_dir() {
        fs::read_dir(dir).expect("readable").flatten().for_each(|entry| expect_given(&entry.path(), source));
    }
}

fn copy(scene: &Scene, from: &str, to: &str) {
    assert_eq!(scene.program("cp", "cp").args(["-a", from, to]).start().wait().code, 0);
}

/// The command that the receiver has named, with the base's place in it.
fn run_the_advice(scene: &Scene, log: &str) {
    let (_, advice) = log.split_once("prepare it with: ").expect("advice");
    let command = advice.lines().next().unwrap_or_default().replace("BASE", &scene.path("base").display().to_string());
    assert_eq!(scene.program("prepare", "sh").args(["-c", &command]).start().wait().code, 0, "{command}");
}

/// A server runs on the directory and has so many rows.
fn expect_rows(scene: &Scene, dir: &str, rows: u64) {
    let server = MariaDb::start(scene, scene.path(dir));
    assert_eq!(server.run(scene, "SELECT COUNT(*) FROM shop.t;"), [rows.to_string()]);
    server.stop();
}
