//! Compression on the wire: what arrives is what was given, and less travels.

use std::fs;

use serde_json::Value;
use xbtests::{Backup, Destination, Ended, Endless, Input, Pace, Scene, Transfer, Trickle, peak_memory};

/// The most memory that either side may ever have had, in kilobytes.
const LIMIT: u64 = 200 << 10;

/// A backup of so many MiB that gets about four times smaller: pages with something in them, and then nothing.
fn compressible(mib: usize) -> Backup {
    let noise = Backup::new(1, mib << 18).stream();
    let pages = noise[1000..].chunks(4096).flat_map(|noise| [noise, &[0; 12_288]].concat());
    Backup::small().with("shop/pages.ibd", &pages.collect::<Vec<u8>>())
}

/// What the sender says at its end, in JSON.
fn finished(sent: &Ended) -> Value {
    assert_eq!(sent.code, 0);
    let last = sent.log.lines().last().expect("a last line").to_owned();
    serde_json::from_str(&last).unwrap_or_else(|error| panic!("{last}: {error}"))
}

fn bytes(value: &Value, field: &str) -> u64 {
    value[field].as_u64().unwrap_or_else(|| panic!("no {field} in {value}"))
}

#[test]
fn what_arrives_is_the_original_and_less_travels() {
    let backup = compressible(40);
    for compress in ["--compress", "--compress=auto", "--compress=1", "--compress=19"] {
        let scene = Scene::new();
        let (sent, received) = scene.transfer(scene.receiver(["-o", "out.xb"]), |to| {
            scene.sender(to, [compress, "--progress", "json"]).feed(&backup)
        });
        received.expect_success();
        assert!(fs::read(scene.path("out.xb")).expect("stored") == backup.stream(), "{compress}");
        let finished = finished(&sent);
        let (original, encoded) = (bytes(&finished, "original"), bytes(&finished, "encoded"));
        assert_eq!((original, bytes(&finished, "bytes")), (backup.stream().len() as u64, original));
        match compress {
            // Where everything is on one host, it may well find that nothing is gained.
            "--compress" | "--compress=auto" => assert!(encoded <= original, "{finished}"),
            _ => assert!(encoded < original / 3, "{finished}"),
        }
    }
}

#[test]
fn both_sides_say_the_original_checksum_and_the_sender_the_ratio() {
    let (scene, backup) = (Scene::new(), compressible(8));
    scene.new_folder("data");
    let (sent, received) =
        scene.transfer(scene.receiver(["-x", "-C", "data"]), |to| scene.sender(to, ["--compress=3"]).feed(&backup));
    for ended in [&sent, &received] {
        assert_eq!(ended.expect_success().checksums(), [(backup.sha1(), "-".to_owned())]);
    }
    backup.expect_in(&scene.path("data"));
    sent.expect_said("x, level 3)");
}

#[test]
fn the_rate_limit_holds_for_what_travels() {
    let (scene, backup) = (Scene::new(), compressible(12));
    let args = ["--compress=1", "-L", "2m", "--progress", "json"];
    let (sent, received) = scene.transfer(scene.receiver(["-o", "out.xb"]), |to| scene.sender(to, args).feed(&backup));
    received.expect_success();
    let finished = finished(&sent);
    let (average, elapsed) = (bytes(&finished, "average"), finished["elapsed"].as_f64().expect("seconds"));
    assert!(average > 2 << 20, "the original moves faster than the limit: {finished}");
    // A bucket of a tenth of a second is full at the beginning.
    let most = (2 << 20) as f64 * (elapsed + 0.1);
    assert!(bytes(&finished, "encoded") as f64 <= most, "and what travels does not: {finished}");
}

