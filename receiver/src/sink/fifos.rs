//! `--fifo-dir DIR`: each stream goes to a FIFO of its own, `DIR/thread_0` and so on, for a program that reads several.
//!
//! A thread of its own opens them, each as soon as it has a reader: a stream that has nothing yet must not keep its reader
//! waiting, which may want to see all of them open first, and the byte that says so.

mod lane;
mod opening;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::fs::{Access, CWD, Mode, Stat, access, lstat, mkfifoat};
use rustix::io::Errno;
use xbproto::lane::{LaneDigest, LaneId};
use xbproto::wire::Hello;

use self::lane::{FifoLane, Written, failure};
use self::opening::{Opening, Unopened, open_all};
use super::outlet::LOOK_UP;
use super::{Admission, Again, Interrupter, LaneSink, LaneSum, Reached, Sink, SinkError, Target};
use crate::disk::{At, DiskError, is_same, shown};
use crate::stop::Stop;

/// FIFOs to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FifoPlan {
    /// Where. Made, if it is not there.
    pub dir: PathBuf,
    /// How long the readers may take to open all of them.
    pub timeout: Duration,
    /// What is written into each first.
    pub sync_byte: Option<u8>,
}

/// FIFOs of our own, one for each stream.
#[derive(Debug)]
pub struct FifoSink {
    plan: FifoPlan,
    /// Those that have been made, and what tells them from others of their names.
    made: Vec<(PathBuf, Stat)>,
    /// What the lanes are still to be given.
    openings: VecDeque<mpsc::Receiver<Opening>>,
    /// The ends of lanes that have written everything. They are held until the verdict: their readers take a closed FIFO
    /// for the end of the backup.
    written: mpsc::Receiver<Written>,
    to_written: mpsc::Sender<Written>,
    stop: Stop,
}

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
            let made = lstat(&path).at("looking at", &path)?;
            self.made.push((path, made));
        }
        let (to_lanes, openings): (Vec<_>, VecDeque<_>) = (0..lanes).map(|_| mpsc::channel()).unzip();
        self.openings = openings;
        let paths = self.made.iter().map(|(path, _)| path.clone());
        let unopened = paths.zip(to_lanes).map(|(path, to_lane)| Unopened { path, to_lane }).collect();
        let (plan, stop) = (self.plan.clone(), self.stop.clone());
        let open_all = move || open_all(unopened, &plan, &stop);
        thread::Builder::new().name("open-fifos".into()).spawn(open_all).at("opening FIFOs in", &self.plan.dir)?;
        Ok(())
    }

    fn remove(&mut self) {
        for (path, made) in self.made.drain(..) {
            // Its reader may have removed it, and something else may have the name by now.
            if lstat(&path).is_ok_and(|there| is_same(&there, &made)) {
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
        Ok(Box::new(FifoLane::new(path, opening, self.to_written.clone())))
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

fn path_of(dir: &Path, lane: u16) -> PathBuf {
    dir.join(format!("thread_{lane}"))
}

fn refuse_existing(dir: &Path, lanes: u16) -> Result<(), SinkError> {
    let mut paths = (0..lanes).map(|lane| path_of(dir, lane));
    let there = paths.find(|path| path.symlink_metadata().is_ok());
    there.map_or(Ok(()), |path| Err(SinkError::Exists { path }))
}
