//! Examples whose backup is stored as a stream.

use std::fs;
use std::path::Path;
use std::process::Command;

use xbtests::skip::skip;
use xbtests::{FAR, NarrowPath, Program};

use super::example::Example;

#[test]
fn a_nightly_backup_is_stored_and_an_old_one_forgotten() {
    let example = Example::new("nightly");
    example.scene.new_folder("backups");
    let old = example.scene.file("backups/2001-01-01.xbstream", "old");
    Command::new("touch").args(["-d", "2001-01-01"]).arg(&old).status().expect("touch");
    let foreign = example.scene.file("backups/notes", "mine");
    Command::new("touch").args(["-d", "2001-01-01"]).arg(&foreign).status().expect("touch");
    example.run(&[("BACKUPS", "backups"), ("XB_WAIT", "60s")]);
    let stored = example.scene.listing("backups");
    assert_eq!(stored.len(), 3, "{stored:?}");
    assert!(example.read(&format!("backups/{}", stored[0])) == example.backup.stream());
    assert_eq!((stored[1].clone(), &stored[2][..]), (format!("{}.sha1", stored[0]), "notes"));
}

#[test]
fn a_nightly_backup_is_one_command_over_ssh() {
    let example = Example::new("nightly");
    let folder = example.scene.new_folder("backups").display().to_string();
    let ended = example.script("over-ssh.sh", &[("BACKUPS", &folder), ("CENTRAL", "central")]).start().wait();
    ended.expect_success().expect_said("starting xbrecv on central over ssh");
    let stored = example.scene.listing("backups");
    assert_eq!((stored.len(), &stored[1]), (2, &format!("{}.sha1", stored[0])));
    assert!(example.read(&format!("backups/{}", stored[0])) == example.backup.stream());
    example.scene.expect_nobody_left();
}

#[test]
fn increments_start_where_the_receipt_says() {
    let example = Example::new("incremental");
    if !Path::new("/usr/bin/jq").exists() {
        return skip("increments_start_where_the_receipt_says", "jq is not installed (Debian: jq)");
    }
    example.scene.new_folder("receipts");
    example.scene.new_folder("chain");
    for name in ["1", "2"] {
        example.run(&[("RECEIPTS", "receipts"), ("CHAIN", "chain"), ("NAME", name)]);
    }
    assert_eq!(example.scene.listing("chain"), ["1.xbstream", "1.xbstream.sha1", "2.xbstream", "2.xbstream.sha1"]);
    assert_eq!(example.scene.listing("receipts"), ["last.json"]);
    let restore = example.script("restore.sh", &[("CHAIN", "chain"), ("TARGET", "restored")]);
    assert_eq!(restore.start().wait().code, 0);
    let calls = String::from_utf8(example.read("calls")).expect("UTF-8");
    let expected = [
        "--backup --stream=xbstream",
        "--backup --stream=xbstream --incremental-lsn=42",
        "--prepare --target-dir=restored",
        "--prepare --target-dir=restored --incremental-dir=restored.next",
    ];
    assert_eq!(calls.lines().collect::<Vec<_>>(), expected);
    fs::remove_file(example.scene.path("restored/prepared")).expect("prepared");
    example.backup.expect_in(&example.scene.path("restored"));
    assert!(!example.scene.path("restored.next").exists());
}

#[test]
fn a_stored_backup_is_verified_listed_and_unpacked_in_part() {
    let example = Example::new("stored");
    example.run(&[("FILE", "copy.xbstream")]);
    assert!(example.read("copy.xbstream") == example.backup.stream());
    let list = String::from_utf8(example.read("copy.xbstream.list")).expect("UTF-8");
    assert!(list.lines().any(|line| line.ends_with("  shop/orders.ibd")), "{list}");
    let target = example.scene.path("part").display().to_string();
    let part = example.script("part.sh", &[("FILE", "copy.xbstream"), ("TARGET", &target)]).start().wait();
    assert_eq!((part.code, part.stdout.as_slice()), (0, b"shop/orders.ibd: OK\n".as_slice()));
    assert_eq!(example.scene.listing("part"), ["shop/orders.ibd"]);
}

#[test]
fn both_hosts_have_the_checksum_and_it_tells_years_later() {
    let example = Example::new("checksum");
    example.run(&[("FILE", "copy.xbstream"), ("SUM", "sent.sha1")]);
    let sum = |name: &str| String::from_utf8(example.read(name)).expect("UTF-8")[..40].to_owned();
    assert_eq!(sum("sent.sha1"), sum("copy.xbstream.sha1"));
    let compare = || example.script("compare.sh", &[("FILE", "copy.xbstream"), ("SUM", "sent.sha1")]).start().wait();
    assert_eq!(compare().stdout, b"copy.xbstream is what was sent\n");
    fs::write(example.scene.path("copy.xbstream"), "something else").expect("a file");
    assert_eq!(compare().code, 1);
}

/// A copy that would take a quarter of an hour by day is let go at night. `far` and `near` say where the two sides run.
fn copy_by_day_and_night(address: &str, far: impl Fn(Program) -> Program, near: impl Fn(Program) -> Program) {
    let example = Example::new("rate-limited");
    let settings = [("FILE", "copy.xbstream"), ("DATADIR", "bin"), ("RATE", "1k"), ("SOCKET", "send")];
    let rate = |rate: &str| example.script("rate.sh", &settings).arg(rate).start().wait().code;
    assert_eq!(rate("none"), 0, "there is no copy yet");
    let destination = example.script("destination.sh", &settings).env("XB_LISTEN", format!("{address}:0"));
    let destination = far(destination).start();
    let source = example.script("source.sh", &settings).env("XB_TO", destination.listening().to_string());
    let source = near(source).start();
    source.log().wait_for("sending to");
    assert_eq!((rate("2k"), rate("none"), rate("fast")), (0, 0, 2));
    assert_eq!((source.wait().code, destination.wait().code), (0, 0));
    assert!(example.read("copy.xbstream") == example.backup.stream());
    assert_eq!(rate("2m"), 0, "the copy is done");
}

#[test]
fn the_rate_of_a_copy_changes_by_day_and_night() {
    copy_by_day_and_night("127.0.0.1", |program| program, |program| program);
}

/// As between two data centres: packets of the usual length do not fit, and nobody says so.
#[test]
fn the_rate_of_a_copy_through_a_tunnel_changes_by_day_and_night() {
    let test = "the_rate_of_a_copy_through_a_tunnel_changes_by_day_and_night";
    let Some(path) = NarrowPath::make(test, 1500, 1400) else { return };
    copy_by_day_and_night(FAR, |program| path.far(program), |program| path.near(program));
}
