//! Consumers that behave, and those that do not.

use std::fs;
use std::sync::Mutex;
use std::thread;

use tempfile::TempDir;

use super::*;
use crate::journal::sample::hello;

fn sink(script: &str) -> (CommandSink, Arc<Mutex<Vec<String>>>) {
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&lines);
    let argv = ["sh", "-c", script].map(OsString::from).to_vec();
    let mut sink = CommandSink::new(argv, Arc::new(move |line| heard.lock().unwrap().push(line))).unwrap();
    sink.start(&hello(1, 1)).unwrap();
    (sink, lines)
}

/// A script in `room` that stores its input and leaves `done` when it has seen all of it.
fn storing(room: &TempDir) -> CommandSink {
    sink(&format!("cd '{}' && touch ready && cat >out && touch done", room.path().display())).0
}

fn await_file(room: &TempDir, name: &str) {
    while !room.path().join(name).exists() {
        thread::yield_now();
    }
}

/// Writes until it fails: how much a pipe holds is not our business.
fn write_until_error(lane: &mut dyn LaneSink) -> SinkError {
    let block = Bytes::from(vec![0; 1 << 16]);
    loop {
        if let Err(error) = lane.write(&block) {
            return error;
        }
    }
}

#[test]
fn it_sees_the_end_only_in_commit() {
    let room = tempfile::tempdir().unwrap();
    let mut sink = storing(&room);
    let mut lane = sink.lane(LaneId(0), &LaneDigest::default()).unwrap();
    lane.write(&Bytes::from_static(b"hello")).unwrap();
    lane.finish().unwrap();
    drop(lane);
    await_file(&room, "out");
    assert!(!room.path().join("done").exists());

    assert_eq!(sink.commit(&[]).unwrap(), Reached::Consumed);
    assert!(room.path().join("done").exists());
    assert_eq!(fs::read(room.path().join("out")).unwrap(), b"hello");
}

#[test]
fn abandon_kills_it_before_it_sees_the_end() {
    let room = tempfile::tempdir().unwrap();
    let mut sink = storing(&room);
    let mut lane = sink.lane(LaneId(0), &LaneDigest::default()).unwrap();
    lane.write(&Bytes::from_static(b"hal")).unwrap();
    drop(lane);
    await_file(&room, "ready");
    sink.abandon();
    sink.abandon();
    assert!(!room.path().join("done").exists());
}

#[test]
fn a_dropped_sink_kills_it_too() {
    let room = tempfile::tempdir().unwrap();
    let sink = storing(&room);
    await_file(&room, "ready");
    drop(sink);
    assert!(!room.path().join("done").exists());
}

#[test]
fn a_late_failure_has_status_and_last_words() {
    let (mut sink, lines) = sink("cat >/dev/null; echo 'no space' >&2; echo sorry >&2; exit 3");
    sink.lane(LaneId(0), &LaneDigest::default()).unwrap().write(&Bytes::from_static(b"hello")).unwrap();
    let error = sink.commit(&[]).unwrap_err();
    assert_eq!(error.to_string(), "consumer sh exited with status 3; it said: no space | sorry");
    assert_eq!(error.cause(), xbproto::failure::Cause::Sink);
    assert_eq!(*lines.lock().unwrap(), ["no space", "sorry"]);
}

#[test]
fn an_early_failure_is_told_by_the_write() {
    let (mut sink, _) = sink("echo 'bad key' >&2; exit 2");
    let error = write_until_error(&mut *sink.lane(LaneId(0), &LaneDigest::default()).unwrap());
    assert_eq!(error.to_string(), "consumer sh exited with status 2; it said: bad key");
    sink.abandon();
}

#[test]
fn an_early_success_is_a_failure() {
    let (mut sink, _) = sink("exit 0");
    let error = write_until_error(&mut *sink.lane(LaneId(0), &LaneDigest::default()).unwrap());
    assert!(matches!(error, SinkError::ConsumerStoppedReading { .. }), "{error}");
}

#[test]
fn a_success_with_bytes_unread_is_a_failure() {
    for script in ["exit 0", "read -r line", "exec <&-; sleep 0.1; exit 0"] {
        let (mut sink, _) = sink(script);
        let mut lane = sink.lane(LaneId(0), &LaneDigest::default()).unwrap();
        // One that has left already is noticed here.
        if lane.write(&Bytes::from_static(b"one\ntwo\nthree\n")).is_ok() {
            let error = sink.commit(&[]).unwrap_err();
            assert!(matches!(error, SinkError::ConsumerStoppedReading { .. }), "{script}: {error}");
        }
    }
}

#[test]
fn a_failure_with_bytes_unread_has_status_and_last_words() {
    let (mut sink, _) = sink("read -r line; echo \"$line\" >&2; exit 4");
    sink.lane(LaneId(0), &LaneDigest::default()).unwrap().write(&Bytes::from_static(b"one\ntwo\n")).unwrap();
    let error = sink.commit(&[]).unwrap_err();
    assert_eq!(error.to_string(), "consumer sh exited with status 4; it said: one");
}

#[test]
fn a_consumer_that_knows_where_the_end_is_may_leave_there() {
    let (mut sink, _) = sink("test \"$(head -c 5)\" = hello");
    sink.lane(LaneId(0), &LaneDigest::default()).unwrap().write(&Bytes::from_static(b"hello")).unwrap();
    assert_eq!(sink.commit(&[]).unwrap(), Reached::Consumed);
}

