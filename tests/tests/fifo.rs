//! Backups of several streams: from a tool's FIFOs, or from files, to a tree.

use std::fs;

use rustix::process::Signal;
use xbtests::{Backup, FakeTool, FifoTool, Streams, Transfer};

#[test]
fn each_fifo_of_a_tool_is_a_lane_and_all_make_one_tree() {
    let stage = Streams::small();
    let tool = stage.tool(&FifoTool::new());
    let sent = stage.send(["--fifo-streams", "3", "-v", "--", &tool, "--backup"]);
    let names: Vec<String> = sent.checksums().into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["thread_0", "thread_1", "thread_2"]);
    sent.expect_said("thread_1: dropped the sync byte 0x55");
}

#[test]
fn a_command_line_that_says_it_already_is_believed() {
    let stage = Streams::small();
    let tool = stage.tool(&FifoTool::new());
    stage.send(["--", &tool, "--backup", "--fifo-streams=3", "--fifo-dir=fifos"]);
}

#[test]
fn the_tool_that_is_installed_is_told() {
    let stage = Streams::small();
    let tool = FifoTool::new();
    tool.install(&stage.scene, "xtrabackup");
    let receiver = stage.scene.receiver(["-x", "-C", "data"]);
    let path = stage.scene.path("bin");
    let (sent, received) = stage.scene.transfer(receiver, |to| {
        stage.sender(to, ["--fifo-streams", "3"]).args(["--tool-args", "--parallel=4"]).env("PATH", &path)
    });
    sent.expect_success();
    received.expect_success();
    stage.backup.expect_in(&stage.scene.path("data"));
    stage.expect_no_trace();
}

#[test]
fn a_fifo_may_carry_nothing_and_a_tool_may_write_no_sync_byte() {
    let stage = Streams::small();
    let tool = stage.tool(&FifoTool::new());
    stage.send(["--fifo-streams", "5", "--", &tool, "--backup"]);
    let stage = Streams::small();
    let tool = stage.tool(&FifoTool::new().without_sync_byte());
    stage.send(["--fifo-streams", "4", "--fifo-dir", "fifos", "--", &tool, "--backup"]);
}

#[test]
fn another_tool_makes_its_fifos_where_it_is_said() {
    let stage = Streams::small();
    let tool = FifoTool::new().install(&stage.scene, "wrapper");
    let options = ["--fifo-streams", "3", "--fifo-dir", "fifos", "--"];
    let [a, b, c, d, e] = options;
    stage.send([a, b, c, d, e, &tool, "--fifo-streams=3", "--fifo-dir=fifos"]);
}

#[test]
fn words_on_stdout_are_shown_and_a_backup_there_is_an_error() {
    let stage = Streams::small();
    let tool = stage.tool(&FifoTool::new().finally("echo hello from a wrapper; echo completed OK! >&2"));
    stage.send(["--fifo-streams", "3", "--", &tool, "--backup"]).expect_said("backup: hello from a wrapper");
    let stage = Streams::small();
    let tool = FakeTool::new(&stage.scene, "xtrabackup", "cat stream.0; sleep 1000").tool("xtrabackup");
    stage.fail(6, "to standard output, not to 3 FIFOs", ["--fifo-streams", "3", "--", &tool, "--backup"]);
}

#[test]
fn more_fifos_than_expected() {
    let stage = Streams::small();
    let tool = stage.tool(&FifoTool::new().making(3));
    stage.fail(6, "has made more FIFOs than 2", ["--fifo-streams", "2", "--", &tool, "--backup"]);
}

#[test]
fn fewer_fifos_than_expected() {
    let stage = Streams::small();
    let tool = stage.tool(&FifoTool::new().making(2).doing("exec sleep 1000"));
    let options = ["--fifo-streams", "3", "--fifo-timeout", "1s", "--fifo-dir", "fifos", "--", &tool, "--backup"];
    stage.fail(6, "fifos/thread_2 has not appeared within 1.0 s", options);
}

#[test]
fn no_fifos_at_all() {
    let stage = Streams::small();
    let tool = FakeTool::new(&stage.scene, "xtrabackup", "echo completed OK! >&2").tool("xtrabackup");
    let options = ["--fifo-streams", "2", "--fifo-dir", "fifos", "--", &tool, "--backup"];
    stage.fail(6, "has not written to fifos/thread_0", options);
}

