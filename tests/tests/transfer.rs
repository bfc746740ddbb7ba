//! Backups that arrive: every source, every destination, and what both sides say.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use xbtests::{Backup, Ended, FakeTool, Input, Output, Scene, sha1_of};

/// Both ended well and printed the checksum of `backup` by these names.
fn expect_confirmed(backup: &Backup, sent: (&Ended, &str), received: (&Ended, &str)) {
    for (ended, name) in [sent, received] {
        ended.expect_success();
        assert_eq!(ended.checksums(), [(backup.sha1(), name.to_owned())]);
    }
}

#[test]
fn a_piped_backup_is_stored_with_its_checksum() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let (sent, received) = scene.transfer(scene.receiver(["-o", "out.xb"]), |to| scene.sender(to, []).feed(&backup));
    expect_confirmed(&backup, (&sent, "-"), (&received, "out.xb"));
    received.expect_said("synced");
    sent.expect_said("synced");
    assert_eq!(scene.listing("."), ["out.xb", "out.xb.sha1"]);
    assert!(fs::read(scene.path("out.xb")).expect("stored") == backup.stream());
    let check = Command::new("sha1sum").args(["-c", "out.xb.sha1"]).current_dir(scene.folder()).status();
    assert!(check.expect("sha1sum").success());
    scene.expect_nobody_left();
}

#[test]
fn before_the_commit_there_is_only_a_partial_file() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    let (pipe, mut feed) = std::io::pipe().expect("a pipe");
    let sender = scene.sender(&receiver.address(), []).input(Input::Open(pipe.into())).start();
    let stream = backup.stream();
    let (first, rest) = stream.split_at(stream.len() / 2);
    feed.write_all(first).expect("a sender that reads");
    receiver.log().wait_for("the sender has come");
    while fs::metadata(scene.path("out.xb.partial")).map_or(0, |partial| partial.len()) == 0 {
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(scene.listing("."), ["out.xb.partial", "out.xb.partial.journal"]);
    feed.write_all(rest).expect("a sender that reads");
    drop(feed);
    sender.wait().expect_success();
    receiver.wait().expect_success();
    assert_eq!(scene.listing("."), ["out.xb", "out.xb.sha1"]);
}

#[test]
fn a_file_is_sent() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("in.xb", backup.stream());
    let (sent, received) = scene.transfer(scene.receiver(["-o", "out.xb"]), |to| scene.sender(to, ["-i", "in.xb"]));
    expect_confirmed(&backup, (&sent, "in.xb"), (&received, "out.xb"));
    assert!(fs::read(scene.path("out.xb")).expect("stored") == backup.stream());
}

#[test]
fn a_redirected_file_and_a_dash_are_standard_input() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("in.xb", backup.stream());
    for (n, args) in [&[][..], &["-i", "-"]].iter().enumerate() {
        let input = fs::File::open(scene.path("in.xb")).expect("written");
        let out = format!("out{n}.xb");
        let (sent, received) =
            scene.transfer(scene.receiver(["-o", &out]), |to| scene.sender(to, []).args(*args).input(input.into()));
        expect_confirmed(&backup, (&sent, "-"), (&received, &out));
    }
}

#[test]
fn a_command_is_run_and_its_words_are_shown() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("in.xb", backup.stream());
    let (sent, received) = scene.transfer(scene.receiver(["-o", "out.xb"]), |to| {
        scene.sender(to, ["--", "sh", "-c", "echo busy copying >&2; cat in.xb"])
    });
    expect_confirmed(&backup, (&sent, "-"), (&received, "out.xb"));
    sent.expect_said("backup: busy copying");
    assert!(fs::read(scene.path("out.xb")).expect("stored") == backup.stream());
    scene.expect_nobody_left();
}

