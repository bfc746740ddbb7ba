//! A real server, backed up while it is written to, restored, and compared to the last row.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use xbtests::mariadb::{MariaDb, Traffic, fill, fingerprints, tables};
use xbtests::pace::{Pace, pass};
use xbtests::{Input, Mbstream, Output, Relay, Running, Scene, Tree, peak_memory, stored_at};

/// The most memory that either end may have had by then, in kilobytes.
const MEMORY: u64 = 150 << 10;

/// The rate of a backup: slow enough that much happens meanwhile.
const RATE: &str = "12m";

#[test]
fn a_server_is_backed_up_while_it_is_written_to() {
    if !MariaDb::is_installed("a_server_is_backed_up_while_it_is_written_to") {
        return;
    }
    let scene = Scene::new();
    let source = MariaDb::create(&scene, "source");
    fill(&scene, &source);
    let traffic = Traffic::start(&source);
    let run = back_up_by_command(&scene, &source, &traffic);
    let piped = back_up_by_pipe(&scene, &source, &traffic);
    traffic.stop();
    let expected = fingerprints(&scene, &source);
    assert!(expected.len() >= tables(), "{} tables", expected.len());
    for restored in [run, piped] {
        expect_restored(&scene, &source, restored, &expected);
    }
    source.stop();
}

/// `xbsend -- mariadb-backup …` to a directory, through an outage of the link. The same tool goes on after it.
fn back_up_by_command(scene: &Scene, source: &MariaDb, traffic: &Traffic) -> PathBuf {
    let pace = Pace::of_this_run();
    let receiver = scene.receiver(["--extract", "-C", "run"]).args(pace.receiver_options()).start();
    let relay = Relay::to(receiver.listening());
    let sender = scene.sender(&relay.address(), []).args(pace.sender_options()).args(["-L", RATE, "--"]);
    let sender = sender.arg("mariadb-backup").args(backup_options(scene, source)).start();
    let peaks = thread::scope(|scope| {
        scope.spawn(|| {
            relay.wait_for_bytes(8 << 20);
            relay.down();
            pass(pace.outage);
            relay.up();
        });
        traffic.expect_within_backup(sender.log());
        [&sender, &receiver].map(|program| peak_memory(program.pid()))
    });
    assert!(peaks.iter().flatten().all(|peak| *peak < MEMORY), "the two ends had {peaks:?} kB");
    let log = sender.log().text();
    assert_eq!(log.matches("Starting BACKUP STAGE START").count(), 1, "the tool was run once");
    for program in [&sender, &receiver] {
        program.log().wait_for("interrupted: ");
        program.log().wait_for("resumed at byte ");
    }
    expect_confirmed(sender, receiver);
    scene.path("run")
}

/// `mariadb-backup … | tee kept.xb | xbsend` to a directory, which must be as `mbstream` makes it of what was kept.
fn back_up_by_pipe(scene: &Scene, source: &MariaDb, traffic: &Traffic) -> PathBuf {
    let receiver = scene.receiver(["--extract", "-C", "piped"]).start();
    let (read, write) = std::io::pipe().expect("a pipe");
    let script = "mariadb-backup \"$@\" | tee kept.xb";
    let tool = scene.program("mariadb-backup", "sh").args(["-c", script, "sh"]).args(backup_options(scene, source));
    let tool = tool.output(Output::Open(write.into())).start();
    let sender = scene.sender(&receiver.address(), ["-L", RATE]).input(Input::Open(read.into())).start();
    traffic.expect_within_backup(tool.log());
    assert!(tool.wait().log.trim_end().ends_with("completed OK!"), "the backup failed");
    expect_confirmed(sender, receiver);
    let unpacked = Tree::of(&scene.path("piped"));
    let theirs = Mbstream::extract(scene, &scene.path("kept.xb"), "theirs");
    for (name, how) in unpacked.differences(&theirs.tree) {
        let known = how == "only in the second" && theirs.wrongly_keeps(&name);
        assert!(known, "{} {how} (first xbrecv, second mbstream)", name.display());
    }
    expect_same_holes(&unpacked, &scene.path("piped"), &scene.path("theirs"));
    expect_same_from_file(scene, &unpacked);
    scene.path("piped")
}

