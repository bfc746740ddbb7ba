//! The table of faults, `docs/faults.md`: sources that die. Each test is a row.

use xbproto::xbstream::{Opening, encode};
use xbtests::{Backup, Destination, Scene, Transfer};

/// The source is a shell that has the file `source.xb` and does this: both fail in these words, and nothing is left.
fn expect_failure_of(source: &[u8], script: &str, words: &str) {
    for destination in Destination::BOTH {
        let scene = Scene::new();
        scene.file("source.xb", source);
        let receiver = destination.receiver(&scene);
        let transfer = Transfer::start(&scene, receiver, |to| scene.sender(to, ["--", "sh", "-c", script]));
        transfer.end().expect_both_failed(6, words).expect_left(&["source.xb"]);
    }
}

/// The source is killed between two chunks of a file.
#[test]
fn a_source_killed_on_a_chunk_boundary() {
    let chunk =
        |n: u64| encode::payload(b"shop/t0.ibd", Opening::New, n * 50_000, &[7; 50_000]).expect("a valid chunk");
    let chunks: Vec<u8> = (0..20).flat_map(chunk).collect();
    expect_failure_of(&chunks, "cat source.xb; kill -9 $$", "SIGKILL");
}

/// The source is killed between two files.
#[test]
fn a_source_killed_between_two_files() {
    expect_failure_of(&Backup::without_its_end().stream(), "cat source.xb; kill -9 $$", "SIGKILL");
}

/// The source is killed within a chunk.
#[test]
fn a_source_killed_within_a_chunk() {
    expect_failure_of(&Backup::small().cut(), "cat source.xb; sleep 0.3; kill -9 $$", "SIGKILL");
}

/// The source is killed before its first byte.
#[test]
fn a_source_killed_before_its_first_byte() {
    expect_failure_of(&[], "kill -9 $$", "SIGKILL");
}

/// The source is killed after its last byte.
#[test]
fn a_source_killed_after_its_last_byte() {
    expect_failure_of(&Backup::small().stream(), "cat source.xb; kill -9 $$", "SIGKILL");
}

/// The source ends with status 1 after its last byte.
#[test]
fn a_source_that_fails_after_its_last_byte() {
    let script = "cat source.xb; echo the log has wrapped >&2; exit 1";
    expect_failure_of(&Backup::small().stream(), script, "status 1");
}