#[test]
fn with_nothing_to_read_the_installed_tool_makes_the_backup() {
    for tool in ["xtrabackup", "mariadb-backup", "mariabackup"] {
        let (scene, backup) = (Scene::new(), Backup::small());
        scene.file("in.xb", backup.stream());
        let script = "echo \"$*\" > options; cat in.xb; echo 'completed OK!' >&2";
        let tools = FakeTool::new(&scene, tool, script);
        let (sent, received) = scene.transfer(scene.receiver(["-o", "out.xb"]), |to| {
            scene.sender(to, []).args(["--tool-args", "--user=backup"]).env("PATH", tools.path())
        });
        expect_confirmed(&backup, (&sent, "-"), (&received, "out.xb"));
        sent.expect_said("backup: tool finished, waiting for the receiver");
        let options = fs::read_to_string(scene.path("options")).expect("the tool was run");
        assert!(options.starts_with("--user=backup --backup --stream=xbstream --target-dir="), "{options}");
        let target = options.trim_end().split("--target-dir=").nth(1).expect("a target directory");
        assert!(!fs::exists(target).expect("a path"), "{target} is left");
    }
}

#[test]
fn a_backup_is_unpacked_into_a_directory() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.new_folder("data");
    let (sent, received) =
        scene.transfer(scene.receiver(["--extract", "-C", "data"]), |to| scene.sender(to, []).feed(&backup));
    expect_confirmed(&backup, (&sent, "-"), (&received, "-"));
    received.expect_said("synced");
    backup.expect_in(&scene.path("data"));
    let mode = |name: &str| fs::metadata(scene.path(name)).expect("unpacked").permissions().mode() & 0o777;
    assert_eq!((mode("data/shop/orders.ibd"), mode("data/shop")), (0o640, 0o750));
}

#[test]
fn a_backup_is_unpacked_where_the_receiver_stands() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let here = scene.new_folder("here");
    let receiver = scene.receiver(["-x"]).current_dir(&here);
    let (sent, received) = scene.transfer(receiver, |to| scene.sender(to, []).feed(&backup));
    expect_confirmed(&backup, (&sent, "-"), (&received, "-"));
    backup.expect_in(&here);
}

#[test]
fn a_backup_goes_to_standard_output() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let (sent, received) = scene.transfer(scene.receiver(["--stdout"]), |to| scene.sender(to, []).feed(&backup));
    expect_confirmed(&backup, (&sent, "-"), (&received, "-"));
    sent.expect_said("handed to stdout");
    assert!(received.stdout == backup.stream());
}

#[test]
fn a_backup_goes_to_a_command() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let receiver = scene.receiver(["--", "sh", "-c", "echo eating >&2; cat > eaten"]);
    let (sent, received) = scene.transfer(receiver, |to| scene.sender(to, []).feed(&backup));
    expect_confirmed(&backup, (&sent, "-"), (&received, "-"));
    sent.expect_said("consumed");
    received.expect_said("consumer: eating");
    assert!(fs::read(scene.path("eaten")).expect("eaten") == backup.stream());
    scene.expect_nobody_left();
}

#[test]
fn a_device_is_written_in_place() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let (sent, received) = scene.transfer(scene.receiver(["-o", "/dev/null"]), |to| scene.sender(to, []).feed(&backup));
    expect_confirmed(&backup, (&sent, "-"), (&received, "/dev/null"));
    sent.expect_said("discarded");
    assert!(!fs::exists("/dev/null.partial").expect("a path") && !fs::exists("/dev/null.sha1").expect("a path"));
}

#[test]
fn a_fifo_is_written_in_place() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let fifo = scene.path("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().expect("mkfifo").success());
    let reader = thread::spawn(move || fs::read(fifo).expect("a fifo"));
    let (sent, received) = scene.transfer(scene.receiver(["-o", "fifo"]), |to| scene.sender(to, []).feed(&backup));
    expect_confirmed(&backup, (&sent, "-"), (&received, "fifo"));
    assert!(reader.join().expect("a reader") == backup.stream());
    assert_eq!(scene.listing("."), ["fifo"]);
}

