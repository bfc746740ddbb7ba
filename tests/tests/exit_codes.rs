//! One test for each row of the table of exit codes.

use rustix::process::Signal;
use xbproto::cli::EXIT_CODES;
use xbtests::{Backup, Input, Output, Pace, Running, Scene, Transfer};

/// A receiver to a file and a sender whose source never ends, both connected.
fn endless_session(scene: &Scene) -> (Running, Running) {
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let sender = scene.sender(&receiver.address(), ["--", "sh", "-c", "exec sleep 1000"]).start();
    sender.log().wait_for("sending to");
    (sender, receiver)
}

#[test]
fn the_table_has_every_code_once() {
    let codes: Vec<u8> = EXIT_CODES.iter().map(|(code, _, _)| *code).collect();
    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 124, 130, 143]);
}

#[test]
fn code_0_confirmed() {
    let scene = Scene::new();
    let (sent, received) =
        scene.transfer(scene.receiver(["-o", "out.xb"]), |to| scene.sender(to, []).feed(&Backup::small()));
    sent.expect_success();
    received.expect_success();
}

#[test]
fn code_2_usage() {
    let scene = Scene::new();
    let wrong: [&[&str]; 5] =
        [&[], &["--no-such-option"], &["-o", "a", "--stdout"], &["-C", "x"], &["-o", "a", "-l", "nonsense"]];
    for args in wrong {
        scene.xbrecv([]).args(args).start().wait().expect_failure(2);
    }
    let wrong: [&[&str]; 5] = [
        &[],
        &["127.0.0.1:1", "-L", "fast"],
        &["127.0.0.1:1", "-i", "a", "--", "b"],
        &["127.0.0.1:1", "--raw", "--expect", "backup"],
        &["127.0.0.1:99999"],
    ];
    for args in wrong {
        scene.xbsend([]).args(args).start().wait().expect_failure(2);
    }
    assert_eq!(scene.listing("."), Vec::<String>::new());
}

#[test]
fn code_2_two_tools_and_nobody_to_choose() {
    let scene = Scene::new();
    let tools = xbtests::FakeTool::new(&scene, "xtrabackup", "exit 0").and("mariabackup", "exit 0");
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let sent = scene.sender(&receiver.address(), []).env("PATH", tools.path()).start().wait();
    sent.expect_failure(2).expect_said("--tool");
}

#[test]
fn code_2_a_wrong_tool_is_told_before_anybody_is_called() {
    let scene = Scene::new();
    let sent = scene.sender("127.0.0.1:9", ["--wait", "1s", "--tool", "mysqldump"]).start().wait();
    sent.expect_failure(2).expect_said("mysqldump");
}

#[test]
fn code_3_peer_not_reached() {
    let scene = Scene::new();
    scene.sender("127.0.0.1:9", ["--wait", "1s"]).feed(&Backup::small()).start().wait().expect_failure(3);
    scene.receiver(["-o", "out.xb", "--wait", "1s"]).start().wait().expect_failure(3);
    assert_eq!(scene.listing("."), Vec::<String>::new());
}

#[test]
fn code_3_peer_lost() {
    let scene = Scene::at(Pace::of_this_run().without_retry());
    let (sender, receiver) = endless_session(&scene);
    receiver.signal(Signal::KILL);
    receiver.wait();
    sender.wait().expect_failure(3);
}

#[test]
fn code_4_refused() {
    let scene = Scene::new();
    let receiver = scene.receiver(["-o", "out.xb", "--wait", "3s"]).start();
    let sender = scene.sender(&receiver.address(), []).env("XB_KEY", Scene::new().key().reveal());
    sender.feed(&Backup::small()).start().wait().expect_failure(4);
    receiver.wait().expect_failure(4).expect_said("another key");
}

#[test]
fn code_5_integrity() {
    let scene = Scene::new();
    let damaged = Input::Bytes(Backup::small().damaged());
    let (sent, received) = scene.transfer(scene.receiver(["-o", "out.xb"]), |to| scene.sender(to, []).input(damaged));
    sent.expect_failure(5);
    received.expect_failure(5);
}

#[test]
fn code_6_source_failed() {
    let scene = Scene::new();
    let (sent, received) = scene.transfer(scene.receiver(["-o", "out.xb"]), |to| scene.sender(to, ["--", "false"]));
    sent.expect_failure(6);
    received.expect_failure(6);
}

