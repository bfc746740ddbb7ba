//! Backups of several streams: from a tool's FIFOs, or from files, to a tree.

use std::fs;

use rustix::process::Signal;
use xbtests::{Backup, Ended, FakeTool, FifoTool, Pace, Program, Running, Scene, Transfer, sha1_of};

/// A scene with the streams of a backup in `stream.0` and so on, and a temporary folder of its own.
struct Stage {
    scene: Scene,
    backup: Backup,
}

impl Stage {
    fn new<const N: usize>(backup: Backup) -> Stage {
        let scene = Scene::at(Pace::of_this_run());
        scene.new_folder("tmp");
        for (index, stream) in backup.streams::<N>().iter().enumerate() {
            scene.file(&format!("stream.{index}"), stream);
        }
        Stage { scene, backup }
    }

    fn small() -> Stage {
        Stage::new::<3>(Backup::small())
    }

    /// A sender whose temporary files are in the scene.
    fn sender<const N: usize>(&self, to: &str, args: [&str; N]) -> Program {
        self.scene.sender(to, args).env("TMPDIR", self.scene.path("tmp"))
    }

    fn tool(&self, tool: &FifoTool) -> String {
        tool.install(&self.scene, "xtrabackup")
    }

    /// Sends to a tree; both succeed.
    fn send<const N: usize>(&self, args: [&str; N]) -> Ended {
        let receiver = self.scene.receiver(["-x", "-C", "data"]);
        let (sent, received) = self.scene.transfer(receiver, |to| self.sender(to, args));
        sent.expect_success();
        received.expect_success();
        self.backup.expect_in(&self.scene.path("data"));
        self.expect_no_trace();
        sent
    }

    /// Sends to a tree; both fail with this code for the same reason.
    fn fail<const N: usize>(&self, code: i32, words: &str, args: [&str; N]) {
        let receiver = self.scene.receiver(["-x", "-C", "data"]);
        let (sent, received) = self.scene.transfer(receiver, |to| self.sender(to, args));
        for ended in [&sent, &received] {
            ended.expect_failure(code).expect_said(words);
        }
        assert_eq!(self.scene.listing("data"), Vec::<String>::new());
        self.expect_no_trace();
    }

    /// No process is left, and no FIFO.
    fn expect_no_trace(&self) {
        self.scene.expect_nobody_left();
        assert_eq!(self.scene.listing("tmp"), Vec::<String>::new());
        assert_eq!(self.scene.listing("fifos"), Vec::<String>::new());
    }
}

#[test]
fn each_fifo_of_a_tool_is_a_lane_and_all_make_one_tree() {
    let stage = Stage::small();
    let tool = stage.tool(&FifoTool::new());
    let sent = stage.send(["--fifo-streams", "3", "-v", "--", &tool, "--backup"]);
    let names: Vec<String> = sent.checksums().into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["thread_0", "thread_1", "thread_2"]);
    sent.expect_said("thread_1: dropped the sync byte 0x55");
}

#[test]
fn a_command_line_that_says_it_already_is_believed() {
    let stage = Stage::small();
    let tool = stage.tool(&FifoTool::new());
    stage.send(["--", &tool, "--backup", "--fifo-streams=3", "--fifo-dir=fifos"]);
}

#[test]
fn the_tool_that_is_installed_is_told() {
    let stage = Stage::small();
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
    let stage = Stage::small();
    let tool = stage.tool(&FifoTool::new());
    stage.send(["--fifo-streams", "5", "--", &tool, "--backup"]);
    let stage = Stage::small();
    let tool = stage.tool(&FifoTool::new().without_sync_byte());
    stage.send(["--fifo-streams", "4", "--fifo-dir", "fifos", "--", &tool, "--backup"]);
}

#[test]
fn another_tool_makes_its_fifos_where_it_is_said() {
    let stage = Stage::small();
    let tool = FifoTool::new().install(&stage.scene, "wrapper");
    let options = ["--fifo-streams", "3", "--fifo-dir", "fifos", "--"];
    let [a, b, c, d, e] = options;
    stage.send([a, b, c, d, e, &tool, "--fifo-streams=3", "--fifo-dir=fifos"]);
}

#[test]
fn words_on_stdout_are_shown_and_a_backup_there_is_an_error() {
    let stage = Stage::small();
    let tool = stage.tool(&FifoTool::new().finally("echo hello from a wrapper; echo completed OK! >&2"));
    stage.send(["--fifo-streams", "3", "--", &tool, "--backup"]).expect_said("backup: hello from a wrapper");
    let stage = Stage::small();
    let tool = FakeTool::new(&stage.scene, "xtrabackup", "cat stream.0; sleep 1000").tool("xtrabackup");
    stage.fail(6, "to standard output, not to 3 FIFOs", ["--fifo-streams", "3", "--", &tool, "--backup"]);
}