#[test]
fn both_families_of_addresses_work() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let cases: [(&[&str], &[&str]); 5] = [
        (&["-l", "0"], &["127.0.0.1", "[::1]", "localhost"]),
        (&["-l", "[::1]:0"], &["[::1]"]),
        (&["-l", "127.0.0.1:0"], &["127.0.0.1"]),
        (&["-l", "0", "-4"], &["127.0.0.1"]),
        (&["-l", "0", "-6"], &["[::1]"]),
    ];
    for (listen, hosts) in cases {
        for host in hosts {
            let receiver = scene.xbrecv(["-o", "/dev/null"]).args(listen).start();
            let to = format!("{host}:{}", receiver.listening().port());
            scene.sender(&to, []).feed(&backup).start().wait().expect_success();
            receiver.wait().expect_success();
        }
    }
}

#[test]
fn the_sender_uses_the_address_it_is_told() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let receiver = scene.xbrecv(["-l", "127.0.0.1:0", "-o", "/dev/null"]);
    let (sent, received) = scene.transfer(receiver, |to| scene.sender(to, ["--bind", "127.0.0.9"]).feed(&backup));
    sent.expect_success();
    received.expect_success().expect_said("127.0.0.9");
}

#[test]
fn raw_carries_anything() {
    let scene = Scene::new();
    let anything = b"\x1f\x8b not a backup at all".repeat(1000);
    let (sent, received) = scene.transfer(scene.receiver(["-o", "out.gz"]), |to| {
        scene.sender(to, ["--raw"]).input(Input::Bytes(anything.clone()))
    });
    sent.expect_success();
    received.expect_success();
    assert_eq!(sent.checksums()[0].0, sha1_of(&anything));
    assert!(fs::read(scene.path("out.gz")).expect("stored") == anything);
}

#[test]
fn an_xbstream_that_is_no_backup_passes_when_that_is_expected() {
    let (scene, part) = (Scene::new(), Backup::without_its_end());
    let (sent, received) =
        scene.transfer(scene.receiver(["-o", "out.xb"]), |to| scene.sender(to, ["--expect", "xbstream"]).feed(&part));
    expect_confirmed(&part, (&sent, "-"), (&received, "out.xb"));
}

#[test]
fn the_checksum_is_written_for_sha1sum() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("in.xb", backup.stream());
    let (sent, _) = scene.transfer(scene.receiver(["-o", "/dev/null"]), |to| {
        scene.sender(to, ["-i", "in.xb", "--checksum-file", "in.sha1"])
    });
    sent.expect_success();
    let check = Command::new("sha1sum").args(["-c", "in.sha1"]).current_dir(scene.folder()).status();
    assert!(check.expect("sha1sum").success());
}

#[test]
fn programs_can_read_what_is_said() {
    let (scene, backup) = (Scene::new(), Backup::new(1, 3 << 20));
    let (sent, received) = scene.transfer(scene.receiver(["-o", "out.xb", "--progress", "json"]), |to| {
        scene.sender(to, ["--progress", "json", "--size", "3m", "-L", "1m"]).feed(&backup)
    });
    for ended in [&sent, &received] {
        assert_eq!(ended.code, 0);
        let events: Vec<Value> =
            ended.log.lines().map(|line| serde_json::from_str(line).expect("every line is JSON")).collect();
        let last = events.last().expect("an event");
        assert_eq!((&last["event"], &last["exit_code"]), (&Value::from("finished"), &Value::from(0)));
        assert_eq!(last["bytes"], Value::from(backup.stream().len()));
        let checksum = events.iter().find(|event| event["event"] == "checksum").expect("a checksum");
        assert_eq!(checksum["sha1"], Value::from(backup.sha1()));
        let progress = events.iter().find(|event| event["event"] == "progress").expect("progress");
        assert_eq!(progress["total"], Value::from(3 << 20), "{progress}");
    }
}

#[test]
fn progress_none_says_only_how_it_ended() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let (sent, _) =
        scene.transfer(scene.receiver(["-o", "out.xb"]), |to| scene.sender(to, ["--progress", "none"]).feed(&backup));
    sent.expect_success();
    assert_eq!(sent.log.lines().count(), 4, "checksum, what backup it is, summary, verdict");
}

