//! The writing end of one FIFO: opened when it has a reader, written, handed on for the verdict.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Instant;

use bytes::Bytes;
use rustix::event::poll;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use xbproto::lane::LaneDigest;
use xbproto::quantity::Span;

use super::FifoPlan;
use crate::disk::{At, DiskError, shown};
use crate::sink::outlet::{Blocked, LOOK_UP, Outlet};
use crate::sink::{LaneSink, SinkError};
use crate::stop::Stop;

/// A FIFO that has been given all of its stream.
pub(super) type Written = (PathBuf, Outlet);

/// How the opening of a FIFO went.
pub(super) type Opening = Result<Outlet, SinkError>;

/// Writes one stream to its FIFO.
pub(super) struct FifoLane {
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
    /// Writes to what `opening` gives, which is at `path`, and hands it to `written` in the end.
    pub(super) fn new(path: PathBuf, opening: mpsc::Receiver<Opening>, written: mpsc::Sender<Written>) -> FifoLane {
        FifoLane { path, end: End::Awaited(opening), written }
    }

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

/// Waits for a reader, as long as the plan says, and tells it that the FIFO is open.
pub(super) fn open_fifo(path: &Path, plan: &FifoPlan, stop: &Stop) -> Opening {
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

pub(super) fn failure(blocked: Blocked, path: &Path) -> SinkError {
    let target = shown(path).to_string();
    match blocked {
        Blocked::ReaderGone => SinkError::ReaderGone { target },
        Blocked::Stopped => SinkError::Interrupted { target },
        Blocked::Failed(error) => DiskError::new("writing", path, error).into(),
    }
}
