//! Both ends stay small however long the stream is.
#![allow(clippy::print_stderr, reason = "what was measured is shown when the test fails")]

use std::thread;

use xbtests::skip::{is_full_run, skip};
use xbtests::{Endless, Input, Program, Scene, peak_memory};

/// The most memory that either end may ever have had, in kilobytes.
const LIMIT: u64 = 150 << 10;

/// Bytes in the stream: enough to show what grows; the whole proof takes a while.
fn size() -> u64 {
    if is_full_run() { 10 << 30 } else { 2 << 30 }
}

fn expect_flat<const N: usize>(scene: &Scene, receiver: Program, args: [&str; N]) {
    let receiver = receiver.start();
    let endless = Input::Reader(Box::new(Endless::new(size())));
    let sender = scene.sender(&receiver.address(), args).input(endless).start();
    let watched = [sender, receiver].map(|program| {
        thread::spawn(move || {
            let mut highest = 0;
            let ended = program.wait_and_observe(|pid| highest = peak_memory(pid).unwrap_or(0).max(highest));
            ended.expect_success();
            highest
        })
    });
    for (side, peak) in ["sender", "receiver"].iter().zip(watched.map(|watch| watch.join().expect("a success"))) {
        eprintln!("the {side} had {} MiB at most", peak >> 10);
        assert!((1..LIMIT).contains(&peak), "the {side} had {peak} kB");
    }
}

#[test]
fn memory_is_flat_when_the_stream_is_thrown_away() {
    let scene = Scene::new();
    expect_flat(&scene, scene.receiver(["-o", "/dev/null"]), []);
}

#[test]
fn memory_is_flat_while_a_spool_fills() {
    let scene = Scene::new();
    if !has_room(&scene) {
        return skip("memory_is_flat_while_a_spool_fills", "not enough space in the temporary folder");
    }
    scene.new_folder("spool");
    expect_flat(&scene, scene.receiver(["-o", "/dev/null"]), ["-L", "300m", "--spool", "spool"]);
}

#[test]
fn memory_is_flat_when_the_stream_is_unpacked() {
    let scene = Scene::new();
    if !has_room(&scene) {
        return skip("memory_is_flat_when_the_stream_is_unpacked", "not enough space in the temporary folder");
    }
    scene.new_folder("data");
    expect_flat(&scene, scene.receiver(["-x", "-C", "data"]), []);
}

fn has_room(scene: &Scene) -> bool {
    let disk = rustix::fs::statvfs(scene.folder()).expect("a file system");
    disk.f_bavail * disk.f_frsize >= size() + (1 << 30)
}
