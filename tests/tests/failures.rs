//! Backups that do not arrive: both sides say why, with the same exit code, and nothing is left.

use std::fs;

use rustix::process::Signal;
use xbproto::xbstream::{Opening, encode};
use xbtests::{Backup, Ended, FakeTool, Input, Pace, Program, Rogue, Scene};

/// Both failed with `code`; one of them in these words of its own, and the other in the same words behind its name.
fn expect_both(code: i32, words: &str, at_fault: (&Ended, &str), other: &Ended) {
    let (guilty, side) = at_fault;
    guilty.expect_failure(code).expect_said(words);
    other.expect_failure(code);
    let told = other.log.lines().find(|line| line.contains(&format!("{side}: "))).unwrap_or_default();
    assert!(told.contains(words), "the other side never heard {words:?} from the {side}");
}

/// No file but these, no process, and nobody at the port.
fn expect_nothing_left(scene: &Scene, address: &str, files: &[&str]) {
    scene.expect_nobody_left();
    scene.expect_port_free(address);
    assert_eq!(scene.listing("."), files);
}

/// A story in which the sender fails: to a file, and to a directory. `sender` gets where to send.
fn sender_fails(files: &[(&str, Vec<u8>)], code: i32, words: &str, sender: impl Fn(&Scene, &str) -> Program) {
    for destination in [["-o", "out.xb"].as_slice(), &["-x", "-C", "data"]] {
        let scene = Scene::new();
        scene.new_folder("data");
        for (name, content) in files {
            scene.file(name, content);
        }
        let receiver = scene.receiver([]).args(destination).start();
        let address = receiver.address();
        let sent = sender(&scene, &address).start().wait();
        let received = receiver.wait();
        expect_both(code, words, (&sent, "sender"), &received);
        let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        expect_nothing_left(&scene, &address, &names);
    }
}

#[test]
fn the_last_lines_of_a_failed_source_are_repeated() {
    let scene = Scene::new();
    let (sent, _) = scene.transfer(scene.receiver(["-o", "out.xb"]), |to| {
        scene.sender(to, ["--", "sh", "-c", "echo first >&2; echo the log has wrapped >&2; exit 1"])
    });
    sent.expect_failure(6);
    let tail: Vec<&str> = sent.log.lines().rev().take(6).collect();
    assert!(tail.iter().any(|line| line.contains("the log has wrapped")), "{tail:?}");
}

/// It is found before the receiver is reached, which takes one sender only and so waits on.
#[test]
fn a_source_that_cannot_be_started_uses_up_no_receiver() {
    let scene = Scene::new();
    scene.file("whole.xb", Backup::small().stream());
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let to = receiver.address();
    for (source, code) in [
        (["--", "./no-such-tool"], 6),
        (["-i", "no-such-file"], 6),
        (["--tool", "no-such-tool"], 2),
        (["--spool", "no-such-folder"], 2),
    ] {
        scene.sender(&to, source).start().wait().expect_failure(code).expect_said("no-such");
    }
    scene.sender(&to, ["-i", "whole.xb"]).start().wait().expect_success();
    receiver.wait().expect_success();
}

#[test]
fn a_tool_that_does_not_report_success() {
    let scene = Scene::new();
    scene.file("whole.xb", Backup::small().stream());
    let tool = FakeTool::new(&scene, "mariadb-backup", "cat whole.xb; echo 'completed, more or less' >&2");
    let command = ["--", &tool.tool("mariadb-backup"), "--backup"];
    let (sent, received) = scene.transfer(scene.receiver(["-o", "out.xb"]), |to| scene.sender(to, command));
    expect_both(6, "did not report success", (&sent, "sender"), &received);
    assert_eq!(scene.listing("."), ["bin/mariadb-backup", "whole.xb"]);
}

#[test]
fn a_tool_that_reports_success_and_fails() {
    let scene = Scene::new();
    scene.file("whole.xb", Backup::small().stream());
    let tool = FakeTool::new(&scene, "xtrabackup", "cat whole.xb; echo 'completed OK!' >&2; exit 1");
    let command = ["--", &tool.tool("xtrabackup"), "--backup"];
    let (sent, received) = scene.transfer(scene.receiver(["-o", "out.xb"]), |to| scene.sender(to, command));
    expect_both(6, "status 1", (&sent, "sender"), &received);
    assert_eq!(scene.listing("."), ["bin/xtrabackup", "whole.xb"]);
}

