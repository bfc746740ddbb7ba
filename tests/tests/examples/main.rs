//! The examples do what they say: the scripts of every folder, by what becomes of the backup, and the quickstart.

mod example;
mod fetched;
mod passed_on;
mod stored;
mod unpacked;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// The folders that the tests know.
const FOLDERS: [&str; 11] = [
    "any-stream",
    "checksum",
    "clone",
    "consumer",
    "incremental",
    "nightly",
    "parallel",
    "rate-limited",
    "replica",
    "restore",
    "stored",
];

#[test]
fn the_quickstart_prints_both_checksums_and_the_rate() {
    let test = std::env::current_exe().expect("a test has a path");
    let profile = test.ancestors().nth(2).expect("tests are in deps/");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["run", "--quiet", "--example", "quickstart", "--target-dir"]).arg(profile.parent().expect("a target"));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let ended = cargo.args(["--", "20m"]).current_dir(root()).stdin(Stdio::null()).output().expect("cargo can be run");
    let (out, err) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{out}{err}");
    let sum = |side: &str| out.lines().find_map(|line| line.strip_prefix(side)).map(|sum| sum.trim().to_owned());
    assert_eq!(sum("sent").map(|sum| sum.len()), Some(40), "{out}");
    assert_eq!(sum("sent"), sum("received"));
    assert!(err.contains("/s, synced") && err.trim_end().ends_with("completed OK!"), "{err}");
}

#[test]
fn every_folder_is_tried() {
    let entries = fs::read_dir(root().join("examples")).expect("examples");
    let folders = entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_dir());
    let mut names: Vec<String> = folders.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect();
    names.sort();
    assert_eq!(names, FOLDERS);
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace")
}
