//! FIFOs and their readers.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;

use bytes::Bytes;

use super::*;
use crate::journal::sample::hello;

fn plan(room: &tempfile::TempDir) -> FifoPlan {
    FifoPlan { dir: room.path().join("fifos"), timeout: Duration::from_secs(60), sync_byte: Some(0x55) }
}

fn begun(plan: FifoPlan) -> FifoSink {
    let mut sink = FifoSink::new(plan).unwrap();
    sink.start(&hello(1, 2)).unwrap();
    sink
}

fn lane(sink: &mut FifoSink, lane: u16) -> Box<dyn LaneSink> {
    sink.lane(LaneId(lane), &LaneDigest::default()).unwrap()
}

fn left(plan: &FifoPlan) -> usize {
    fs::read_dir(&plan.dir).unwrap().count()
}

/// Reads a FIFO to its end on a thread.
fn reader(plan: &FifoPlan, lane: u16) -> thread::JoinHandle<Vec<u8>> {
    let path = path_of(&plan.dir, lane);
    thread::spawn(move || {
        let mut all = Vec::new();
        fs::File::open(path).unwrap().read_to_end(&mut all).unwrap();
        all
    })
}

#[test]
fn each_stream_has_a_fifo_that_ends_with_the_commit() {
    let room = tempfile::tempdir().unwrap();
    let plan = plan(&room);
    let mut sink = begun(plan.clone());
    let mode = path_of(&plan.dir, 1).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let readers = [reader(&plan, 0), reader(&plan, 1)];
    let mut lanes = [lane(&mut sink, 0), lane(&mut sink, 1)];
    lanes[0].write(&Bytes::from_static(b"stream")).unwrap();
    lanes.iter_mut().for_each(|lane| lane.finish().unwrap());
    drop(lanes);
    sink.sync().unwrap();
    // One reader tidies up itself, and another program takes the name.
    fs::remove_file(path_of(&plan.dir, 0)).unwrap();
    fs::write(path_of(&plan.dir, 0), "theirs").unwrap();
    assert!(readers.iter().all(|reader| !reader.is_finished()), "the end is for the commit to show");
    assert_eq!(sink.commit(&[]).unwrap(), Reached::HandedToStdout);
    assert_eq!(readers.map(|reader| reader.join().unwrap()), [b"\x55stream".to_vec(), b"\x55".to_vec()]);
    assert_eq!((left(&plan), path_of(&plan.dir, 0).is_file()), (1, true));
}

#[test]
fn readers_may_come_in_any_order() {
    let room = tempfile::tempdir().unwrap();
    let plan = plan(&room);
    let mut sink = begun(plan.clone());
    let (of_0, of_1) = (path_of(&plan.dir, 0), path_of(&plan.dir, 1));
    // One program that opens the second before the first, and wants to see its byte before it goes on.
    let reader = thread::spawn(move || {
        let mut second = fs::File::open(of_1).unwrap();
        second.read_exact(&mut [0]).unwrap();
        let (mut first, mut all) = (fs::File::open(of_0).unwrap(), [0; 3]);
        first.read_exact(&mut all[..2]).unwrap();
        second.read_exact(&mut all[2..]).unwrap();
        all
    });
    for number in 0..2 {
        let mut lane = lane(&mut sink, number);
        lane.write(&Bytes::from(format!("{number}"))).unwrap();
        lane.finish().unwrap();
    }
    sink.commit(&[]).unwrap();
    assert_eq!(reader.join().unwrap(), *b"\x5501");
}

#[test]
fn a_reader_that_never_comes_is_not_waited_for_for_ever() {
    let room = tempfile::tempdir().unwrap();
    let plan = FifoPlan { timeout: Duration::from_millis(50), ..plan(&room) };
    let mut sink = begun(plan.clone());
    let error = lane(&mut sink, 0).write(&Bytes::from_static(b"x")).unwrap_err();
    assert!(matches!(error, SinkError::NoReader { .. }), "{error}");
    assert_eq!(error.cause(), xbproto::failure::Cause::Sink);
    sink.abandon();
    assert_eq!(left(&plan), 0);
}

#[test]
fn a_reader_that_leaves_before_it_has_read_everything_is_named() {
    let room = tempfile::tempdir().unwrap();
    let plan = FifoPlan { sync_byte: None, ..plan(&room) };
    let mut sink = begun(plan.clone());
    let path = path_of(&plan.dir, 0);
    let opened = thread::spawn(move || fs::File::open(path).unwrap());
    let mut lane = lane(&mut sink, 0);
    lane.write(&Bytes::from_static(b"unread")).unwrap();
    lane.finish().unwrap();
    drop(opened.join().unwrap());
    let error = sink.commit(&[]).unwrap_err().to_string();
    assert!(error.contains("thread_0: its reader went away"), "{error}");
}

#[test]
fn waiting_for_a_reader_does_not_outlast_the_interrupter() {
    let room = tempfile::tempdir().unwrap();
    let mut sink = begun(plan(&room));
    let mut lane = lane(&mut sink, 1);
    let writer = thread::spawn(move || lane.finish());
    sink.interrupter().interrupt();
    assert!(matches!(writer.join().unwrap(), Err(SinkError::Interrupted { .. })));
}

#[test]
fn what_is_there_already_is_refused_and_kept() {
    let room = tempfile::tempdir().unwrap();
    let plan = plan(&room);
    let mut sink = FifoSink::new(plan.clone()).unwrap();
    fs::write(path_of(&plan.dir, 1), "theirs").unwrap();
    sink.admission().judge(&hello(1, 1)).unwrap();
    assert!(matches!(sink.admission().judge(&hello(1, 2)), Err(SinkError::Exists { .. })));
    assert!(sink.start(&hello(1, 2)).is_err());
    sink.abandon();
    assert_eq!(fs::read_to_string(path_of(&plan.dir, 1)).unwrap(), "theirs");
    fs::rename(path_of(&plan.dir, 1), path_of(&plan.dir, 0)).unwrap();
    assert!(matches!(FifoSink::new(plan), Err(SinkError::Exists { .. })));
}
