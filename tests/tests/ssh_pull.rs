//! One command for both hosts, on the destination: the source is started over a real ssh.

use std::fs;

use rustix::process::Signal;
use xbtests::{Backup, Scene, Sshd, program_path, sha1_of};

/// A scene with an sshd in it, unless this machine has none: then `test` is skipped.
macro_rules! far_host {
    ($scene:ident, $sshd:ident, $test:literal) => {
        let $scene = Scene::new();
        let Some($sshd) = Sshd::start($test, &$scene) else { return };
    };
}

/// The path of `name` in the scene, as an argument.
fn path(scene: &Scene, name: &str) -> String {
    scene.path(name).display().to_string()
}

/// A command over there that sends the head of a backup, and no more before this file is there.
fn slow(scene: &Scene, backup: &Backup, go_on: &str) -> String {
    let (stream, go_on) = (scene.file("in.xb", backup.stream()).display().to_string(), path(scene, go_on));
    format!("head -c 1000000 {stream}; while [ ! -e {go_on} ]; do sleep 0.05; done; tail -c +1000001 {stream}")
}

#[test]
fn what_a_command_gives_over_there_is_stored_here() {
    far_host!(scene, sshd, "what_a_command_gives_over_there_is_stored_here");
    let backup = Backup::small();
    let stream = scene.file("in.xb", backup.stream()).display().to_string();
    let received = sshd.receiver(&scene, ["-o", "out.xb", "--", "cat", &stream]).start().wait();
    received.expect_success().expect_said("db7: xbsend has ended well").expect_silence_on("warning");
    scene.expect_nobody_left();
    assert_eq!(sha1_of(&fs::read(scene.path("out.xb")).unwrap()), backup.sha1());
}

#[test]
fn a_file_over_there_is_unpacked_here() {
    far_host!(scene, sshd, "a_file_over_there_is_unpacked_here");
    let backup = Backup::small();
    let input = format!("--input={}", scene.file("in.xb", backup.stream()).display());
    let received = sshd.receiver(&scene, ["-x", "-C", "data", "-M", &input]).start().wait();
    received.expect_success();
    scene.expect_nobody_left();
    backup.expect_in(&scene.path("data"));
}

#[test]
fn the_command_arrives_word_by_word() {
    far_host!(scene, sshd, "the_command_arrives_word_by_word");
    let backup = Backup::small();
    let stream = scene.file("in.xb", backup.stream()).display().to_string();
    let script = "printf '<%s>' \"$@\" > \"$0\"; shift 5; cat \"$1\"";
    let words = [&path(&scene, "words"), "a b", "$HOME", "it's", "", "-o", &stream].map(str::to_owned);
    let command = ["--", "sh", "-c", script].map(str::to_owned);
    let received = sshd.receiver(&scene, ["-o", "out.xb"]).args(command).args(words).start().wait();
    received.expect_success();
    assert_eq!(fs::read_to_string(scene.path("words")).unwrap(), format!("<a b><$HOME><it's><><-o><{stream}>"));
}

#[test]
fn a_source_that_fails_is_the_failure_of_both() {
    far_host!(scene, sshd, "a_source_that_fails_is_the_failure_of_both");
    let command = ["-o", "out.xb", "--", "sh", "-c", "echo 'no such table' >&2; exit 3"];
    let received = sshd.receiver(&scene, command).start().wait();
    received.expect_failure(6).expect_said("db7: backup: no such table").expect_said("sender: ");
    scene.expect_nobody_left();
    assert!(!scene.path("out.xb").exists());
}

#[test]
fn a_source_that_cannot_begin_ends_it_at_once() {
    far_host!(scene, sshd, "a_source_that_cannot_begin_ends_it_at_once");
    let received = sshd.receiver(&scene, ["-o", "out.xb", "--", "no-such-tool-of-anybody"]).start().wait();
    received.expect_failure(6).expect_said("no-such-tool-of-anybody");
    scene.expect_nobody_left();
    assert!(!scene.path("out.xb").exists() && !scene.path("out.xb.partial").exists());
}

#[test]
fn a_destination_that_exists_is_refused_before_anything_is_started() {
    far_host!(scene, sshd, "a_destination_that_exists_is_refused_before_anything_is_started");
    scene.file("out.xb", "precious");
    let received = sshd.receiver(&scene, ["-o", "out.xb", "--", "cat", "/dev/null"]).start().wait();
    received.expect_failure(7).expect_silence_on("starting xbsend");
    assert_eq!(fs::read_to_string(scene.path("out.xb")).unwrap(), "precious");
}

