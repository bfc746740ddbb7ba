//! Where the programs under test are.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Names the folder with both programs when somebody else has built them, as `tests/run` does.
const FOLDER: &str = "XBTESTS_PROGRAMS";

/// The path of `xbsend` or `xbrecv`, built from the sources as they are now.
pub fn program_path(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let path = BUILT.get_or_init(folder).join(name);
    assert!(path.is_file(), "{} is not there; run `cargo build --bins`", path.display());
    path
}

fn folder() -> PathBuf {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return folder.into();
    }
    let test = std::env::current_exe().expect("a test has a path");
    // <target>/<profile>/deps/<test>
    let profile = test.ancestors().nth(2).expect("tests are in deps/");
    build(profile);
    profile.to_owned()
}

/// A test that runs an old program proves nothing, so cargo is asked each time; it answers at once when nothing changed.
fn build(profile: &Path) {
    let target = profile.parent().expect("a profile is in a target folder");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["build", "--quiet", "--package", "xbsend", "--package", "xbrecv", "--bins", "--target-dir"]);
    cargo.arg(target).current_dir(env!("CARGO_MANIFEST_DIR"));
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo.status().expect("cargo can be run");
    assert!(status.success(), "building the programs failed");
}