#[test]
fn what_cannot_be_compressed_is_sent_as_it_is() {
    for compress in ["--compress=auto", "--compress=9"] {
        let (scene, backup) = (Scene::new(), Backup::new(6, 3 << 20));
        let (sent, received) = scene.transfer(scene.receiver(["-o", "out.xb"]), |to| {
            scene.sender(to, [compress, "--progress", "json"]).feed(&backup)
        });
        received.expect_success();
        let finished = finished(&sent);
        assert!(bytes(&finished, "encoded") > bytes(&finished, "original") * 9 / 10, "{finished}");
        assert!(fs::read(scene.path("out.xb")).expect("stored") == backup.stream());
    }
}

#[test]
fn a_link_that_is_lost_is_gone_on_after() {
    for compress in ["--compress", "--compress=5"] {
        Destination::each(|destination| {
            let (scene, backup) = (Scene::at(Pace::of_this_run()), compressible(24));
            let source = Trickle::of(&backup);
            let transfer = Transfer::start(&scene, destination.receiver(&scene), |to| {
                scene.sender(to, [compress]).input(source.input())
            });
            transfer.wait_until_welcome();
            transfer.relay.wait_for_bytes(100_000);
            transfer.relay.down();
            let sides = [&transfer.sender, &transfer.receiver];
            sides.iter().for_each(|side| side.log().wait_for("interrupted"));
            transfer.relay.up();
            source.release();
            transfer.sender.log().wait_for("resumed at byte ");
            transfer.end().expect_arrived(&backup, destination, &[]);
        });
    }
}

#[test]
fn a_receiver_killed_and_started_again_goes_on() {
    let (scene, backup) = (Scene::at(Pace::of_this_run()), compressible(24));
    let source = Trickle::of(&backup);
    let mut transfer = Transfer::start(&scene, Destination::File.receiver(&scene), |to| {
        scene.sender(to, ["--compress=1"]).input(source.input())
    });
    scene.wait_for_size("out.xb.partial", 2 << 20);
    transfer.kill_receiver();
    transfer.start_receiver(Destination::File.receiver(&scene));
    transfer.sender.log().wait_for("resumed at byte ");
    source.release();
    transfer.end().expect_arrived(&backup, Destination::File, &[]);
}

#[test]
fn memory_stays_small_while_the_link_is_down() {
    let scene = Scene::at(Pace::of_this_run());
    let endless = Input::Reader(Box::new(Endless::new(300 << 20)));
    let transfer = Transfer::start(&scene, scene.receiver(["-o", "/dev/null"]), |to| {
        scene.sender(to, ["--compress=1"]).input(endless)
    });
    transfer.relay.wait_for_bytes(16 << 20);
    transfer.relay.down();
    transfer.sender.log().wait_for("interrupted");
    transfer.relay.up();
    transfer.sender.log().wait_for("resumed at byte ");
    transfer.relay.wait_for_bytes(16 << 20);
    let peaks = [&transfer.sender, &transfer.receiver].map(|side| peak_memory(side.pid()).expect("a process"));
    assert!(peaks.iter().all(|peak| (1..LIMIT).contains(peak)), "the sides had {peaks:?} kB");
    let verdict = transfer.end();
    assert_eq!(verdict.sent.expect_success().checksums()[0].0, verdict.received.expect_success().checksums()[0].0);
}

#[test]
fn the_status_says_what_compression_has_come_to() {
    let (scene, backup) = (Scene::new(), compressible(24));
    let source = Trickle::of(&backup);
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let sender = scene.sender(&receiver.address(), ["--compress=1"]).input(source.input()).start();
    sender.log().wait_for("sending to");
    sender.ask_until("x, level 1)");
    source.release();
    sender.wait().expect_said("status: compressed ");
    receiver.wait().expect_success();
}

#[test]
fn a_level_that_does_not_exist_is_wrong_usage() {
    let scene = Scene::new();
    for compress in ["--compress=0", "--compress=20", "--compress=fast", "--compress="] {
        let ended = scene.sender("127.0.0.1:9", [compress]).start().wait();
        ended.expect_failure(2);
    }
}
