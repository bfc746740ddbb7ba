//! Backups of several streams to destinations that keep them apart, and to those that cannot.

use std::fs;

use xbtests::{Backup, Ended, FifoTool, Running, Streams, Transfer, sha1_of};

/// A tool that has written half of its streams and waits.
fn waiting(stage: &Streams) -> String {
    stage.tool(&FifoTool::new().doing("head -c 1000 stream.0 >&3; exec sleep 1000"))
}

#[test]
fn a_receiver_that_takes_one_stream_says_what_to_do() {
    for destination in [["--stdout"].as_slice(), &["--", "cat"]] {
        let stage = Streams::small();
        let tool = waiting(&stage);
        let receiver = stage.scene.receiver([]).args(destination);
        let options = ["--fifo-streams", "2", "--", &tool, "--backup"];
        let (sent, received) = stage.scene.transfer(receiver, |to| stage.sender(to, options));
        for ended in [&sent, &received] {
            ended.expect_failure(7).expect_said("takes a single stream, not 2").expect_said("--extract");
        }
        assert!(received.stdout.is_empty());
        sent.expect_silence_on("backup:");
        stage.expect_no_trace();
    }
}

/// Sends three streams to this destination of a receiver; both succeed.
fn deliver(stage: &Streams, destination: &[&str]) -> (Ended, Ended) {
    let tool = stage.tool(&FifoTool::new());
    let receiver = stage.scene.receiver([]).args(destination);
    let options = ["--fifo-streams", "3", "--", &tool, "--backup"];
    let (sent, received) = stage.scene.transfer(receiver, |to| stage.sender(to, options));
    sent.expect_success();
    received.expect_success();
    (sent, received)
}

/// The streams are stored in `out.xb.0` and so on, each with its checksum, and nothing else of them.
fn expect_stored(stage: &Streams) {
    let streams = stage.backup.streams::<3>();
    let mut expected = Vec::new();
    for (index, stream) in streams.iter().enumerate() {
        let name = format!("out.xb.{index}");
        assert!(fs::read(stage.scene.path(&name)).expect("a file") == *stream, "{name} is not as it was sent");
        let sum = fs::read_to_string(stage.scene.path(&format!("{name}.sha1"))).expect("a checksum");
        assert_eq!(sum, format!("{}  {name}\n", sha1_of(stream)));
        expected.extend([name.clone(), format!("{name}.sha1")]);
    }
    let mut names = stage.scene.listing(".");
    names.retain(|name| name.starts_with("out"));
    assert_eq!(names, expected);
}

#[test]
fn each_stream_is_stored_in_a_file_of_its_own_and_they_make_the_backup_again() {
    let stage = Streams::small();
    let (_, received) = deliver(&stage, &["-o", "out.xb"]);
    let names: Vec<String> = received.checksums().into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["out.xb.0", "out.xb.1", "out.xb.2"]);
    expect_stored(&stage);
    stage.send(["-i", "out.xb.0", "-i", "out.xb.1", "-i", "out.xb.2"]);
}

#[test]
fn a_command_is_told_the_file_of_each_stream() {
    let stage = Streams::small();
    let then = "sha1sum $XB_FILE_0 $XB_FILE_1 $XB_FILE_2 | cut -c-40 > sums; echo $XB_SHA1_0 $XB_SHA1_1 $XB_SHA1_2 >> sums; \
                ! env | grep ^XB_FILE=";
    deliver(&stage, &["-o", "out.xb", "--then", then]);
    let sums = stage.backup.streams::<3>().map(|stream| sha1_of(&stream).to_string());
    let expected = format!("{}\n{}\n", sums.join("\n"), sums.join(" "));
    assert_eq!(fs::read_to_string(stage.scene.path("sums")).expect("written"), expected);
}

#[test]
fn a_file_in_the_way_of_one_stream_is_found_before_the_backup_runs() {
    let stage = Streams::small();
    stage.scene.file("out.xb.1.sha1", "theirs");
    let tool = stage.tool(&FifoTool::new());
    let options = ["--fifo-streams", "3", "--", &tool, "--backup"];
    let receiver = stage.scene.receiver(["-o", "out.xb"]);
    let (sent, received) = stage.scene.transfer(receiver, |to| stage.sender(to, options));
    for ended in [&sent, &received] {
        ended.expect_failure(7).expect_said("out.xb.1.sha1 exists already");
    }
    sent.expect_silence_on("sending to");
    stage.expect_no_trace();
    let mut names = stage.scene.listing(".");
    names.retain(|name| name.starts_with("out"));
    assert_eq!(names, ["out.xb.1.sha1"]);
}

#[test]
fn a_check_finds_what_a_transfer_would() {
    let stage = Streams::small();
    let receiver = stage.scene.receiver(["-o", "out.xb"]).start();
    let to = receiver.address();
    let tool = stage.tool(&FifoTool::new());
    let check = ["--check", "--fifo-streams", "3", "--", &tool, "--backup"];
    let blocking = stage.scene.file("out.xb.2", "theirs");
    stage.sender(&to, check).start().wait().expect_failure(7).expect_said("out.xb.2 exists already");
    fs::remove_file(blocking).expect("ours to remove");
    assert_eq!(stage.sender(&to, check).start().wait().code, 0);
    let options = ["--fifo-streams", "3", "--", &tool, "--backup"];
    stage.sender(&to, options).start().wait().expect_success();
    receiver.wait().expect_success();
    expect_stored(&stage);
}

