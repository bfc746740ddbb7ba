//! `--fifo-dir DIR`: each stream goes to a FIFO of its own, `DIR/thread_0` and so on, for a program that reads several.
//!
//! A thread of its own opens them, one after the other, as soon as each has a reader: a stream that has nothing yet must not
//! keep its reader waiting, which may want to see all of them open first, and the byte that says so.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustix::event::poll;
use rustix::fs::{Access, CWD, Mode, OFlags, access, mkfifoat, open};
use rustix::io::Errno;
use xbproto::lane::{LaneDigest, LaneId};
use xbproto::quantity::Span;
use xbproto::wire::Hello;

use super::outlet::{Blocked, LOOK_UP, Outlet};
use super::{Admission, Again, Interrupter, LaneSink, LaneSum, Reached, Sink, SinkError, Target};
use crate::disk::{At, DiskError, shown};
use crate::stop::Stop;

/// FIFOs to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FifoPlan {
    /// Where. Made, if it is not there.
    pub dir: PathBuf,
    /// How long a reader may take to open one.
    pub timeout: Duration,
    /// What is written into each first.
    pub sync_byte: Option<u8>,
}

/// FIFOs of our own, one for each stream.
#[derive(Debug)]
pub struct FifoSink {
    plan: FifoPlan,
    /// Those that have been made.
    made: Vec<PathBuf>,
    /// What the lanes are still to be given.
    openings: VecDeque<mpsc::Receiver<Opening>>,
    /// The ends of lanes that have written everything. They are held until the verdict: their readers take a closed FIFO
    /// for the end of the backup.
    written: mpsc::Receiver<Written>,
    to_written: mpsc::Sender<Written>,
    stop: Stop,
}

/// A FIFO that has been given all of its stream.
type Written = (PathBuf, Outlet);

/// How the opening of a FIFO went.
type Opening = Result<Outlet, SinkError>;

impl FifoSink {
    /// Gets ready to make FIFOs as `plan` says. They are made when a session begins, for their number is not known before.
    ///
    /// # Errors
    /// When there can be none: the directory cannot be written, or the first one is there already.
    pub fn new(plan: FifoPlan) -> Result<FifoSink, SinkError> {
        match fs::create_dir(&plan.dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(DiskError::new("creating", &plan.dir, error).into());
            }
            _ => {}
        }
        access(&plan.dir, Access::WRITE_OK | Access::EXEC_OK).at("writing to", &plan.dir)?;
        if !plan.dir.is_dir() {
            return Err(SinkError::NotADirectory { path: plan.dir });
        }
        refuse_existing(&plan.dir, 1)?;
        let (to_written, written) = mpsc::channel();
        let (made, openings) = (Vec::new(), VecDeque::new());
        Ok(FifoSink { plan, made, openings, written, to_written, stop: Stop::default() })
    }

    /// Makes the FIFOs, and starts the thread that opens them.
    fn make(&mut self, lanes: u16) -> Result<(), SinkError> {
        for lane in 0..lanes {
            let path = path_of(&self.plan.dir, lane);
            mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).map_err(|error| match error {
                Errno::EXIST => SinkError::Exists { path: path.clone() },
                error => DiskError::new("creating", &path, io::Error::from(error)).into(),
            })?;
            self.made.push(path);
        }
        let (to_lanes, openings): (Vec<_>, VecDeque<_>) = (0..lanes).map(|_| mpsc::channel()).unzip();
        self.openings = openings;
        let (paths, plan, stop) = (self.made.clone(), self.plan.clone(), self.stop.clone());
        let open_all = move || {
            for (path, to_lane) in paths.iter().zip(to_lanes) {
                // A lane that is gone does not want it.
                let _ = to_lane.send(open_fifo(path, &plan, &stop));
            }
        };
        thread::Builder::new().name("open-fifos".into()).spawn(open_all).at("opening FIFOs in", &self.plan.dir)?;
        Ok(())
    }

    fn remove(&mut self) {
        for path in self.made.drain(..) {
            // Its reader may have removed it, and something else may have the name by now.
            if path.symlink_metadata().is_ok_and(|meta| meta.file_type().is_fifo()) {
                let _ = fs::remove_file(path);
            }
        }
    }

    fn out_of_turn(&self, call: &'static str) -> SinkError {
        SinkError::OutOfTurn { target: self.target().describe, call }
    }
}

impl Sink for FifoSink {
    fn left(&self) -> String {
        format!(
            "nothing but the bytes that were handed to the readers in {}, which are no backup",
            shown(&self.plan.dir)
        )
    }

    fn again(&self) -> Again {
        Again::Impossible
    }

    fn admission(&self) -> Admission {
        let dir = self.plan.dir.clone();
        Admission::new(move |hello| refuse_existing(&dir, hello.lanes))
    }

    fn start(&mut self, hello: &Hello) -> Result<(), SinkError> {
        self.make(hello.lanes)
    }

    fn lane(&mut self, lane: LaneId, _from: &LaneDigest) -> Result<Box<dyn LaneSink>, SinkError> {
        let opening = self.openings.pop_front().ok_or_else(|| self.out_of_turn("lane"))?;
        let path = path_of(&self.plan.dir, lane.0);
        Ok(Box::new(FifoLane { path, end: End::Awaited(opening), written: self.to_written.clone() }))
    }

