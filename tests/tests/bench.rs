//! The benchmark measures, and cleans up. What it measures is no matter here.

use std::fs;
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;
use xbtests::skip::{is_root, skip};
use xbtests::{Backup, Program, Scene, program_path};

/// Rows that need nothing but what the other tests need, too.
const ROWS: [&str; 3] = ["nc", "recipe", "ours"];

/// Whether there may be network namespaces; says that `test` is skipped if not.
fn can_run(test: &str) -> bool {
    let nc = Command::new("nc").arg("-h").output().is_ok();
    let namespaces = Command::new("ip").args(["netns", "list"]).output().is_ok_and(|output| output.status.success());
    if !is_root() || !nc || !namespaces {
        skip(test, "it takes root, ip (Debian: iproute2) and nc (Debian: netcat-openbsd)");
        return false;
    }
    true
}

/// The benchmark with a small stream.
fn bench(scene: &Scene) -> (Program, u64) {
    let stream = Backup::new(4, 8 << 20).stream();
    let bytes = stream.len() as u64;
    let stream = scene.file("stream.xbstream", stream);
    let bench = scene.program("bench", env!("CARGO_BIN_EXE_bench")).arg("--stream").arg(stream);
    let programs = program_path("xbsend").parent().expect("a folder").to_owned();
    (bench.args(["--quick", "--folder", "bench", "--json", "found.json"]).env("XBTESTS_PROGRAMS", programs), bytes)
}

/// Nothing is left: no process, no file, no namespace.
fn expect_clean(scene: &Scene, pid: u32) {
    scene.expect_nobody_left();
    assert_eq!(scene.listing("bench"), Vec::<String>::new());
    let namespaces = Command::new("ip").args(["netns", "list"]).output().expect("ip").stdout;
    let namespaces = String::from_utf8_lossy(&namespaces).into_owned();
    assert!(!namespaces.contains(&format!("xbbench-{pid}-")), "{namespaces}");
}

#[test]
fn every_row_has_figures() {
    if !can_run("every_row_has_figures") {
        return;
    }
    let scene = Scene::new();
    let (bench, bytes) = bench(&scene);
    let bench = bench.args(["file", "extract", "veth-1500"]).start();
    let pid = bench.pid();
    // It waits for the disk to come to rest again and again, which takes as long as others write.
    let ended = bench.wait_and_observe(|_| ());
    assert_eq!(ended.code, 0);
    let found = fs::read(scene.path("found.json")).expect("figures");
    let groups: Value = serde_json::from_slice(&found).expect("JSON");
    for group in groups.as_array().expect("an array") {
        for name in ROWS {
            let rows = group["rows"].as_array().expect("an array");
            let row = rows.iter().find(|row| row["row"] == name).unwrap_or_else(|| panic!("no {name} in {group}"));
            let round = &row["rounds"][0];
            assert_eq!(round["bytes"], bytes);
            for figure in ["wall", "cpu"] {
                assert!(round[figure].as_f64().is_some_and(|value| value > 0.0), "{figure} of {name}: {round}");
            }
            let peaks = round["peaks"].as_array().map(|peaks| peaks.iter().all(|peak| peak.as_u64() > Some(0)));
            assert_eq!(peaks, (name == "ours").then_some(true), "{round}");
        }
    }
    let printed = String::from_utf8_lossy(&ended.stdout);
    assert!(printed.contains("target: file: rate of ours / recipe ≥ 3.5: "), "{printed}");
    expect_clean(&scene, pid);
}

#[test]
fn an_interrupted_one_leaves_nothing() {
    if !can_run("an_interrupted_one_leaves_nothing") {
        return;
    }
    let scene = Scene::new();
    let bench = bench(&scene).0.args(["--rounds", "1000000", "veth-1500"]).start();
    bench.log().wait_for_line("veth-1500 1/1000000: nc");
    bench.signal(Signal::INT);
    let pid = bench.pid();
    bench.wait_and_observe(|_| ()).expect_said("interrupted");
    expect_clean(&scene, pid);
}
