//! Examples whose source listens, and whose destination comes for the backup.

use std::fs;

use rustix::process::Signal;

use super::example::{Example, owner};

#[test]
fn a_stored_backup_is_restored_from_the_backup_host() {
    let example = Example::new("restore");
    let source = example.serve(&[("FILE", "stream")]);
    let variables = [("TARGET", "mysql"), ("OWNER", &owner()[..])];
    let destination = example.script("destination.sh", &variables).env("XB_CONNECT", source.address()).start().wait();
    assert_eq!((source.wait().code, destination.code), (0, 0));
    example.expect_prepared("mysql");
    example.scene.expect_nobody_left();
}

#[test]
fn new_pods_are_cloned_one_after_the_other() {
    let example = Example::new("clone");
    let source = example.serve(&[]);
    let clone = |target: &str| {
        let destination = example.script("destination.sh", &[("TARGET", target), ("XB_WAIT", "60s")]);
        destination.env("XB_CONNECT", source.address()).start().wait()
    };
    for target in ["one", "two"] {
        assert_eq!(clone(target).code, 0);
        example.expect_prepared(target);
    }
    // Cloned, but not prepared: a pod that was killed in between.
    let again = clone("one");
    assert_eq!((again.code, &again.stdout[..]), (0, &b"there is a database in one already\n"[..]));
    example.expect_prepared("one");
    source.signal(Signal::TERM);
    assert_eq!(source.wait().code, 143);
}

/// A clone that comes to nothing leaves nothing, so the next one begins anew.
#[test]
fn a_clone_that_fails_is_none() {
    let example = Example::new("clone");
    let tool = example.bin.join("mariadb-backup");
    let whole = fs::read(&tool).expect("a script");
    fs::write(&tool, "#!/bin/sh\nhead -c 10000 stream\nexit 1\n").expect("a script");
    let source = example.serve(&[]);
    let clone = || {
        let destination = example.script("destination.sh", &[("TARGET", "one"), ("XB_WAIT", "60s")]);
        destination.env("XB_CONNECT", source.address()).start().wait()
    };
    assert_eq!(clone().code, 6);
    assert!(example.scene.listing("one").is_empty());
    fs::write(&tool, whole).expect("a script");
    assert_eq!(clone().code, 0);
    example.expect_prepared("one");
}
