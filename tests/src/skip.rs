//! Tests that a machine cannot run.
//!
//! A skip is said loudly: on standard error, and in the file named by `XBTESTS_SKIPPED`, which `tests/run` shows at its
//! end. Where everything should be there (`CI` is set and the tests are root's), it is a failure.

use std::fs::OpenOptions;
use std::io::Write;

/// Says that this test is skipped, and why.
pub fn skip(name: &str, reason: &str) {
    let line = format!("SKIPPED {name}: {reason}");
    assert!(!must_run_everything(), "{line}; in CI, as root, nothing may be");
    eprintln!("{line}");
    if let Some(path) = std::env::var_os("XBTESTS_SKIPPED") {
        let file = OpenOptions::new().append(true).create(true).open(path);
        let _ = file.and_then(|mut file| writeln!(file, "{line}"));
    }
}

/// Whether the tests are run by root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Whether the long tests are wanted (`tests/run --full`).
pub fn is_full_run() -> bool {
    std::env::var_os("XBTESTS_FULL").is_some_and(|value| value == "1")
}

fn must_run_everything() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false") && is_root()
}