#[test]
fn stored_streams_survive_a_receiver_that_is_killed() {
    let stage = Streams::new::<3>(Backup::new(8, 1 << 20));
    let script = "head -c 1500000 stream.0 >&3; head -c 600000 stream.1 >&4; head -c 700000 stream.2 >&5
        while [ ! -e go ]; do sleep 0.05; done
        tail -c +1500001 stream.0 >&3 & tail -c +600001 stream.1 >&4 & tail -c +700001 stream.2 >&5 & wait";
    let tool = stage.tool(&FifoTool::new().doing(script));
    let receiver = || stage.scene.receiver(["-o", "out.xb"]);
    let options = ["--fifo-streams", "3", "--", &tool, "--backup"];
    let mut transfer = Transfer::start(&stage.scene, receiver(), |to| stage.sender(to, options));
    for (lane, bytes) in [(0, 1_000_000), (1, 500_000), (2, 500_000)] {
        stage.scene.wait_for_size(&format!("out.xb.{lane}.partial"), bytes);
    }
    transfer.kill_receiver();
    transfer.start_receiver(receiver());
    transfer.sender.log().wait_for("resumed at byte ");
    stage.scene.file("go", "");
    let verdict = transfer.end();
    verdict.sent.expect_success();
    verdict.received.expect_success();
    expect_stored(&stage);
    stage.expect_no_trace();
}

/// Reads `to/thread_N` into `read.N` as xbstream would, sync byte and all.
fn reader(stage: &Streams, lane: u8) -> Running {
    let script =
        format!("while [ ! -p to/thread_{lane} ]; do sleep 0.02; done; exec cat to/thread_{lane} > read.{lane}");
    stage.scene.program("reader", "sh").args(["-c", &script]).start()
}

#[test]
fn each_stream_is_handed_to_a_fifo_for_another_program() {
    let stage = Streams::small();
    let readers = [0, 1, 2].map(|lane| reader(&stage, lane));
    let (sent, received) = deliver(&stage, &["--fifo-dir", "to", "--fifo-sync-byte", "0x55"]);
    readers.into_iter().for_each(|reader| assert_eq!(reader.wait().code, 0));
    for (lane, stream) in stage.backup.streams::<3>().iter().enumerate() {
        let read = fs::read(stage.scene.path(&format!("read.{lane}"))).expect("what was read");
        assert!(read == [b"\x55".as_slice(), stream].concat(), "stream {lane} is not as it was sent");
    }
    for ended in [&sent, &received] {
        ended.expect_said("handed to stdout");
    }
    assert_eq!(stage.scene.listing("to"), Vec::<String>::new());
    stage.expect_no_trace();
}

#[test]
fn a_reader_that_leaves_or_never_comes_fails_the_transfer() {
    for (script, words) in [
        ("while [ ! -p to/thread_1 ]; do sleep 0.02; done; head -c 10 to/thread_1 >/dev/null", "reader went away"),
        ("true", "to/thread_1 has had no reader within"),
    ] {
        let stage = Streams::new::<3>(Backup::new(8, 1 << 20));
        let tool = stage.tool(&FifoTool::new());
        let readers = [reader(&stage, 0), reader(&stage, 2)];
        let odd = stage.scene.program("odd reader", "sh").args(["-c", script]).start();
        let receiver = stage.scene.receiver(["--fifo-dir", "to", "--fifo-timeout", "3s"]);
        let options = ["--fifo-streams", "3", "--", &tool, "--backup"];
        let (sent, received) = stage.scene.transfer(receiver, |to| stage.sender(to, options));
        for ended in [&sent, &received] {
            ended.expect_failure(7).expect_said(words);
        }
        assert_eq!(stage.scene.listing("to"), Vec::<String>::new());
        drop((readers, odd));
        stage.expect_no_trace();
    }
}

#[test]
fn fifos_in_the_way_are_refused_and_kept() {
    let stage = Streams::small();
    stage.scene.new_folder("to");
    let receiver = || stage.scene.receiver(["--fifo-dir", "to"]);
    stage.scene.file("to/thread_0", "theirs");
    receiver().start().wait().expect_failure(7).expect_said("to/thread_0 exists already");
    fs::rename(stage.scene.path("to/thread_0"), stage.scene.path("to/thread_2")).expect("a rename");
    let tool = stage.tool(&FifoTool::new());
    let options = ["--fifo-streams", "3", "--", &tool, "--backup"];
    let (sent, received) = stage.scene.transfer(receiver(), |to| stage.sender(to, options));
    for ended in [&sent, &received] {
        ended.expect_failure(7).expect_said("to/thread_2 exists already");
    }
    assert_eq!(stage.scene.listing("to"), ["thread_2"]);
    stage.expect_no_trace();
}

#[test]
fn dev_null_takes_any_number_of_streams() {
    let stage = Streams::small();
    let (sent, _) = deliver(&stage, &["-o", "/dev/null"]);
    sent.expect_said("discarded");
}

#[test]
fn a_window_too_small_for_the_streams_is_a_refusal() {
    let stage = Streams::small();
    let receiver = stage.scene.receiver(["-x", "-C", "data", "--window", "4m"]).start();
    let files = ["-i", "stream.0", "-i", "stream.1", "-i", "stream.2"];
    let sent = stage.sender(&receiver.address(), files).start().wait();
    sent.expect_failure(4).expect_said("a window of 4.0 MiB is too small for 3 streams");
    // It waits on for one that fits.
    assert_eq!(receiver.log().text().matches("too small").count(), 1);
}