    /// Waits until the readers have taken every byte.
    fn sync(&mut self) -> Result<(), SinkError> {
        let ends: Vec<_> = self.written.try_iter().collect();
        for (path, outlet) in &ends {
            while !outlet.is_emptied(&LOOK_UP).map_err(|blocked| failure(blocked, path))? {}
        }
        // Still open: the session may fail yet.
        ends.into_iter().for_each(|end| drop(self.to_written.send(end)));
        Ok(())
    }

    fn commit(&mut self, _sums: &[LaneSum]) -> Result<Reached, SinkError> {
        self.sync()?;
        self.written.try_iter().for_each(drop);
        self.remove();
        Ok(Reached::HandedToStdout)
    }

    fn abandon(&mut self) {
        self.stop.raise();
        self.openings.clear();
        self.written.try_iter().for_each(drop);
        self.remove();
    }

    fn interrupter(&self) -> Interrupter {
        let stop = self.stop.clone();
        Interrupter::new(move || stop.raise())
    }

    fn target(&self) -> Target {
        Target { describe: format!("FIFOs in {}", shown(&self.plan.dir)), free: None }
    }
}

impl Drop for FifoSink {
    fn drop(&mut self) {
        self.abandon();
    }
}

struct FifoLane {
    path: PathBuf,
    end: End,
    written: mpsc::Sender<Written>,
}

/// The writing end of a FIFO.
enum End {
    /// It may not have a reader yet.
    Awaited(mpsc::Receiver<Opening>),
    Open(Outlet),
    /// Handed on, or lost.
    Gone,
}

impl FifoLane {
    /// The writing end, once there is a reader.
    fn open(&mut self) -> Result<&Outlet, SinkError> {
        if let End::Awaited(opening) = &self.end {
            let opened = opening.recv().unwrap_or_else(|_| Err(self.interrupted()));
            self.end = End::Gone;
            self.end = End::Open(opened?);
        }
        match &self.end {
            End::Open(outlet) => Ok(outlet),
            End::Awaited(_) | End::Gone => Err(self.interrupted()),
        }
    }

    fn interrupted(&self) -> SinkError {
        SinkError::Interrupted { target: shown(&self.path).to_string() }
    }
}

impl LaneSink for FifoLane {
    fn write(&mut self, bytes: &Bytes) -> Result<(), SinkError> {
        let path = self.path.clone();
        self.open()?.write_all(bytes).map_err(|blocked| failure(blocked, &path))
    }

    /// A FIFO does not survive its processes, so nothing is kept back for it.
    fn durable(&mut self, written: &LaneDigest) -> Result<u64, SinkError> {
        Ok(written.len())
    }

    /// Also one that nothing was written to has had its reader by now.
    fn finish(&mut self) -> Result<(), SinkError> {
        self.open()?;
        if let End::Open(outlet) = std::mem::replace(&mut self.end, End::Gone) {
            // The sink lives longer than its lanes, unless all is lost.
            let _ = self.written.send((self.path.clone(), outlet));
        }
        Ok(())
    }
}

fn path_of(dir: &Path, lane: u16) -> PathBuf {
    dir.join(format!("thread_{lane}"))
}

fn refuse_existing(dir: &Path, lanes: u16) -> Result<(), SinkError> {
    let mut paths = (0..lanes).map(|lane| path_of(dir, lane));
    let there = paths.find(|path| path.symlink_metadata().is_ok());
    there.map_or(Ok(()), |path| Err(SinkError::Exists { path }))
}

/// Waits for a reader, as long as the plan says, and tells it that the FIFO is open.
fn open_fifo(path: &Path, plan: &FifoPlan, stop: &Stop) -> Opening {
    let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let begun = Instant::now();
    let fd = loop {
        if stop.is_raised() {
            return Err(failure(Blocked::Stopped, path));
        }
        match open(path, flags, Mode::empty()) {
            Ok(fd) => break fd,
            Err(Errno::NXIO) if begun.elapsed() >= plan.timeout => {
                return Err(SinkError::NoReader { path: path.into(), waited: Span(plan.timeout) });
            }
            Err(Errno::NXIO) => drop(poll(&mut [], Some(&LOOK_UP))),
            Err(error) => return Err(DiskError::new("opening", path, io::Error::from(error)).into()),
        }
    };
    let outlet = Outlet::new(fd, stop.clone()).at("opening", path)?;
    if let Some(byte) = plan.sync_byte {
        outlet.write_all(&[byte]).map_err(|blocked| failure(blocked, path))?;
    }
    Ok(outlet)
}

fn failure(blocked: Blocked, path: &Path) -> SinkError {
    let target = shown(path).to_string();
    match blocked {
        Blocked::ReaderGone => SinkError::ReaderGone { target },
        Blocked::Stopped => SinkError::Interrupted { target },
        Blocked::Failed(error) => DiskError::new("writing", path, error).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;

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
        assert!(readers.iter().all(|reader| !reader.is_finished()), "the end is for the commit to show");
        assert_eq!(sink.commit(&[]).unwrap(), Reached::HandedToStdout);
        assert_eq!(readers.map(|reader| reader.join().unwrap()), [b"\x55stream".to_vec(), b"\x55".to_vec()]);
        assert_eq!(left(&plan), 0);
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
}