#[test]
fn more_fifos_than_expected() {
    let stage = Stage::small();
    let tool = stage.tool(&FifoTool::new().making(3));
    stage.fail(6, "has made more FIFOs than 2", ["--fifo-streams", "2", "--", &tool, "--backup"]);
}

#[test]
fn fewer_fifos_than_expected() {
    let stage = Stage::small();
    let tool = stage.tool(&FifoTool::new().making(2).doing("exec sleep 1000"));
    let options = ["--fifo-streams", "3", "--fifo-timeout", "1s", "--fifo-dir", "fifos", "--", &tool, "--backup"];
    stage.fail(6, "fifos/thread_2 has not appeared within 1.0 s", options);
}

#[test]
fn no_fifos_at_all() {
    let stage = Stage::small();
    let tool = FakeTool::new(&stage.scene, "xtrabackup", "echo completed OK! >&2").tool("xtrabackup");
    let options = ["--fifo-streams", "2", "--fifo-dir", "fifos", "--", &tool, "--backup"];
    stage.fail(6, "has not written to fifos/thread_0", options);
}

#[test]
fn a_tool_that_dies_early() {
    for script in ["exit 3", "head -c 1000 stream.0 >&3; exit 3"] {
        let stage = Stage::small();
        let tool = stage.tool(&FifoTool::new().doing(script));
        stage.fail(6, "exited with status 3", ["--fifo-streams", "3", "--", &tool, "--backup"]);
    }
    let stage = Stage::small();
    let tool = stage.tool(&FifoTool::new().finally("echo almost >&2"));
    stage.fail(6, "did not report success", ["--fifo-streams", "3", "--", &tool, "--backup"]);
}

#[test]
fn a_stream_that_is_cut_or_a_file_on_two_lanes() {
    let stage = Stage::small();
    let tool = stage.tool(&FifoTool::new().doing("cat stream.0 >&3; head -c 1000 stream.1 >&4; cat stream.2 >&5"));
    stage.fail(5, "backup incomplete", ["--fifo-streams", "3", "--", &tool, "--backup"]);
}

