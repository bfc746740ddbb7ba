//! Opening the writing ends of FIFOs, in whichever order their readers come.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Instant;

use rustix::event::poll;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use xbproto::quantity::Span;

use super::FifoPlan;
use super::lane::failure;
use crate::disk::{At, DiskError};
use crate::sink::SinkError;
use crate::sink::outlet::{LOOK_UP, Outlet};
use crate::stop::Stop;

/// How the opening of a FIFO went.
pub(super) type Opening = Result<Outlet, SinkError>;

/// A FIFO that may not have a reader yet, and the lane that waits for it.
#[derive(Debug)]
pub(super) struct Unopened {
    pub(super) path: PathBuf,
    pub(super) to_lane: mpsc::Sender<Opening>,
}

impl Unopened {
    /// Opens it, if it has a reader, and tells that one so.
    fn open(&self, plan: &FifoPlan, stop: &Stop) -> Result<Option<Outlet>, SinkError> {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = match open(&self.path, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NXIO) => return Ok(None),
            Err(error) => return Err(DiskError::new("opening", &self.path, io::Error::from(error)).into()),
        };
        let outlet = Outlet::new(fd, stop.clone()).at("opening", &self.path)?;
        if let Some(byte) = plan.sync_byte {
            outlet.write_all(&[byte]).map_err(|blocked| failure(blocked, &self.path))?;
        }
        Ok(Some(outlet))
    }

    fn no_reader(&self, plan: &FifoPlan) -> SinkError {
        SinkError::NoReader { path: self.path.clone(), waited: Span(plan.timeout) }
    }
}

/// Opens each of them as soon as it has a reader, and tells its lane how that went. Those that have none when the time of
/// the plan is over are given up; so are all when `stop` is raised.
pub(super) fn open_all(mut unopened: Vec<Unopened>, plan: &FifoPlan, stop: &Stop) {
    let begun = Instant::now();
    // A lane whose sender is dropped takes itself for interrupted.
    while !unopened.is_empty() && !stop.is_raised() {
        // Looked at first, so that every one is tried once more after that.
        let is_late = begun.elapsed() >= plan.timeout;
        unopened.retain(|fifo| {
            let opening = fifo.open(plan, stop).transpose();
            let opening = opening.or_else(|| is_late.then(|| Err(fifo.no_reader(plan))));
            let is_awaited = opening.is_none();
            // A lane that is gone does not want it.
            opening.into_iter().for_each(|opening| drop(fifo.to_lane.send(opening)));
            is_awaited
        });
        if !unopened.is_empty() {
            let _ = poll(&mut [], Some(&LOOK_UP));
        }
    }
}