#[test]
fn an_empty_standard_input() {
    sender_fails(&[], 6, "empty", |scene, to| scene.sender(to, []).input(Input::Bytes(Vec::new())));
}

#[test]
fn an_empty_command() {
    sender_fails(&[], 6, "no bytes at all", |scene, to| scene.sender(to, ["--", "true"]));
}

#[test]
fn text_before_the_first_chunk() {
    let files = [("whole.xb", Backup::small().stream())];
    sender_fails(&files, 5, "Warning: using a password", |scene, to| {
        scene.sender(
            to,
            ["--", "sh", "-c", "echo Warning: using a password on the command line; cat whole.xb; sleep 60"],
        )
    });
}

#[test]
fn a_stream_that_is_something_else() {
    sender_fails(&[], 5, "--raw", |scene, to| {
        scene.sender(to, []).input(Input::Bytes(b"\x1f\x8b\x08\0 compressed by gzip".repeat(100)))
    });
}

#[test]
fn a_stream_that_is_cut() {
    let cut = Backup::small().cut();
    sender_fails(&[], 5, &cut.len().to_string(), |scene, to| scene.sender(to, []).input(Input::Bytes(cut.clone())));
}

#[test]
fn a_stream_that_ends_with_a_file_open() {
    let chunk = encode::payload(b"shop/orders.ibd", Opening::New, 0, b"some rows").expect("a valid chunk");
    let stream = [Backup::small().stream(), chunk].concat();
    sender_fails(&[], 5, "shop/orders.ibd", |scene, to| scene.sender(to, []).input(Input::Bytes(stream.clone())));
}

#[test]
fn a_backup_without_its_last_files() {
    let part = Backup::without_its_end();
    sender_fails(&[], 5, "backup incomplete", |scene, to| scene.sender(to, []).feed(&part));
}

#[test]
fn a_stream_with_a_flipped_byte() {
    let damaged = Backup::small().damaged();
    sender_fails(&[], 5, "CRC", |scene, to| scene.sender(to, []).input(Input::Bytes(damaged.clone())));
}

#[test]
fn a_link_lost_after_the_tools_own_success() {
    let (scene, backup) = (Scene::at(Pace::of_this_run().without_retry()), Backup::small());
    scene.file("whole.xb", backup.stream());
    let script = "while ! [ -e go ]; do sleep 0.02; done; cat whole.xb; echo 'completed OK!' >&2";
    let tool = FakeTool::new(&scene, "mariadb-backup", script);
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let sender = scene.sender(&receiver.address(), ["--", &tool.tool("mariadb-backup"), "--backup"]).start();
    sender.log().wait_for("sending to");
    receiver.signal(Signal::STOP);
    scene.file("go", "");
    sender.log().wait_for("backup: tool finished, waiting for the receiver");
    receiver.signal(Signal::KILL);
    receiver.wait();
    sender.wait().expect_failure(8).expect_said("the receipt never came");
    assert!(!scene.listing(".").contains(&"out.xb".to_owned()));
    scene.expect_nobody_left();
}

#[test]
fn a_wrong_key() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let address = receiver.address();
    let stranger = scene.sender(&address, []).env("XB_KEY", Scene::new().key().reveal()).feed(&backup);
    stranger.start().wait().expect_failure(4).expect_said("key");
    receiver.log().wait_for_line("turned away 127.0.0.1");
    scene.sender(&address, []).feed(&backup).start().wait().expect_success();
    receiver.wait().expect_success();
}

#[test]
fn targets_that_cannot_be_written() {
    let scene = Scene::new();
    scene.file("file", "");
    for args in [["-o", "missing/out.xb"].as_slice(), &["-x", "-C", "missing/data"], &["-x", "-C", "file"]] {
        let received = scene.receiver([]).args(args).start().wait();
        received.expect_failure(7).expect_said(args[args.len() - 1].split('/').next().expect("a name"));
        received.expect_silence_on("listening on");
    }
    assert_eq!(scene.listing("."), ["file"]);
}

