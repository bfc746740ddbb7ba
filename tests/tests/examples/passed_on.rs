//! Examples whose backup goes on to a command.

use std::fs;

use super::example::Example;

#[test]
fn a_consumer_gets_the_whole_stream() {
    let example = Example::new("consumer");
    example.run(&[("FILE", "copy.gpg")]);
    assert_eq!(example.read("copy.gpg").len(), example.backup.stream().len());
    assert!(example.read("copy.gpg") != example.backup.stream());
    assert!(!example.scene.path("copy.gpg.partial").exists());
}

#[test]
fn a_consumer_that_fails_leaves_nothing() {
    let example = Example::new("consumer");
    fs::write(example.bin.join("gpg"), "#!/bin/sh\necho no such recipient >&2\nexit 2\n").expect("a script");
    let destination = example.script("destination.sh", &[("FILE", "copy.gpg")]).env("XB_LISTEN", "127.0.0.1:0").start();
    let to = destination.address();
    let source = example.script("source.sh", &[]).env("XB_TO", to).start().wait();
    assert_eq!((source.code, destination.wait().code), (7, 7));
    source.expect_said("no such recipient");
    assert!(!example.scene.path("copy.gpg").exists() && !example.scene.path("copy.gpg.partial").exists());
}

#[test]
fn a_directory_travels_as_a_tar_archive() {
    let example = Example::new("any-stream");
    example.scene.new_folder("files");
    example.scene.file("files/notes", "hello");
    example.run(&[("DIR", "files"), ("TARGET", "copy")]);
    assert_eq!(example.read("copy/notes"), b"hello");
}