#[test]
fn code_7_sink_failed() {
    let scene = Scene::new();
    let (sent, received) =
        scene.transfer(scene.receiver(["--", "false"]), |to| scene.sender(to, []).feed(&Backup::small()));
    sent.expect_failure(7);
    received.expect_failure(7);
}

#[test]
fn code_8_unconfirmed() {
    let scene = Scene::at(Pace::of_this_run().without_retry());
    let (pipe, feed) = std::io::pipe().expect("a pipe");
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let sender = scene.sender(&receiver.address(), []).input(Input::Open(pipe.into())).start();
    sender.log().wait_for("sending to");
    receiver.signal(Signal::STOP);
    std::io::copy(&mut std::io::Cursor::new(Backup::small().stream()), &mut { feed }).expect("a sender that reads");
    sender.wait().expect_failure(8).expect_said("look at the receiver");
}

#[test]
fn code_9_committed_but_something_failed_afterwards() {
    // The checksum file's folder vanishes between its check and the receipt.
    let scene = Scene::new();
    let folder = scene.new_folder("sums");
    let (pipe, feed) = std::io::pipe().expect("a pipe");
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let sender = scene.sender(&receiver.address(), ["--checksum-file", "sums/in.sha1"]);
    let sender = sender.input(Input::Open(pipe.into())).start();
    sender.log().wait_for("sending to");
    std::fs::remove_dir_all(folder).expect("removed");
    std::io::copy(&mut std::io::Cursor::new(Backup::small().stream()), &mut { feed }).expect("a sender that reads");
    sender.wait().expect_failure(9).expect_said("the backup is confirmed").expect_said("sums/in.sha1");
    receiver.wait().expect_success();
}

#[test]
fn code_124_deadline_of_either_side() {
    for (receiver, sender) in [(&[][..], &["--deadline", "1s"][..]), (&["--deadline", "1s"], &[])] {
        let scene = Scene::new();
        let receiver = scene.receiver(["-o", "out.xb"]).args(receiver);
        let transfer = Transfer::start(&scene, receiver, |to| {
            scene.xbsend([]).args(sender).args([to, "--", "sh", "-c", "exec sleep 1000"])
        });
        transfer.end().expect_both_failed(124, "not done within 1.0 s (--deadline)").expect_left(&[]);
    }
}

#[test]
fn code_124_deadline_while_waiting_for_the_other_side() {
    let scene = Scene::new();
    scene.receiver(["-o", "out.xb", "--deadline", "1s"]).start().wait().expect_failure(124).expect_said("--deadline");
    let sender = scene.sender(&scene.free_address().to_string(), ["--wait", "1m", "--deadline", "1s"]);
    sender.feed(&Backup::small()).start().wait().expect_failure(124).expect_said("--deadline");
    assert_eq!(scene.listing("."), Vec::<String>::new());
}

#[test]
fn code_130_and_143_a_signalled_sender() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let scene = Scene::new();
        let (sender, receiver) = endless_session(&scene);
        let address = receiver.address();
        sender.signal(signal);
        sender.wait().expect_failure(code);
        receiver.wait().expect_failure(code).expect_said("sender: ");
        scene.expect_nobody_left();
        scene.expect_port_free(&address);
        assert_eq!(scene.listing("."), Vec::<String>::new());
    }
}

#[test]
fn code_130_and_143_a_signalled_receiver() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let scene = Scene::new();
        let (sender, receiver) = endless_session(&scene);
        let address = receiver.address();
        receiver.signal(signal);
        receiver.wait().expect_failure(code);
        sender.wait().expect_failure(code).expect_said("receiver: ");
        scene.expect_nobody_left();
        scene.expect_port_free(&address);
        assert_eq!(scene.listing("."), Vec::<String>::new());
    }
}

#[test]
fn code_130_and_143_while_waiting_for_the_other_side() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let scene = Scene::new();
        let receiver = scene.receiver(["-o", "out.xb"]).start();
        receiver.listening();
        receiver.signal(signal);
        receiver.wait().expect_failure(code);
        let sender = scene.sender("127.0.0.1:9", []).output(Output::Kept).feed(&Backup::small()).start();
        sender.log().wait_for("connecting to");
        sender.signal(signal);
        sender.wait().expect_failure(code);
        assert_eq!(scene.listing("."), Vec::<String>::new());
    }
}
