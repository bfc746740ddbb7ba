//! Syncing a file while it is being written, on a thread of its own.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::disk::{At, DiskError};

/// When what is not durable yet is worth a sync.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// So many bytes.
    pub(super) bytes: u64,
    /// Or so long after the last sync ended.
    pub(super) age: Duration,
}

/// Syncs one file in the background. One sync at a time; the first error is final, because a second sync of the same
/// file would report success for pages that the first one lost.
#[derive(Debug)]
pub(super) struct SyncAhead {
    shared: Arc<Shared>,
    pace: Pace,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// Offset up to which a sync was asked for.
    asked: u64,
    /// Offset up to which the file is synced.
    durable: u64,
    since: Instant,
    failed: Option<DiskError>,
    stopping: bool,
}

impl SyncAhead {
    /// Gets ready to sync `file`, which is called `path` in errors.
    pub(super) fn start(file: Arc<File>, path: &Path, pace: Pace) -> io::Result<SyncAhead> {
        let state = State { asked: 0, durable: 0, since: Instant::now(), failed: None, stopping: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let (theirs, path) = (Arc::clone(&shared), path.to_owned());
        let thread = thread::Builder::new().name("sync".into()).spawn(move || theirs.run(&file, &path))?;
        Ok(SyncAhead { shared, pace, thread: Mutex::new(Some(thread)) })
    }

    /// Everything before `written` is in the file: starts a sync if it is time for one, and says up to which offset
    /// the last one came.
    pub(super) fn durable(&self, written: u64) -> Result<u64, DiskError> {
        let mut state = self.shared.lock();
        if let Some(error) = &state.failed {
            return Err(error.clone());
        }
        let idle = state.asked == state.durable;
        let pending = written - state.durable;
        if idle && pending > 0 && (pending >= self.pace.bytes || state.since.elapsed() >= self.pace.age) {
            state.asked = written;
            self.shared.changed.notify_all();
        }
        Ok(state.durable)
    }

    /// Ends the thread, after the sync it is at, and repeats the error if there was one.
    pub(super) fn stop(&self) -> Result<(), DiskError> {
        self.shared.lock().stopping = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A panic is a defect that has been reported; `failed` is what counts, and the final sync follows.
            let _ = thread.join();
        }
        self.shared.lock().failed.clone().map_or(Ok(()), Err)
    }

    /// Waits until the sync that was asked for is over.
    #[cfg(test)]
    fn settle(&self) {
        let state = self.shared.lock();
        let over = self.shared.changed.wait_while(state, |s| s.failed.is_none() && s.asked != s.durable);
        drop(over.unwrap());
    }
}

impl Drop for SyncAhead {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

impl Shared {
    fn run(&self, file: &File, path: &Path) {
        while let Some(target) = self.wait() {
            let done = file.sync_data().at("syncing", path);
            let mut state = self.lock();
            match done {
                Ok(()) => state.durable = target,
                Err(error) => state.failed = Some(error),
            }
            state.since = Instant::now();
            self.changed.notify_all();
        }
    }

    /// The offset of the next sync; `None` when there will be none.
    fn wait(&self) -> Option<u64> {
        let idle = |state: &mut State| !state.stopping && state.failed.is_none() && state.asked == state.durable;
        let state = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        (!state.stopping && state.failed.is_none()).then_some(state.asked)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER: Duration = Duration::from_secs(1 << 30);

    fn syncing(file: File, pace: Pace) -> SyncAhead {
        SyncAhead::start(Arc::new(file), Path::new("file"), pace).unwrap()
    }

    #[test]
    fn syncs_when_enough_bytes_are_not_durable() {
        let sync = syncing(tempfile::tempfile().unwrap(), Pace { bytes: 100, age: NEVER });
        assert_eq!(sync.durable(99).unwrap(), 0);
        sync.settle();
        assert_eq!(sync.durable(99).unwrap(), 0, "too few bytes");
        sync.durable(100).unwrap();
        sync.settle();
        assert_eq!(sync.durable(150).unwrap(), 100);
    }

    #[test]
    fn syncs_few_bytes_when_they_are_old() {
        let sync = syncing(tempfile::tempfile().unwrap(), Pace { bytes: u64::MAX, age: Duration::ZERO });
        sync.durable(1).unwrap();
        sync.settle();
        assert_eq!(sync.durable(1).unwrap(), 1);
    }

    #[test]
    fn the_first_error_is_final() {
        // A pipe cannot be synced.
        let (_reader, writer) = rustix::pipe::pipe().unwrap();
        let sync = syncing(File::from(writer), Pace { bytes: 1, age: NEVER });
        sync.durable(1).unwrap();
        sync.settle();
        assert_eq!(sync.durable(2).unwrap_err().to_string(), "syncing file: Invalid argument");
        assert!(sync.durable(2).is_err());
        assert!(sync.stop().is_err());
    }
}