#[test]
fn the_interrupter_ends_a_commit_whose_consumer_does_not_read_on() {
    let argv = ["sleep", "1000"].map(OsString::from).to_vec();
    let mut sink = CommandSink::new(argv, Arc::new(|_| {})).unwrap();
    let interrupter = sink.interrupter();
    // It dies with the thread that starts it.
    sink.start(&hello(1, 1)).unwrap();
    sink.lane(LaneId(0), &LaneDigest::default()).unwrap().write(&Bytes::from_static(b"hello")).unwrap();
    let commit = thread::spawn(move || sink.commit(&[]).unwrap_err());
    interrupter.interrupt();
    assert!(matches!(commit.join().unwrap(), SinkError::Interrupted { .. }));
}

/// A consumer that we may not signal, such as one that sudo runs; it stores its input in `room`.
fn untouchable(room: &TempDir) -> Consumer {
    let script = format!("cd '{}' && touch ready && cat >out && touch done && exec sleep 1000", room.path().display());
    let argv = ["sh", "-c", &script].map(OsString::from);
    let consumer =
        Consumer::spawn_with(&argv, &(Arc::new(|_| {}) as OnLine), |_, _| Err(rustix::io::Errno::PERM.into()));
    await_file(room, "ready");
    consumer.unwrap()
}

const NOT_ENDED: &str = "consumer sh could not be ended: Operation not permitted; it may take the end of its input, \
                         which comes when xbrecv ends, for the end of the backup: end it first";

#[test]
fn one_that_cannot_be_killed_is_not_told_the_end_and_not_waited_for() {
    let room = tempfile::tempdir().unwrap();
    let consumer = untouchable(&room);
    consumer.write(b"hal").unwrap();
    assert_eq!(consumer.kill().unwrap_err().to_string(), NOT_ENDED);
    drop(consumer);
    thread::sleep(std::time::Duration::from_millis(50));
    assert!(!room.path().join("done").exists());
}

#[test]
fn the_interrupter_ends_the_wait_for_one_that_cannot_be_killed() {
    let room = tempfile::tempdir().unwrap();
    let consumer = untouchable(&room);
    thread::scope(|scope| {
        let finish = scope.spawn(|| consumer.finish().unwrap_err());
        await_file(&room, "done");
        consumer.interrupt();
        assert_eq!(finish.join().unwrap().to_string(), NOT_ENDED);
    });
}

#[test]
fn the_interrupter_ends_a_write_to_a_sleeper() {
    let argv = ["sleep", "1000"].map(OsString::from).to_vec();
    let mut sink = CommandSink::new(argv, Arc::new(|_| {})).unwrap();
    let interrupter = sink.interrupter();
    sink.start(&hello(1, 1)).unwrap();
    let mut lane = sink.lane(LaneId(0), &LaneDigest::default()).unwrap();
    let writer = thread::spawn(move || write_until_error(&mut *lane));
    interrupter.interrupt();
    assert!(matches!(writer.join().unwrap(), SinkError::Interrupted { .. }));
}

#[test]
fn the_interrupter_ends_a_commit() {
    let room = tempfile::tempdir().unwrap();
    let script = format!("cat; touch '{}/ready'; exec sleep 1000", room.path().display());
    let (mut sink, _) = sink(&script);
    let interrupter = sink.interrupter();
    let commit = thread::spawn(move || sink.commit(&[]).unwrap_err());
    await_file(&room, "ready");
    interrupter.interrupt();
    assert!(commit.join().unwrap().to_string().ends_with("was killed by SIGKILL"));
}

#[test]
fn a_whole_group_is_killed() {
    let room = tempfile::tempdir().unwrap();
    let script = format!("sleep 1000 & echo $! >'{0}/pid'; mv '{0}/pid' '{0}/ready'; wait", room.path().display());
    let (mut sink, _) = sink(&script);
    await_file(&room, "ready");
    let pid = fs::read_to_string(room.path().join("ready")).unwrap();
    sink.abandon();
    let stat = format!("/proc/{}/stat", pid.trim());
    // Its parent is gone, so whoever adopted it reaps it; a zombie is as good as dead.
    while fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
        thread::yield_now();
    }
}

#[test]
fn only_the_last_lines_are_repeated_and_long_ones_are_cut() {
    let (mut sink, lines) =
        sink("cat; for i in $(seq 30); do echo $i >&2; done; head -c 5000 /dev/zero | tr '\\0' x >&2; exit 1");
    let Err(SinkError::ConsumerFailed { said, .. }) = sink.commit(&[]) else { panic!("it must fail") };
    assert_eq!(said.len(), 10);
    assert_eq!(said[0], "23");
    assert_eq!((said[8].len(), said[9].len()), (4096, 904));
    assert_eq!(lines.lock().unwrap().len(), 32);
}

#[test]
fn a_missing_command_is_found_out_before_the_session() {
    for missing in ["no-such-command-at-all", "/no/such/command", "/", ""] {
        let made = CommandSink::new(vec![missing.into()], Arc::new(|_| {}));
        assert!(matches!(made, Err(SinkError::NoCommand { .. })), "{missing}");
    }
}

#[test]
fn it_leads_a_group_of_its_own_and_never_sees_the_key() {
    let (mut sink, _) = sink("cat; read -r _ _ _ _ group _ </proc/$$/stat; test $group = $$ && test -z \"$XB_KEY\"");
    assert_eq!(sink.commit(&[]).unwrap(), Reached::Consumed);
}