#[test]
fn a_tool_that_dies_early() {
    for script in ["exit 3", "head -c 1000 stream.0 >&3; exit 3"] {
        let stage = Streams::small();
        let tool = stage.tool(&FifoTool::new().doing(script));
        stage.fail(6, "exited with status 3", ["--fifo-streams", "3", "--", &tool, "--backup"]);
    }
    let stage = Streams::small();
    let tool = stage.tool(&FifoTool::new().finally("echo almost >&2"));
    stage.fail(6, "did not report success", ["--fifo-streams", "3", "--", &tool, "--backup"]);
}

#[test]
fn a_stream_that_is_cut_or_a_file_on_two_lanes() {
    let stage = Streams::small();
    let tool = stage.tool(&FifoTool::new().doing("cat stream.0 >&3; head -c 1000 stream.1 >&4; cat stream.2 >&5"));
    stage.fail(5, "backup incomplete", ["--fifo-streams", "3", "--", &tool, "--backup"]);
}

#[test]
fn what_stands_there_already_is_nobodys_stream() {
    let stage = Streams::small();
    stage.scene.new_folder("fifos");
    let receiver = stage.scene.receiver(["-x", "-C", "data"]).start();
    let tool = stage.tool(&FifoTool::new());
    let options = ["--fifo-streams", "2", "--fifo-dir", "fifos", "--", &tool, "--backup"];
    for name in ["fifos/thread_0", "fifos/thread_2"] {
        let path = stage.scene.file(name, "somebody's");
        let sent = stage.sender(&receiver.address(), options).start().wait();
        sent.expect_failure(6).expect_said("exists already");
        assert_eq!(fs::read_to_string(&path).expect("still there"), "somebody's");
        fs::remove_file(path).expect("ours to remove");
    }
    // The receiver was not bothered.
    let sent = stage.sender(&receiver.address(), ["--fifo-streams", "3", "--", &tool, "--backup"]).start().wait();
    sent.expect_success();
    receiver.wait().expect_success();

    let stage = Streams::small();
    let script = "mkdir fifos; echo > fifos/thread_0; sleep 1000";
    let tool = FakeTool::new(&stage.scene, "wrapper", script).tool("wrapper");
    let receiver = stage.scene.receiver(["-x", "-C", "data"]);
    let options = ["--fifo-streams", "2", "--fifo-dir", "fifos", "--", &tool];
    let (sent, received) = stage.scene.transfer(receiver, |to| stage.sender(to, options));
    sent.expect_failure(6).expect_said("fifos/thread_0 is no FIFO");
    received.expect_failure(6);
    stage.scene.expect_nobody_left();
}

#[test]
fn what_the_command_lines_cannot_mean_is_wrong_usage() {
    let stage = Streams::small();
    let tool = stage.tool(&FifoTool::new());
    let cases: [(&[&str], &str); 6] = [
        (&["--fifo-streams", "2", "--", &tool, "--fifo-streams=3"], "contradicts the --fifo-streams=3 of the command"),
        (&["--fifo-streams", "2", "--", "sh", "-c", "true"], "needs --fifo-dir"),
        (&["--fifo-streams", "2", "-i", "stream.0"], "'--fifo-streams <N>' cannot be used with '--input <FILE>'"),
        (&["--fifo-streams", "40", "--", &tool], "40 streams need a --window of 80.0 MiB at least"),
        (&["-i", "-", "-i", "-"], "given twice"),
        (&["--dir", ".", "-i", "stream.0"], "two sources"),
    ];
    for (args, words) in cases {
        let before = args.iter().take_while(|arg| **arg != "--");
        let after = args.iter().skip_while(|arg| **arg != "--");
        let sender = stage.scene.xbsend([]).args(before).arg("127.0.0.1:1").args(after);
        sender.start().wait().expect_failure(2).expect_said(words);
    }
}

/// Interrupts a sender that runs this tool, when the tool has said so much.
fn interrupt(stage: &Streams, tool: &str, said: &str) {
    let receiver = stage.scene.receiver(["-x", "-C", "data"]).start();
    let options = ["--fifo-streams", "2", "--fifo-dir", "fifos", "--", tool, "--backup"];
    let sender = stage.sender(&receiver.address(), options).start();
    sender.log().wait_for_line(said);
    sender.signal(Signal::INT);
    sender.wait().expect_failure(130);
    receiver.wait().expect_failure(130);
    stage.expect_no_trace();
}

