//! What both programs say has kept a transfer from being faster.

use std::io::Write;
use std::thread;
use std::time::Duration;

use xbtests::{Backup, Ended, Input, Scene};

fn expect_limit(ended: Ended, limit: &str) {
    ended.expect_success().expect_said(&format!("the limit was {limit} for "));
}

#[test]
fn a_rate_limit_is_named_with_its_option_on_both_sides() {
    let (scene, backup) = (Scene::new(), Backup::new(3, 1 << 20));
    let (sent, received) =
        scene.transfer(scene.receiver(["-o", "out.xb"]), |to| scene.sender(to, ["-L", "1m"]).feed(&backup));
    sent.expect_said("--rate-limit");
    expect_limit(sent, "the limiter");
    expect_limit(received, "the limiter");
}

#[test]
fn a_slow_source_is_named_on_both_sides() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let (pipe, mut feed) = std::io::pipe().expect("a pipe");
    let feeding = thread::spawn(move || {
        for piece in backup.stream().chunks(backup.stream().len().div_ceil(20)) {
            thread::sleep(Duration::from_millis(150));
            feed.write_all(piece).expect("a sender that reads");
        }
    });
    let (sent, received) =
        scene.transfer(scene.receiver(["-o", "out.xb"]), |to| scene.sender(to, []).input(Input::Open(pipe.into())));
    feeding.join().expect("a fed sender");
    expect_limit(sent, "the source");
    expect_limit(received, "the source");
}

#[test]
fn a_slow_consumer_is_named_as_the_disk_on_both_sides() {
    let (scene, backup) = (Scene::new(), Backup::new(12, 1 << 20));
    let slow = "for n in $(seq 1 12); do head -c 1048576 >/dev/null; sleep 0.25; done; cat >/dev/null";
    let receiver = scene.receiver(["--window", "2m", "--", "sh", "-c", slow]);
    let (sent, received) = scene.transfer(receiver, |to| scene.sender(to, ["--window", "2m"]).feed(&backup));
    expect_limit(sent, "the disk");
    expect_limit(received, "the disk");
}