#[test]
fn a_key_over_there_that_nobody_needs_is_not_read() {
    far_host!(scene, sshd, "a_key_over_there_that_nobody_needs_is_not_read");
    let stream = scene.file("in.xb", Backup::small().stream()).display().to_string();
    let text = "[xb]\nkey-file = /nonexistent/key\nssl-ca = /nonexistent/ca.pem\n";
    let config = format!("--config={}", scene.file("far.conf", text).display());
    let received = sshd.receiver(&scene, ["-o", "out.xb", "-M", &config, "--", "cat", &stream]).start().wait();
    received.expect_success();
    scene.expect_nobody_left();
}

#[test]
fn a_sender_that_is_not_installed_is_told_with_what_to_do() {
    far_host!(scene, sshd, "a_sender_that_is_not_installed_is_told_with_what_to_do");
    let words = sshd.words_for("xbsend-of-nobody");
    let received = scene.xbrecv([]).args(words).args(["-o", "out.xb", "--", "true"]).start().wait();
    received.expect_failure(3).expect_said("xbsend-of-nobody cannot be run on db7").expect_said("install xbsend there");
    scene.expect_nobody_left();
    assert_eq!(scene.listing("out.xb.partial"), Vec::<String>::new());
}

#[test]
fn a_sender_ends_with_a_receiver_that_never_came() {
    far_host!(scene, sshd, "a_sender_ends_with_a_receiver_that_never_came");
    for signal in [Signal::TERM, Signal::KILL] {
        let ports = scene.free_address().port().to_string();
        let args = ["-v", "-o", "out.xb", "--ports", &ports, "--connect", &scene.free_address().to_string()];
        let receiver = sshd.receiver(&scene, args).args(["--", "sleep", "1000"]).start();
        receiver.log().wait_for("connecting to");
        receiver.signal(signal);
        assert_eq!(receiver.wait().code, 128 + signal.as_raw());
        scene.expect_nobody_left();
    }
}

#[test]
fn a_transfer_survives_the_end_of_its_ssh() {
    far_host!(scene, sshd, "a_transfer_survives_the_end_of_its_ssh");
    let backup = Backup::new(4, 1 << 20);
    let script = slow(&scene, &backup, "go on");
    let receiver = sshd.receiver(&scene, ["-o", "out.xb", "--", "sh", "-c", &script]).start();
    scene.wait_for_size("out.xb.partial", 500_000);
    scene.kill("ssh");
    receiver.log().wait_for("the ssh connection to db7 is gone");
    scene.file("go on", "");
    receiver.wait().expect_success();
    scene.expect_nobody_left();
    assert_eq!(sha1_of(&fs::read(scene.path("out.xb")).unwrap()), backup.sha1());
}

#[test]
fn a_receiver_that_is_ended_leaves_nobody() {
    far_host!(scene, sshd, "a_receiver_that_is_ended_leaves_nobody");
    let script = slow(&scene, &Backup::new(4, 1 << 20), "never");
    for signal in [Signal::INT, Signal::KILL] {
        let args = ["--peer-timeout", "1s", "-o", "out.xb", "-M", "--retry-for=0", "--", "sh", "-c", &script];
        let receiver = sshd.receiver(&scene, args).start();
        scene.wait_for_size("out.xb.partial", 500_000);
        receiver.signal(signal);
        assert_eq!(receiver.wait().code, 128 + signal.as_raw());
        scene.expect_nobody_left();
        assert!(!scene.path("out.xb").exists());
    }
}

#[test]
fn a_sender_that_is_killed_is_a_lost_peer() {
    far_host!(scene, sshd, "a_sender_that_is_killed_is_a_lost_peer");
    let script = slow(&scene, &Backup::new(4, 1 << 20), "never");
    let args = ["--peer-timeout", "1s", "-o", "out.xb", "-M", "--retry-for=0", "--", "sh", "-c", &script];
    let receiver = sshd.receiver(&scene, args).start();
    scene.wait_for_size("out.xb.partial", 500_000);
    scene.kill("xbsend");
    receiver.wait().expect_failure(3);
    scene.expect_nobody_left();
    assert!(!scene.path("out.xb").exists());
}

#[test]
fn without_words_on_ports_the_usual_one_is_taken_or_any() {
    far_host!(scene, sshd, "without_words_on_ports_the_usual_one_is_taken_or_any");
    let backup = Backup::small();
    let stream = scene.file("in.xb", backup.stream()).display().to_string();
    let path_of = program_path("xbsend").display().to_string();
    for copy in ["first.xb", "second.xb"] {
        let words =
            ["--ssh", "db7", "--ssh-command", &sshd.command(), "--remote-path", &path_of, "-o", copy, "--", "cat"];
        scene.xbrecv(words).arg(&stream).start().wait().expect_success();
    }
    scene.expect_nobody_left();
}