#[test]
fn a_rate_limit_holds() {
    let (scene, backup) = (Scene::new(), Backup::new(4, 1 << 20));
    let bytes = backup.stream().len() as f64;
    let receiver = scene.receiver(["-o", "/dev/null"]).start();
    let sender = scene.sender(&receiver.address(), ["-L", "2m"]).feed(&backup).start();
    let began = Instant::now();
    sender.wait().expect_success();
    let least = Duration::from_secs_f64(bytes / (2 << 20) as f64 * 0.9);
    assert!(began.elapsed() >= least, "{:?} for {bytes} bytes", began.elapsed());
    receiver.wait().expect_success();
}

#[test]
fn a_sender_waits_for_its_receiver() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let address = scene.free_address().to_string();
    let sender = scene.sender(&address, ["-v", "--wait", "10m"]).feed(&backup).start();
    sender.log().wait_for("trying again");
    let receiver = scene.receiver_at(&address).args(["-o", "out.xb"]).start();
    expect_confirmed(&backup, (&sender.wait(), "-"), (&receiver.wait(), "out.xb"));
}

#[test]
fn the_smaller_window_of_both_sides_holds() {
    for (ours, theirs) in [("4m", "8m"), ("8m", "4m")] {
        let (scene, backup) = (Scene::new(), Backup::small());
        let receiver = scene.receiver(["-o", "out.xb", "--window", theirs]);
        let (sent, received) = scene.transfer(receiver, |to| scene.sender(to, ["-v", "--window", ours]).feed(&backup));
        expect_confirmed(&backup, (&sent, "-"), (&received, "out.xb"));
        sent.expect_said("the window is 4.0 MiB");
    }
}

#[test]
fn a_check_uses_nothing_up() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let receiver = scene.receiver(["-o", "out.xb"]).start();
    for _ in 0..2 {
        let checked = scene.sender(&receiver.address(), ["--check"]).start().wait();
        assert_eq!(checked.code, 0);
        checked.expect_said("out.xb").expect_silence_on("completed OK!");
    }
    let too_big = scene.sender(&receiver.address(), ["--check", "--size", "9999999t"]).start().wait();
    too_big.expect_failure(7).expect_said("free");
    let wrong =
        scene.sender(&receiver.address(), ["--check"]).env("XB_KEY", Scene::new().key().reveal()).start().wait();
    wrong.expect_failure(4);
    assert!(!scene.listing(".").contains(&"out.xb".to_owned()));
    scene.sender(&receiver.address(), []).feed(&backup).start().wait().expect_success();
    receiver.wait().expect_success();
    assert!(fs::read(scene.path("out.xb")).expect("stored") == backup.stream());
}

#[test]
fn a_stderr_that_nobody_reads_stops_nobody() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("in.xb", backup.stream());
    let address = scene.free_address().to_string();
    let (mut kept_open, unread) = std::io::pipe().expect("a pipe");
    let receiver = scene.xbrecv(["-l", &address, "-o", "out.xb"]).stderr(unread.try_clone().expect("a pipe")).start();
    // More than a pipe and every queue behind it hold.
    let chatty = "cat in.xb; head -c 3000000 /dev/zero | tr '\\0' 'x' | fold -w 100 >&2";
    let sender = scene.sender(&address, ["--", "sh", "-c", chatty]).stderr(unread).start();
    assert_eq!((sender.wait().code, receiver.wait().code), (0, 0));
    assert!(fs::read(scene.path("out.xb")).expect("stored") == backup.stream());
    kept_open.read_exact(&mut [0; 1000]).expect("something was said");
}

#[test]
fn a_silent_reader_of_stdout_is_waited_for() {
    let (scene, backup) = (Scene::new(), Backup::new(8, 16 << 20));
    let (mut reader, pipe) = std::io::pipe().expect("a pipe");
    let receiver = scene.receiver(["--stdout"]).output(Output::Open(pipe.into())).start();
    let sender = scene.sender(&receiver.address(), []).feed(&backup).start();
    // Far more than the window is under way, and nobody reads yet.
    receiver.log().wait_for("the sender has come");
    thread::sleep(Duration::from_secs(2));
    let mut all = Vec::new();
    let reading = thread::spawn(move || reader.read_to_end(&mut all).map(|_| all));
    sender.wait().expect_success();
    receiver.wait().expect_success();
    assert!(reading.join().expect("a reader").expect("readable") == backup.stream());
}