#[test]
fn a_file_that_exists_is_never_overwritten() {
    for taken in ["out.xb", "out.xb.sha1"] {
        let scene = Scene::new();
        scene.file(taken, "precious");
        let received = scene.receiver(["-o", "out.xb"]).start().wait();
        received.expect_failure(7).expect_said(taken).expect_silence_on("listening on");
        assert_eq!(scene.listing("."), [taken]);
        assert_eq!(fs::read(scene.path(taken)).expect("there"), b"precious");
    }
}

#[test]
fn a_collision_in_the_directory() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.new_folder("data");
    scene.new_folder("data/shop");
    scene.file("data/shop/orders.ibd", "precious");
    let receiver = scene.receiver(["-x", "-C", "data"]).start();
    let address = receiver.address();
    let sent = scene.sender(&address, []).feed(&backup).start().wait();
    expect_both(7, "shop/orders.ibd", (&receiver.wait(), "receiver"), &sent);
    expect_nothing_left(&scene, &address, &["data/shop/orders.ibd"]);
    assert_eq!(fs::read(scene.path("data/shop/orders.ibd")).expect("there"), b"precious");
}

#[test]
fn names_that_lead_out_of_the_directory() {
    let end = |name: &str| encode::end(name.as_bytes()).expect("a valid chunk");
    let leading_out = "../out";
    let cases: [(&str, Vec<u8>); 7] = [
        ("/tmp/xbtests-evil", end("/tmp/xbtests-evil")),
        (leading_out, end(leading_out)),
        ("a/../../out", end("a/../../out")),
        ("..", end("..")),
        ("../from", encode::rename(b"../from", b"to").expect("a valid chunk")),
        ("../to", [end("from"), encode::rename(b"from", b"../to").expect("a valid chunk")].concat()),
        ("../gone", encode::remove(b"../gone").expect("a valid chunk")),
    ];
    for (name, chunk) in cases {
        let scene = Scene::new();
        scene.new_folder("data");
        scene.file("gone", "precious");
        let receiver = scene.receiver(["-x", "-C", "data"]).start();
        let address = receiver.address();
        let stream = [chunk, Backup::small().stream()].concat();
        let sent = scene.sender(&address, ["--raw"]).input(Input::Bytes(stream)).start().wait();
        expect_both(5, name, (&receiver.wait(), "receiver"), &sent);
        expect_nothing_left(&scene, &address, &["gone"]);
    }
    assert!(!fs::exists("/tmp/xbtests-evil").expect("a path"));
}

#[test]
fn a_name_with_a_nul() {
    let mut stream = encode::end(b"a-b").expect("a valid chunk");
    let nul = stream.len() - 2;
    stream[nul] = 0;
    let scene = Scene::new();
    scene.new_folder("data");
    let (sent, received) = scene
        .transfer(scene.receiver(["-x", "-C", "data"]), |to| scene.sender(to, ["--raw"]).input(Input::Bytes(stream)));
    expect_both(5, "NUL", (&received, "receiver"), &sent);
    assert_eq!(scene.listing("."), Vec::<String>::new());
}

#[test]
fn a_symbolic_link_in_the_directory_is_not_followed() {
    let scene = Scene::new();
    scene.new_folder("data");
    scene.new_folder("elsewhere");
    std::os::unix::fs::symlink("../elsewhere", scene.path("data/shop")).expect("a link");
    let (sent, received) =
        scene.transfer(scene.receiver(["-x", "-C", "data"]), |to| scene.sender(to, []).feed(&Backup::small()));
    expect_both(7, "shop", (&received, "receiver"), &sent);
    assert_eq!(scene.listing("."), ["data/shop"]);
}

#[test]
fn a_consumer_that_fails() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let cases = ["cat > /dev/null; echo over quota >&2; exit 9", "echo over quota >&2; exit 9"];
    for script in cases {
        let receiver = scene.receiver(["--", "sh", "-c", script]).start();
        let address = receiver.address();
        let sent = scene.sender(&address, []).feed(&backup).start().wait();
        expect_both(7, "over quota", (&receiver.wait(), "receiver"), &sent);
        sent.expect_said("status 9");
        expect_nothing_left(&scene, &address, &[]);
    }
}