/// Each file that both have is on the disk in the same places, and some are not everywhere.
fn expect_same_holes(unpacked: &Tree, ours: &Path, theirs: &Path) {
    let mut thin = 0;
    for (name, (len, _)) in &unpacked.0 {
        let stored = stored_at(&ours.join(name));
        assert_eq!(stored, stored_at(&theirs.join(name)), "{} (first xbrecv, second mbstream)", name.display());
        thin += usize::from(stored.iter().map(|range| range.end - range.start).sum::<u64>() + (64 << 10) < *len);
    }
    assert!(thin > 10, "only {thin} files have holes");
}

/// The stream that was kept is unpacked to the same files, and listed as these.
fn expect_same_from_file(scene: &Scene, unpacked: &Tree) {
    scene.xbrecv(["-x", "-C", "stored", "--from", "kept.xb"]).start().wait().expect_success();
    assert_eq!(unpacked.differences(&Tree::of(&scene.path("stored"))), BTreeMap::new());
    scene.xbrecv(["--verify", "--from", "kept.xb"]).start().wait().expect_success();
    let listing = scene.xbrecv(["--list=json", "--from", "kept.xb"]).start().wait().stdout;
    let listing: serde_json::Value = serde_json::from_slice(&listing).expect("JSON");
    let files = listing["files"].as_array().expect("files").iter();
    let listed: BTreeMap<&str, Option<u64>> =
        files.map(|file| (file["name"].as_str().expect("a name"), file["size"].as_u64())).collect();
    let there = unpacked.0.iter().map(|(name, (len, _))| (name.to_str().expect("UTF-8"), Some(*len)));
    assert_eq!(listed, there.collect());
}

fn backup_options(scene: &Scene, source: &MariaDb) -> [String; 6] {
    let target = scene.path("target");
    fs::create_dir_all(&target).expect("a folder");
    let own = ["--no-defaults", "--backup", "--stream=xbstream", "--user=root"].map(str::to_owned);
    let [defaults, backup, stream, user] = own;
    [defaults, backup, stream, user, source.socket_option(), format!("--target-dir={}", target.display())]
}

fn expect_confirmed(sender: Running, receiver: Running) {
    let (sent, received) = (sender.wait(), receiver.wait());
    sent.expect_success();
    received.expect_success();
    assert_eq!(sent.checksums(), received.checksums());
    assert_eq!(sent.checksums().len(), 1);
}

/// Prepares a restored directory, starts a server on it, replays what the source did since, and compares all tables.
fn expect_restored(scene: &Scene, source: &MariaDb, restored: PathBuf, expected: &BTreeMap<String, String>) {
    let prepare = scene.program("prepare", "mariadb-backup").args(["--no-defaults", "--prepare"]);
    let prepared = prepare.arg(format!("--target-dir={}", restored.display())).start().wait();
    assert_eq!(prepared.code, 0, "the backup cannot be prepared");
    let position = fs::read_to_string(restored.join("xtrabackup_binlog_info")).expect("a binlog position");
    let server = MariaDb::start(scene, restored);
    let events = binlog_from(scene, source, &position);
    let replay = server.client(scene).input(Input::Bytes(events)).start().wait();
    assert_eq!(replay.code, 0, "the binlog cannot be replayed");
    let found = fingerprints(scene, &server);
    let differing: Vec<_> = expected.iter().filter(|(table, sum)| found.get(*table) != Some(sum)).collect();
    assert!(differing.is_empty(), "these differ: {differing:?}");
    assert_eq!(found.len(), expected.len(), "there are other tables than in the source");
    server.stop();
}

/// What the source wrote to its binlog since a position, as statements.
fn binlog_from(scene: &Scene, source: &MariaDb, position: &str) -> Vec<u8> {
    let mut words = position.split_whitespace();
    let (Some(first), Some(start)) = (words.next(), words.next()) else { panic!("{position:?} is no position") };
    let mut logs: Vec<String> = scene_logs(source.data());
    logs.retain(|log| log.as_str() >= first);
    assert_eq!(logs.first().map(String::as_str), Some(first));
    let binlog = scene.program("mariadb-binlog", "mariadb-binlog").current_dir(source.data());
    let ended = binlog.arg("--no-defaults").arg(format!("--start-position={start}")).args(logs).start().wait();
    assert_eq!(ended.code, 0, "the binlog cannot be read: {}", ended.log);
    ended.stdout
}

fn scene_logs(data: &Path) -> Vec<String> {
    let names = fs::read_dir(data)
        .expect("a data directory")
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let mut logs: Vec<String> = names.filter(|name| name.starts_with("binlog.0")).collect();
    logs.sort();
    logs
}
