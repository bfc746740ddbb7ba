//! What both sides say of a backup once it is committed, and what `--receipt` keeps.

use std::fs;

use serde_json::{Value, json};
use xbtests::{Backup, Input, Scene};

/// What the closing files of a made-up backup come to.
const SENTENCE: &str = "full backup of 10.11.19-MariaDB to LSN 42; next: --incremental-lsn=42";

fn kept(scene: &Scene, name: &str) -> Value {
    let text = fs::read_to_string(scene.path(name)).expect("a receipt");
    assert_eq!(text.lines().count(), 1);
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn the_sender_knows_what_it_sent_to_a_file() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let (sent, received) = scene
        .transfer(scene.receiver(["-o", "out.xb"]), |to| scene.sender(to, ["--receipt", "receipt.json"]).feed(&backup));
    sent.expect_success().expect_said(SENTENCE);
    // It has not looked into the file.
    received.expect_success().expect_silence_on("--incremental-lsn");
    let receipt = kept(&scene, "receipt.json");
    let lanes = json!([{ "lane": 0, "bytes": backup.stream().len(), "sha1": backup.sha1() }]);
    assert_eq!((&receipt["v"], &receipt["lanes"], &receipt["reached"]), (&json!(1), &lanes, &json!("synced")));
    assert_eq!(receipt["files"], Value::Null);
    let session = receipt["session"].as_str().expect("a session");
    sent.expect_said(&format!("xbsend[{}]", &session[..8]));
    received.expect_said(&format!("xbrecv[{}]", &session[..8]));
    let facts = &receipt["backup"];
    assert_eq!((&facts["type"], &facts["from_lsn"], &facts["to_lsn"]), (&json!("full"), &json!(0), &json!(42)));
    assert_eq!((&facts["tool"], &facts["encrypted"]), (&json!("mariadb-backup"), &Value::Null));
}

#[test]
fn both_sides_know_what_was_unpacked() {
    let (scene, checkpoints) = (Scene::new(), "backup_type = incremental\nfrom_lsn = 42\nto_lsn = 57\n");
    let backup = Backup::small().replacing("xtrabackup_checkpoints", checkpoints.as_bytes());
    let receiver = scene.receiver(["--extract", "-C", "new", "--progress", "none"]);
    let (sent, received) = scene
        .transfer(receiver, |to| scene.sender(to, ["--progress", "json", "--receipt", "receipt.json"]).feed(&backup));
    received.expect_success();
    received.expect_said(
        "xbrecv: incremental backup of 10.11.19-MariaDB from LSN 42 to LSN 57; next: --incremental-lsn=57",
    );
    assert_eq!(sent.code, 0);
    let told = sent.log.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let told: Vec<Value> = told.filter(|object| object["event"] == "backup").collect();
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["type"], &told[0]["to_lsn"]), (&json!("incremental"), &json!(57)));
    let receipt = kept(&scene, "receipt.json");
    assert_eq!(receipt["files"], json!(backup.names().len()));
    assert_eq!((&receipt["backup"]["from_lsn"], &receipt["backup"]["to_lsn"]), (&json!(42), &json!(57)));
}

#[test]
fn of_any_other_bytes_nothing_is_known() {
    let scene = Scene::new();
    let (sent, received) = scene.transfer(scene.receiver(["-o", "out"]), |to| {
        scene.sender(to, ["--raw", "--receipt", "receipt.json"]).input(Input::Bytes(b"to_lsn = 42".to_vec()))
    });
    sent.expect_success().expect_silence_on("--incremental-lsn");
    received.expect_success();
    let receipt = kept(&scene, "receipt.json");
    assert!(receipt["backup"].as_object().expect("an object").values().all(Value::is_null), "{receipt}");
}

#[test]
fn a_receipt_that_is_there_already_is_wrong_usage() {
    let scene = Scene::new();
    scene.file("receipt.json", "kept");
    let sent = scene.sender("127.0.0.1:9", ["--receipt", "receipt.json"]).feed(&Backup::small()).start().wait();
    sent.expect_failure(2).expect_said("--receipt receipt.json: the file exists");
    assert_eq!(fs::read_to_string(scene.path("receipt.json")).expect("a file"), "kept");
}

#[test]
fn a_failed_session_leaves_no_receipt() {
    let scene = Scene::new();
    let (sent, received) = scene.transfer(scene.receiver(["-o", "out.xb"]), |to| {
        let sender = scene.sender(to, ["--receipt", "receipt.json"]);
        sender.input(Input::Bytes(Backup::small().cut()))
    });
    sent.expect_failure(5).expect_silence_on("--incremental-lsn");
    received.expect_failure(5);
    assert_eq!(scene.listing("."), Vec::<String>::new());
}

#[test]
fn a_receipt_that_cannot_be_written_does_not_undo_the_backup() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let (pipe, mut feed) = std::io::pipe().expect("a pipe");
    let args = ["--receipt", "receipt.json", "--checksum-file", "sums"];
    let sender = scene.sender(&receiver.address(), args).input(Input::Open(pipe.into())).start();
    sender.log().wait_for("sending to");
    scene.file("receipt.json", "another's");
    std::io::copy(&mut std::io::Cursor::new(backup.stream()), &mut feed).expect("a sender that reads");
    drop(feed);
    sender.wait().expect_failure(9).expect_said("the backup is confirmed, but receipt.json could not be written");
    receiver.wait().expect_success();
    assert_eq!(scene.listing("."), ["out.xb", "out.xb.sha1", "receipt.json", "sums"]);
}