#[test]
fn ctrl_c_leaves_no_fifo_and_no_process() {
    // While the FIFOs are not all there.
    let stage = Streams::small();
    let script = "mkdir fifos; mkfifo fifos/thread_0; echo halfway >&2; sleep 1000";
    let tool = FakeTool::new(&stage.scene, "xtrabackup", script).tool("xtrabackup");
    interrupt(&stage, &tool, "halfway");
    // While they are read.
    let stage = Streams::small();
    let script = "head -c 1000 stream.0 >&3; echo halfway >&2; exec sleep 1000";
    let tool = stage.tool(&FifoTool::new().doing(script));
    interrupt(&stage, &tool, "halfway");
}

#[test]
fn several_files_are_one_backup_in_this_order() {
    let stage = Streams::small();
    let sent = stage.send(["-i", "stream.2", "-i", "stream.0", "-i", "stream.1", "--checksum-file", "sums"]);
    let names: Vec<String> = sent.checksums().into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["stream.2", "stream.0", "stream.1"]);
    let lines = fs::read_to_string(stage.scene.path("sums")).expect("a file of sums");
    let checked = stage.scene.program("sha1sum", "sha1sum").args(["-c", "sums"]).start().wait();
    assert_eq!((lines.lines().count(), checked.code), (3, 0));
}

#[test]
fn several_files_have_one_size_and_one_spool() {
    let stage = Streams::new::<3>(Backup::new(8, 1 << 20));
    stage.scene.new_folder("spool");
    let total: usize = stage.backup.streams::<3>().iter().map(Vec::len).sum();
    let receiver = stage.scene.receiver(["-x", "-C", "data"]);
    let (sent, received) = stage.scene.transfer(receiver, |to| {
        let files = ["-i", "stream.0", "-i", "stream.1", "-i", "stream.2"];
        // So slow that progress is shown.
        stage.sender(to, files).args(["--spool", "spool,16m", "--progress", "json", "-L", "4m"])
    });
    assert_eq!((sent.code, received.code), (0, 0));
    stage.backup.expect_in(&stage.scene.path("data"));
    sent.expect_said(&format!("\"total\":{total}"));
    for lane in 0..3 {
        sent.expect_said(&format!("\"lane\":{lane}"));
    }
    assert_eq!(stage.scene.listing("spool"), Vec::<String>::new());
}

#[test]
fn fifos_of_somebody_else_are_read_without_their_sync_bytes() {
    let stage = Streams::small();
    let tool = stage.tool(&FifoTool::new());
    let tool = stage.scene.program("tool", &tool).args(["--fifo-streams=3", "--fifo-dir=theirs"]).start();
    while stage.scene.listing("theirs").len() < 3 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    stage.send(["-i", "theirs/thread_0", "-i", "theirs/thread_1", "-i", "theirs/thread_2"]);
    assert_eq!(tool.wait().code, 0);
}

#[test]
fn a_backup_is_judged_over_all_lanes() {
    let stage = Streams::new::<2>(Backup::without_its_end());
    stage.fail(5, "backup incomplete", ["-i", "stream.0", "-i", "stream.1"]);
}

#[test]
fn a_lost_link_is_no_lost_lane() {
    let stage = Streams::new::<3>(Backup::new(8, 1 << 20));
    let script = "head -c 500000 stream.0 >&3; head -c 600000 stream.1 >&4; head -c 700000 stream.2 >&5
        while [ ! -e go ]; do sleep 0.05; done
        tail -c +500001 stream.0 >&3 & tail -c +600001 stream.1 >&4 & tail -c +700001 stream.2 >&5 & wait";
    let tool = stage.tool(&FifoTool::new().doing(script));
    let receiver = stage.scene.receiver(["-x", "-C", "data"]);
    let mut transfer = Transfer::start(&stage.scene, receiver, |to| {
        stage.sender(to, ["--fifo-streams", "3", "--", &tool, "--backup"])
    });
    transfer.wait_until_under_way();
    transfer.relay.down();
    transfer.sender.log().wait_for("interrupted");
    transfer.expect_under_way();
    stage.scene.file("go", "");
    transfer.relay.up();
    let verdict = transfer.end();
    verdict.sent.expect_success().expect_said("resumed at byte ");
    verdict.received.expect_success();
    stage.backup.expect_in(&stage.scene.path("data"));
    stage.expect_no_trace();
}
