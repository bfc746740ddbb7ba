//! The key: where it comes from, and where it never is.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use xbproto::key::Key;
use xbtests::{Backup, Scene, Terminal};

/// The part of a key that no other text has.
fn secret(key: &Key) -> String {
    key.reveal()[4..].to_owned()
}

#[test]
fn the_key_is_in_no_log_and_no_child() {
    for progress in ["auto", "json", "none"] {
        let scene = Scene::new();
        scene.file("in.xb", Backup::small().stream());
        let receiver =
            scene.receiver(["-v", "--progress", progress, "--", "sh", "-c", "env > consumer.env; cat > /dev/null"]);
        let (sent, received) = scene.transfer(receiver, |to| {
            scene.sender(to, ["-v", "--progress", progress, "--", "sh", "-c", "env > source.env; cat in.xb"])
        });
        assert_eq!((sent.code, received.code), (0, 0));
        for ended in [&sent, &received] {
            ended.expect_silence_on(&secret(scene.key())).expect_silence_on("XB_KEY");
        }
        for child in ["source.env", "consumer.env"] {
            let environment = fs::read_to_string(scene.path(child)).expect("the child's environment");
            assert!(!environment.contains("XB_KEY") && !environment.contains(&secret(scene.key())), "{environment}");
        }
    }
}

#[test]
fn the_tool_that_is_found_has_no_key_either() {
    let scene = Scene::new();
    scene.file("in.xb", Backup::small().stream());
    let script = "env > tool.env; cat in.xb; echo 'completed OK!' >&2";
    let tools = xbtests::FakeTool::new(&scene, "xtrabackup", script);
    let (sent, _) =
        scene.transfer(scene.receiver(["-o", "out.xb"]), |to| scene.sender(to, []).env("PATH", tools.path()));
    sent.expect_success();
    assert!(!fs::read_to_string(scene.path("tool.env")).expect("its environment").contains("XB_KEY"));
}

#[test]
fn a_key_file_is_private_and_serves_both_sides() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let made = scene.xbrecv(["--generate-key", "key"]).without_key().start().wait();
    assert_eq!(made.code, 0);
    let key = fs::read_to_string(scene.path("key")).expect("a key file");
    made.expect_silence_on(&key.trim_end()[4..]);
    assert_eq!(fs::metadata(scene.path("key")).expect("a key file").permissions().mode() & 0o7777, 0o600);
    let receiver = scene.receiver(["-o", "out.xb", "--key-file", "key"]).without_key();
    let (sent, received) =
        scene.transfer(receiver, |to| scene.sender(to, ["--key-file", "key"]).without_key().feed(&backup));
    sent.expect_success().expect_silence_on(&key.trim_end()[4..]);
    received.expect_success().expect_silence_on(&key.trim_end()[4..]);
    let again = scene.xbrecv(["--generate-key", "key"]).start().wait();
    again.expect_failure(2).expect_said("never overwritten");
}

#[test]
fn what_is_no_key_is_refused_without_being_repeated() {
    let scene = Scene::new();
    let mut damaged = scene.key().reveal();
    let last = if damaged.ends_with('0') { "1" } else { "0" };
    damaged.replace_range(damaged.len() - 1.., last);
    for wrong in ["hunter2", &damaged, "xb1-", "password password"] {
        for program in [scene.receiver(["-o", "out.xb"]), scene.sender("127.0.0.1:9", []).feed(&Backup::small())] {
            let ended = program.env("XB_KEY", wrong).start().wait();
            ended.expect_failure(2).expect_said("XB_KEY");
            if wrong != "xb1-" {
                ended.expect_silence_on(wrong);
            }
        }
    }
}

#[test]
fn at_a_terminal_the_key_is_shown_on_one_side_and_typed_on_the_other() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("in.xb", backup.stream());
    let receiver = Terminal::start(&scene, scene.receiver(["-o", "out.xb"]).without_key());
    let listening = receiver.screen().wait_for_line("listening on ");
    let address = listening.trim_end().rsplit(' ').next().expect("an address").to_owned();
    let key = receiver.screen().wait_for_line("xb1-");
    let key: Key = key.trim().parse().expect("the whole line is the key");
    let mut sender = Terminal::start(&scene, scene.sender(&address, ["-i", "in.xb"]).without_key());
    sender.screen().wait_for("key");
    for process in scene.living() {
        assert!(!process.contains(&secret(&key)), "the key is in a command line: {process}");
    }
    sender.type_line(&key.reveal().to_lowercase());
    let (sent, received) = (sender.wait(), receiver.wait());
    sent.expect_success().expect_silence_on(&secret(&key)).expect_silence_on(&secret(&key).to_lowercase());
    received.expect_success();
    assert!(fs::read(scene.path("out.xb")).expect("stored") == backup.stream());
}

#[test]
fn the_receivers_invitation_is_a_command_that_works() {
    let scene = Scene::new();
    let receiver = Terminal::start(&scene, scene.xbrecv(["-l", "127.0.0.1:0", "-o", "out.xb"]).without_key());
    let invitation = receiver.screen().wait_for_line("xbsend ");
    let address = invitation.trim().strip_prefix("xbsend ").expect("a command").to_owned();
    let key = receiver.screen().wait_for_line("xb1-");
    let sent = scene.sender(&address, []).env("XB_KEY", key.trim()).feed(&Backup::small()).start().wait();
    sent.expect_success();
    receiver.wait().expect_success();
}
