//! The writing end of one FIFO: awaited until it has a reader, written, handed on for the verdict.

use std::path::{Path, PathBuf};
use std::sync::mpsc;

use bytes::Bytes;
use xbproto::lane::LaneDigest;

use super::opening::Opening;
use crate::disk::{DiskError, shown};
use crate::sink::outlet::{Blocked, Outlet};
use crate::sink::{LaneSink, SinkError};

/// A FIFO that has been given all of its stream.
pub(super) type Written = (PathBuf, Outlet);

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

/// What a write to the FIFO at `path` that came to nothing means.
pub(super) fn failure(blocked: Blocked, path: &Path) -> SinkError {
    let target = shown(path).to_string();
    match blocked {
        Blocked::ReaderGone => SinkError::ReaderGone { target },
        Blocked::Stopped => SinkError::Interrupted { target },
        Blocked::Failed(error) => DiskError::new("writing", path, error).into(),
    }
}