#[test]
fn a_consumer_never_takes_half_for_whole() {
    let (scene, half) = (Scene::new(), Backup::small().cut());
    let receiver = scene.receiver(["--", "sh", "-c", "cat > /dev/null; touch whole"]);
    let (sent, received) = scene.transfer(receiver, |to| scene.sender(to, []).input(Input::Bytes(half)));
    expect_both(5, "sender", (&received, "sender"), &received);
    sent.expect_failure(5);
    scene.expect_nobody_left();
    assert_eq!(scene.listing("."), Vec::<String>::new());
}

#[test]
fn a_reader_of_stdout_that_goes_away() {
    let scene = Scene::new();
    let (reader, pipe) = std::io::pipe().expect("a pipe");
    drop(reader);
    let receiver = scene.receiver(["--stdout"]).output(xbtests::Output::Open(pipe.into()));
    let (sent, received) = scene.transfer(receiver, |to| scene.sender(to, []).feed(&Backup::small()));
    expect_both(7, "its reader went away", (&received, "receiver"), &sent);
}

#[test]
fn a_sender_of_another_version() {
    let scene = Scene::new();
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let address = receiver.listening();
    let refused = Rogue::dialer().knock(address, scene.key(), &[99]).expect_err("no version in common");
    assert!(refused.to_string().contains("no protocol version in common"), "{refused}");
    receiver.wait().expect_failure(4).expect_said("no protocol version in common").expect_said("99");
    expect_nothing_left(&scene, &address.to_string(), &[]);
}

#[test]
fn a_receiver_of_another_version() {
    let (scene, rogue) = (Scene::new(), Rogue::listener());
    let sender = scene.sender(&rogue.address().to_string(), []).feed(&Backup::small()).start();
    let refused = rogue.admit(scene.key(), &[99]).expect_err("no version in common");
    assert!(refused.to_string().contains("no protocol version in common"), "{refused}");
    sender.wait().expect_failure(4).expect_said("no protocol version in common").expect_said("99");
    scene.expect_nobody_left();
}

#[test]
fn no_key_and_nobody_to_ask() {
    let scene = Scene::new();
    for program in [scene.receiver(["-o", "out.xb"]), scene.sender("127.0.0.1:9", []).feed(&Backup::small())] {
        let ended = program.without_key().start().wait();
        ended.expect_failure(2).expect_said("--key-file").expect_said("XB_KEY").expect_silence_on("xb1-");
    }
    assert_eq!(scene.listing("."), Vec::<String>::new());
}

#[test]
fn a_port_that_is_taken() {
    let scene = Scene::new();
    let first = scene.receiver(["-o", "first.xb"]).start();
    let address = first.address();
    let second = scene.xbrecv(["-l", &address, "-o", "second.xb"]).start().wait();
    second.expect_failure(7).expect_said(&address);
    assert_eq!(scene.listing("."), ["first.xb.partial", "first.xb.partial.journal"]);
}

#[test]
fn a_second_receiver_of_one_file() {
    let cases = [(["-o", "out.xb"].as_slice(), "already running"), (&["-x", "-C", "data"], "already unpacking")];
    for (args, words) in cases {
        let (scene, backup) = (Scene::new(), Backup::small());
        scene.new_folder("data");
        let first = scene.receiver([]).args(args).start();
        let address = first.address();
        let second = scene.receiver([]).args(args).start().wait();
        second.expect_failure(7).expect_said(words).expect_silence_on("listening on");
        scene.sender(&address, []).feed(&backup).start().wait().expect_success();
        first.wait().expect_success();
    }
}

#[test]
fn nobody_at_the_other_end() {
    let scene = Scene::new();
    scene.file("started", "");
    let nowhere = scene.free_address();
    let args = ["--wait", "1s", "--", "rm", "started"];
    let sent = scene.sender(&nowhere.to_string(), args).start().wait();
    sent.expect_failure(3).expect_said(&nowhere.to_string()).expect_said("UDP");
    assert_eq!(scene.listing("."), ["started"], "the backup was started although nobody would take it");
}