#[test]
fn what_stands_there_already_is_nobodys_stream() {
    let stage = Stage::small();
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

    let stage = Stage::small();
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
    let stage = Stage::small();
    let tool = stage.tool(&FifoTool::new());
    let cases: [(&[&str], &str); 6] = [
        (&["--fifo-streams", "2", "--", &tool, "--fifo-streams=3"], "contradicts the --fifo-streams=3 of the command"),
        (&["--fifo-streams", "2", "--", "sh", "-c", "true"], "needs --fifo-dir"),
        (&["--fifo-streams", "2", "-i", "stream.0"], "name FIFOs that are there with -i"),
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

/// A tool that has written half of its streams and waits.
fn waiting(stage: &Stage) -> String {
    stage.tool(&FifoTool::new().doing("head -c 1000 stream.0 >&3; exec sleep 1000"))
}

#[test]
fn ctrl_c_leaves_no_fifo_and_no_process() {
    let options = |tool: &str| {
        ["--fifo-streams", "2", "--fifo-dir", "fifos", "--"]
            .map(str::to_owned)
            .into_iter()
            .chain([tool.to_owned(), "--backup".to_owned()])
            .collect::<Vec<_>>()
    };
    let interrupted = |stage: &Stage, tool: &str, wait: &dyn Fn(&Running)| {
        let receiver = stage.scene.receiver(["-x", "-C", "data"]).start();
        let [a, b, c, d, e, f, g] = <[String; 7]>::try_from(options(tool)).expect("seven words");
        let sender = stage.sender(&receiver.address(), [&a, &b, &c, &d, &e, &f, &g]).start();
        wait(&sender);
        sender.signal(Signal::INT);
        sender.wait().expect_failure(130);
        receiver.wait().expect_failure(130);
        stage.expect_no_trace();
    };
    // While the FIFOs are not open yet.
    let stage = Stage::small();
    let script = "mkdir fifos; mkfifo fifos/thread_0; echo half >&2; sleep 1000";
    let tool = FakeTool::new(&stage.scene, "xtrabackup", script).tool("xtrabackup");
    interrupted(&stage, &tool, &|sender| drop(sender.log().wait_for_line("half")));
    // While they are read.
    let stage = Stage::small();
    let tool = stage.tool(&FifoTool::new().doing("head -c 1000 stream.0 >&3; echo reading >&2; exec sleep 1000"));
    interrupted(&stage, &tool, &|sender| drop(sender.log().wait_for_line("reading")));
}

#[test]
fn a_receiver_that_takes_one_stream_says_what_to_do() {
    for destination in [["--stdout"].as_slice(), &["--", "cat"]] {
        let stage = Stage::small();
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

#[test]
fn several_files_are_one_backup_in_this_order() {
    let stage = Stage::small();
    let sent = stage.send(["-i", "stream.2", "-i", "stream.0", "-i", "stream.1", "--checksum-file", "sums"]);
    let names: Vec<String> = sent.checksums().into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["stream.2", "stream.0", "stream.1"]);
    let lines = fs::read_to_string(stage.scene.path("sums")).expect("a file of sums");
    let checked = stage.scene.program("sha1sum", "sha1sum").args(["-c", "sums"]).start().wait();
    assert_eq!((lines.lines().count(), checked.code), (3, 0));
}

#[test]
fn several_files_have_one_size_and_one_spool() {
    let stage = Stage::new::<3>(Backup::new(8, 1 << 20));
    stage.scene.new_folder("spool");
    let total: usize = stage.backup.streams::<3>().iter().map(Vec::len).sum();
    let files = ["-i", "stream.0", "-i", "stream.1", "-i", "stream.2", "--spool", "spool,16m", "--progress", "json"];
    let files = files.into_iter().chain(["-L", "4m"]).collect::<Vec<_>>();
    let sent = stage_send_json(&stage, &files);
    assert!(sent.contains(&format!("\"total\":{total}")), "no total of {total} in {sent}");
    for lane in 0..3 {
        assert!(sent.contains(&format!("\"lane\":{lane}")), "no lane {lane} in {sent}");
    }
    assert_eq!(stage.scene.listing("spool"), Vec::<String>::new());
}

fn stage_send_json(stage: &Stage, args: &[&str]) -> String {
    let receiver = stage.scene.receiver(["-x", "-C", "data"]);
    let (sent, received) = stage.scene.transfer(receiver, |to| stage.sender(to, []).args(args));
    assert_eq!((sent.code, received.code), (0, 0));
    stage.backup.expect_in(&stage.scene.path("data"));
    sent.log
}

#[test]
fn fifos_of_somebody_else_are_read_without_their_sync_bytes() {
    let stage = Stage::small();
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
    let stage = Stage::new::<2>(Backup::without_its_end());
    stage.fail(5, "backup incomplete", ["-i", "stream.0", "-i", "stream.1"]);
}

#[test]
fn a_lost_link_is_no_lost_lane() {
    let stage = Stage::new::<3>(Backup::new(8, 1 << 20));
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

/// Sends three streams to this destination of a receiver; both succeed.
fn deliver(stage: &Stage, destination: &[&str]) -> (Ended, Ended) {
    let tool = stage.tool(&FifoTool::new());
    let receiver = stage.scene.receiver([]).args(destination);
    let options = ["--fifo-streams", "3", "--", &tool, "--backup"];
    let (sent, received) = stage.scene.transfer(receiver, |to| stage.sender(to, options));
    sent.expect_success();
    received.expect_success();
    (sent, received)
}

/// The streams are stored in `out.xb.0` and so on, each with its checksum, and nothing else of them.
fn expect_stored(stage: &Stage) {
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
    let stage = Stage::small();
    let (_, received) = deliver(&stage, &["-o", "out.xb"]);
    let names: Vec<String> = received.checksums().into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["out.xb.0", "out.xb.1", "out.xb.2"]);
    expect_stored(&stage);
    stage.send(["-i", "out.xb.0", "-i", "out.xb.1", "-i", "out.xb.2"]);
}

#[test]
fn a_file_in_the_way_of_one_stream_is_found_before_the_backup_runs() {
    let stage = Stage::small();
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
    let stage = Stage::small();
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
    let stage = Stage::new::<3>(Backup::new(8, 1 << 20));
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
fn reader(stage: &Stage, lane: u8) -> Running {
    let script =
        format!("while [ ! -p to/thread_{lane} ]; do sleep 0.02; done; exec cat to/thread_{lane} > read.{lane}");
    stage.scene.program("reader", "sh").args(["-c", &script]).start()
}

#[test]
fn each_stream_is_handed_to_a_fifo_for_another_program() {
    let stage = Stage::small();
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
        let stage = Stage::new::<3>(Backup::new(8, 1 << 20));
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
    let stage = Stage::small();
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
