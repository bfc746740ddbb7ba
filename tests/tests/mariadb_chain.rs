//! Compressed and incremental backups of a real server: sent, unpacked, prepared, started, compared.

use std::collections::BTreeMap;
use std::fs::{self, File};

use serde_json::Value;
use xbtests::mariadb::{MariaDb, fill, fingerprints};
use xbtests::{Mbstream, Output, Scene, Tree, stored_at};

/// What is written between two backups of a chain, in every kind of table: rows, and tables that come and go.
fn change(scene: &Scene, server: &MariaDb, round: u32) {
    let mut statements = String::from("USE shop;\n");
    for kind in ["inno", "packed", "paged", "parted", "aria", "loose", "isam", "isamp", "csv"] {
        for n in 3..10 {
            let first = 500_000 + round * 10_000;
            statements += &format!(
                "INSERT INTO {kind}{n} SELECT seq, MD5(seq), {round} FROM seq_{first}_to_{};\n",
                first + 200 * (n + 1)
            );
        }
    }
    statements += &format!(
        "DELETE FROM inno3 WHERE id % {} = 0; RENAME TABLE inno{round} TO moved{round}; DROP TABLE paged{};\n\
         CREATE TABLE new{round} (id INT PRIMARY KEY) ENGINE=InnoDB AS SELECT seq AS id FROM seq_1_to_5000;",
        round + 2,
        10 + round
    );
    server.run(scene, &statements);
}

/// Sends a backup with these options of the tool, to be unpacked into `folder` with these of `xbrecv`; gives the receipt.
fn back_up(scene: &Scene, source: &MariaDb, folder: &str, unpacking: &[&str], tool_options: &[&str]) -> Value {
    let (receipt, target) = (format!("{folder}.json"), scene.path("target"));
    fs::create_dir_all(&target).expect("a folder");
    let receiver = scene.receiver(["-x", "-C", folder]).args(unpacking).start();
    let sender = scene.sender(&receiver.address(), ["--receipt", &receipt, "--", "mariadb-backup", "--no-defaults"]);
    let sender = sender.args(["--backup", "--stream=xbstream", "--user=root", "--parallel=3"]);
    let sender =
        sender.arg(source.socket_option()).arg(format!("--target-dir={}", target.display())).args(tool_options);
    sender.start().wait().expect_success();
    receiver.wait().expect_success();
    serde_json::from_slice(&fs::read(scene.path(&receipt)).expect("a receipt")).expect("JSON")
}

fn prepare(scene: &Scene, base: &str, increment: Option<&str>) {
    let target = format!("--target-dir={}", scene.path(base).display());
    let increment = increment.map(|folder| format!("--incremental-dir={}", scene.path(folder).display()));
    let tool = scene.program("prepare", "mariadb-backup").args(["--no-defaults", "--prepare", &target]);
    assert_eq!(tool.args(increment).start().wait().code, 0, "{base} cannot be prepared");
}

fn expect_same(scene: &Scene, restored: &str, expected: &BTreeMap<String, String>) {
    let server = MariaDb::start(scene, scene.path(restored));
    let found = fingerprints(scene, &server);
    let differing: Vec<_> = expected.iter().filter(|(table, sum)| found.get(*table) != Some(sum)).collect();
    assert!(differing.is_empty(), "these differ: {differing:?}");
    assert_eq!(found.len(), expected.len(), "there are other tables than in the source");
    server.stop();
}

#[test]
fn a_compressed_backup_is_unpacked_prepared_and_started() {
    if !MariaDb::is_installed("a_compressed_backup_is_unpacked_prepared_and_started") {
        return;
    }
    let scene = Scene::new();
    let source = MariaDb::create(&scene, "source");
    fill(&scene, &source);
    let expected = fingerprints(&scene, &source);
    let receipt = back_up(&scene, &source, "full", &["--decompress"], &["--compress"]);
    assert_eq!(receipt["backup"]["type"], "full", "{receipt}");
    let names = scene.listing("full");
    assert!(names.len() > 300 && !names.iter().any(|name| name.ends_with(".qp")), "{} files", names.len());
    prepare(&scene, "full", None);
    expect_same(&scene, "full", &expected);
    source.stop();
}

#[test]
fn a_chain_of_increments_is_sent_prepared_and_started() {
    if !MariaDb::is_installed("a_chain_of_increments_is_sent_prepared_and_started") {
        return;
    }
    let scene = Scene::new();
    let source = MariaDb::create(&scene, "source");
    fill(&scene, &source);
    let full = back_up(&scene, &source, "full", &[], &[]);
    change(&scene, &source, 1);
    let first = increment(&scene, &source, "inc1", &full, &[], &[]);
    expect_as_mbstream(&scene, &source, &full);
    change(&scene, &source, 2);
    // In the middle of a chain, another form is as good.
    let second = increment(&scene, &source, "inc2", &first, &["--decompress"], &["--compress"]);
    let expected = fingerprints(&scene, &source);
    assert_eq!(
        (&second["backup"]["type"], &second["backup"]["from_lsn"]),
        (&"incremental".into(), &first["backup"]["to_lsn"])
    );
    prepare(&scene, "full", None);
    prepare(&scene, "full", Some("inc1"));
    prepare(&scene, "full", Some("inc2"));
    expect_same(&scene, "full", &expected);
    source.stop();
}

/// The backup of what has changed since the one that `base` is the receipt of.
fn increment(
    scene: &Scene,
    source: &MariaDb,
    folder: &str,
    base: &Value,
    unpacking: &[&str],
    tool_options: &[&str],
) -> Value {
    let since = format!("--incremental-lsn={}", base["backup"]["to_lsn"].as_u64().expect("an LSN"));
    back_up(scene, source, folder, unpacking, &[tool_options, &[&since]].concat())
}

/// The stream of an incremental backup becomes what `mbstream` makes of it.
fn expect_as_mbstream(scene: &Scene, source: &MariaDb, base: &Value) {
    let since = format!("--incremental-lsn={}", base["backup"]["to_lsn"].as_u64().expect("an LSN"));
    let stream = File::create(scene.path("inc.xb")).expect("a new file");
    let target = format!("--target-dir={}", scene.path("target").display());
    let tool = scene.program("mariadb-backup", "mariadb-backup").args(["--no-defaults", "--backup", "--user=root"]);
    let tool = tool.args(["--stream=xbstream", &source.socket_option(), &target, &since]);
    assert_eq!(tool.output(Output::Open(stream.into())).start().wait().code, 0);
    scene.xbrecv(["-x", "-C", "ours", "--from", "inc.xb"]).start().wait().expect_success();
    let (ours, theirs) = (Tree::of(&scene.path("ours")), Mbstream::extract(scene, &scene.path("inc.xb"), "theirs"));
    let deltas = ours.0.keys().filter(|name| name.extension().is_some_and(|suffix| suffix == "delta"));
    assert!(deltas.count() > 100 && ours.differences(&theirs.tree).is_empty(), "{:?}", ours.differences(&theirs.tree));
    for name in ours.0.keys() {
        let stored = |folder: &str| stored_at(&scene.path(folder).join(name));
        assert_eq!(stored("ours"), stored("theirs"), "{}", name.display());
    }
}
