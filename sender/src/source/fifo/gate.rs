//! FIFOs from their first appearance to their last name.
//!
//! The tool makes all of them, then opens one after the other for writing, and gives up when nobody reads. So each is
//! opened as soon as it is there, and keeps its name until its writer has shown itself, by a byte or by its end.

use std::fs::File;
use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};
use xbproto::quantity::Span;

use super::FifoError;

/// How often to look for what the tool has done.
const LOOK: Duration = Duration::from_millis(20);

/// The FIFOs of a tool, `DIR/thread_0` and so on. Dropping it removes those that still have a name.
#[derive(Debug)]
pub(super) struct Gate {
    dir: PathBuf,
    timeout: Duration,
    since: Instant,
    pipes: Vec<Pipe>,
}

#[derive(Debug)]
struct Pipe {
    path: PathBuf,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The tool has not made it yet.
    Awaited(oneshot::Sender<OwnedFd>),
    /// We have opened it, and nobody has written to it.
    Open(OwnedFd, oneshot::Sender<OwnedFd>),
    /// Its lane has it, and it has no name any more.
    HandedOver,
}

/// The name of a FIFO in its directory, as xtrabackup gives it.
pub(super) fn name(index: usize) -> String {
    format!("thread_{index}")
}

/// Makes sure that a tool that makes `streams` FIFOs in `dir` will not find any there.
///
/// # Errors
/// [`FifoError::Exists`], also for one more than these: it could not be told from one too many.
pub(super) fn refuse_existing(dir: &Path, streams: u16) -> Result<(), FifoError> {
    let paths = (0..=usize::from(streams)).map(|index| dir.join(name(index)));
    let there = |path: &PathBuf| path.symlink_metadata().is_ok();
    paths.into_iter().find(there).map_or(Ok(()), |path| Err(FifoError::Exists(path)))
}

impl Gate {
    /// Begins to wait for `streams` FIFOs in `dir`, and gives what hands each of them over. Nothing is done but in
    /// [`open`](Self::open).
    pub(super) fn new(dir: PathBuf, streams: u16, timeout: Duration) -> (Gate, Vec<oneshot::Receiver<OwnedFd>>) {
        let (to_lanes, lanes): (Vec<_>, Vec<_>) = (0..streams).map(|_| oneshot::channel()).unzip();
        let pipe = |(index, to_lane)| Pipe { path: dir.join(name(index)), state: State::Awaited(to_lane) };
        let pipes = to_lanes.into_iter().enumerate().map(pipe).collect();
        (Gate { dir, timeout, since: Instant::now(), pipes }, lanes)
    }

    /// Waits until every FIFO has a writer, and hands it over. May be cancelled and called again.
    ///
    /// # Errors
    /// [`FifoError`] when the tool has not made what it should, or more, or not in time.
    pub(super) async fn open(&mut self) -> Result<(), FifoError> {
        while !self.look()? {
            if let Some(missing) = self.missing()
                && self.since.elapsed() >= self.timeout
            {
                let (path, waited, streams) = (missing.path.clone(), Span(self.timeout), self.streams());
                return Err(FifoError::Missing { path, waited, streams });
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// To be called when the tool has ended well: every FIFO has had its writer by then.
    ///
    /// # Errors
    /// As [`open`](Self::open), and [`FifoError::Unused`].
    pub(super) fn last_look(&mut self) -> Result<(), FifoError> {
        if self.look()? {
            return Ok(());
        }
        let streams = self.streams();
        let unused = self.pipes.iter().find(|pipe| !matches!(pipe.state, State::HandedOver));
        unused.map_or(Ok(()), |pipe| Err(FifoError::Unused { path: pipe.path.clone(), streams }))
    }

    /// How many FIFOs are expected.
    pub(super) fn streams(&self) -> u16 {
        u16::try_from(self.pipes.len()).unwrap_or(u16::MAX)
    }

    /// Removes the FIFOs that still have a name, those too many included: none was there before the tool. A name that was
    /// given up may be another tool's by now.
    pub(super) fn clear(&mut self) {
        if self.is_open() {
            return;
        }
        for pipe in &mut self.pipes {
            if !matches!(std::mem::replace(&mut pipe.state, State::HandedOver), State::HandedOver) {
                remove_fifo(&pipe.path);
            }
        }
        let surplus = (self.pipes.len()..).map(|index| self.dir.join(name(index)));
        surplus.take_while(|path| remove_fifo(path)).for_each(drop);
    }

    fn is_open(&self) -> bool {
        self.pipes.iter().all(|pipe| matches!(pipe.state, State::HandedOver))
    }

    /// Does what can be done now; whether that was all.
    fn look(&mut self) -> Result<bool, FifoError> {
        if self.is_open() {
            return Ok(true);
        }
        let surplus = self.dir.join(name(self.pipes.len()));
        if surplus.symlink_metadata().is_ok() {
            return Err(FifoError::Surplus { path: surplus, streams: self.streams() });
        }
        for pipe in &mut self.pipes {
            pipe.look()?;
        }
        Ok(self.is_open())
    }

    fn missing(&self) -> Option<&Pipe> {
        self.pipes.iter().find(|pipe| matches!(pipe.state, State::Awaited(_)))
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Pipe {
    fn look(&mut self) -> Result<(), FifoError> {
        let opened = match &self.state {
            State::Awaited(_) => open_fifo(&self.path)?,
            State::Open(..) | State::HandedOver => None,
        };
        self.state = match (std::mem::replace(&mut self.state, State::HandedOver), opened) {
            (State::Awaited(to_lane), Some(fifo)) => State::Open(fifo, to_lane),
            (State::Open(fifo, to_lane), _) if has_writer(&fifo) => {
                remove_fifo(&self.path);
                // A lane that is gone does not want it, and the session is over.
                let _ = to_lane.send(fifo);
                State::HandedOver
            }
            (waiting, _) => waiting,
        };
        Ok(())
    }
}

/// Opens a FIFO for reading, if it is there.
fn open_fifo(path: &Path) -> Result<Option<OwnedFd>, FifoError> {
    let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::NOCTTY;
    let failed = |error| FifoError::Open { path: path.into(), error };
    match File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path) {
        Ok(file) if file.metadata().map_err(failed)?.file_type().is_fifo() => Ok(Some(file.into())),
        Ok(_) => Err(FifoError::NotAFifo(path.into())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) if path.is_symlink() || error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => {
            Err(FifoError::NotAFifo(path.into()))
        }
        Err(error) => Err(failed(error)),
    }
}

/// Whether somebody has written to it, or has had it open: then there are bytes, or the end.
fn has_writer(fifo: impl AsFd) -> bool {
    let mut fds = [PollFd::new(&fifo, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}

/// Removes what stands there if it is a FIFO; whether it was one.
fn remove_fifo(path: &Path) -> bool {
    let is_fifo = path.symlink_metadata().is_ok_and(|meta| meta.file_type().is_fifo());
    is_fifo && std::fs::remove_file(path).is_ok()
}

#[cfg(test)]
mod tests;
