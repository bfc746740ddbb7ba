//! Syncing a file while it is being written, on a thread of its own.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use xbproto::lane::LaneDigest;

use crate::disk::{At, DiskError, drop_cached};

/// When what is not durable yet is worth a sync.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// So many bytes.
    pub(super) bytes: u64,
    /// Or so long after the last sync ended.
    pub(super) age: Duration,
}

/// Syncs one file, the bytes of a lane, in the background, and keeps what is needed to go on from there. One sync at a
/// time; the first error is final, because a second sync of the same file would report success for pages that the first
/// one lost.
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
    /// What was written.
    written: LaneDigest,
    /// What of it a sync was asked for.
    asked: LaneDigest,
    /// Offset up to which the file is synced, and that is kept.
    durable: u64,
    since: Instant,
    failed: Option<DiskError>,
    stopping: bool,
}

impl SyncAhead {
    /// Gets ready to sync `file`, which is called `path` in errors and is durable as far as `from` goes. After every
    /// sync `keep` is told what is in the file now, and has to make that durable itself.
    pub(super) fn start(
        file: Arc<File>,
        path: &Path,
        pace: Pace,
        from: &LaneDigest,
        keep: impl Fn(&LaneDigest) -> Result<(), DiskError> + Send + 'static,
    ) -> io::Result<SyncAhead> {
        let shared = Arc::new(Shared { state: Mutex::new(State::new(from)), changed: Condvar::new() });
        let (theirs, path) = (Arc::clone(&shared), path.to_owned());
        let sync = move |digest: &LaneDigest| {
            file.sync_data().at("syncing", &path)?;
            drop_cached(&file, digest.len());
            keep(digest)
        };
        let thread = thread::Builder::new().name("sync".into()).spawn(move || theirs.run(sync))?;
        Ok(SyncAhead { shared, pace, thread: Mutex::new(Some(thread)) })
    }

    /// Starts a sync if it is time for one, and says up to which offset the last one came. Everything that `written`
    /// covers is in the file once `settle` has returned, which is called before a sync.
    pub(super) fn durable(
        &self,
        written: &LaneDigest,
        settle: impl FnOnce() -> Result<(), DiskError>,
    ) -> Result<u64, DiskError> {
        let mut state = self.shared.lock();
        if let Some(error) = &state.failed {
            return Err(error.clone());
        }
        state.written = written.clone();
        let durable = state.durable;
        if state.is_due(self.pace) {
            // It may write, and the sync that ends meanwhile need not wait for that.
            drop(state);
            settle()?;
            self.shared.lock().asked = written.clone();
            self.shared.changed.notify_all();
        }
        Ok(durable)
    }

    /// Ends the thread, after the sync it is at, and repeats the error if there was one. Gives what was written, if
    /// that is more than what is durable.
    pub(super) fn stop(&self) -> Result<Option<LaneDigest>, DiskError> {
        self.shared.lock().stopping = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A panic is a defect that has been reported; `failed` is what counts, and the final sync follows.
            let _ = thread.join();
        }
        let state = self.shared.lock();
        let rest = (state.written.len() > state.durable).then(|| state.written.clone());
        state.failed.clone().map_or(Ok(rest), Err)
    }

    /// Waits until the sync that was asked for is over.
    #[cfg(test)]
    fn settle(&self) {
        let state = self.shared.lock();
        let over = self.shared.changed.wait_while(state, |s| s.failed.is_none() && !s.is_idle());
        drop(over.unwrap());
    }
}

impl Drop for SyncAhead {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

impl State {
    fn new(from: &LaneDigest) -> State {
        let (written, asked, durable) = (from.clone(), from.clone(), from.len());
        State { written, asked, durable, since: Instant::now(), failed: None, stopping: false }
    }

    fn is_idle(&self) -> bool {
        self.asked.len() == self.durable
    }

    fn is_due(&self, pace: Pace) -> bool {
        let pending = self.written.len().saturating_sub(self.durable);
        self.is_idle() && pending > 0 && (pending >= pace.bytes || self.since.elapsed() >= pace.age)
    }
}

impl Shared {
    fn run(&self, sync: impl Fn(&LaneDigest) -> Result<(), DiskError>) {
        while let Some(target) = self.wait() {
            let done = sync(&target);
            let mut state = self.lock();
            match done {
                Ok(()) => state.durable = target.len(),
                Err(error) => state.failed = Some(error),
            }
            state.since = Instant::now();
            self.changed.notify_all();
        }
    }

    /// What the next sync is for; `None` when there will be none.
    fn wait(&self) -> Option<LaneDigest> {
        let idle = |state: &mut State| !state.stopping && state.failed.is_none() && state.is_idle();
        let state = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        (!state.stopping && state.failed.is_none()).then(|| state.asked.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::sample::digest;

    /// Everything is in the file.
    fn settled() -> Result<(), DiskError> {
        Ok(())
    }

    const NEVER: Duration = Duration::from_secs(1 << 30);

    /// Syncs `file`; what it keeps is in the list.
    fn syncing(file: File, pace: Pace) -> (SyncAhead, Arc<Mutex<Vec<u64>>>) {
        let kept: Arc<Mutex<Vec<u64>>> = Arc::default();
        let keeper = Arc::clone(&kept);
        let keep = move |digest: &LaneDigest| {
            keeper.lock().unwrap().push(digest.len());
            Ok(())
        };
        let start = LaneDigest::default();
        (SyncAhead::start(Arc::new(file), Path::new("file"), pace, &start, keep).unwrap(), kept)
    }

    fn written(len: usize) -> LaneDigest {
        digest(&vec![0; len])
    }

    #[test]
    fn syncs_when_enough_bytes_are_not_durable() {
        let (sync, kept) = syncing(tempfile::tempfile().unwrap(), Pace { bytes: 100, age: NEVER });
        assert_eq!(sync.durable(&written(99), settled).unwrap(), 0);
        sync.settle();
        assert_eq!(sync.durable(&written(99), settled).unwrap(), 0, "too few bytes");
        sync.durable(&written(100), settled).unwrap();
        sync.settle();
        assert_eq!(sync.durable(&written(150), settled).unwrap(), 100);
        assert_eq!(*kept.lock().unwrap(), [100]);
        assert_eq!(sync.stop().unwrap().map(|rest| rest.len()), Some(150));
    }

    #[test]
    fn syncs_few_bytes_when_they_are_old() {
        let (sync, kept) = syncing(tempfile::tempfile().unwrap(), Pace { bytes: u64::MAX, age: Duration::ZERO });
        sync.durable(&written(1), settled).unwrap();
        sync.settle();
        assert_eq!(sync.durable(&written(1), settled).unwrap(), 1);
        assert_eq!(*kept.lock().unwrap(), [1]);
        assert!(sync.stop().unwrap().is_none());
    }

    #[test]
    fn what_cannot_be_kept_is_not_durable() {
        let keep = |_: &LaneDigest| Err(DiskError::new("writing", "journal", rustix::io::Errno::NOSPC));
        let file = Arc::new(tempfile::tempfile().unwrap());
        let pace = Pace { bytes: 1, age: NEVER };
        let sync = SyncAhead::start(file, Path::new("file"), pace, &LaneDigest::default(), keep).unwrap();
        assert_eq!(sync.durable(&written(1), settled).unwrap(), 0);
        sync.settle();
        assert_eq!(
            sync.durable(&written(1), settled).unwrap_err().to_string(),
            "writing journal: No space left on device"
        );
    }

    #[test]
    fn it_goes_on_from_what_is_durable() {
        let file = Arc::new(tempfile::tempfile().unwrap());
        let pace = Pace { bytes: 100, age: NEVER };
        let sync = SyncAhead::start(file, Path::new("file"), pace, &written(50), |_| Ok(())).unwrap();
        assert_eq!(sync.durable(&written(149), settled).unwrap(), 50);
        assert_eq!(sync.durable(&written(150), settled).unwrap(), 50);
        sync.settle();
        assert_eq!(sync.durable(&written(150), settled).unwrap(), 150);
    }

    #[test]
    fn the_first_error_is_final() {
        // A pipe cannot be synced.
        let (_reader, writer) = rustix::pipe::pipe().unwrap();
        let (sync, kept) = syncing(File::from(writer), Pace { bytes: 1, age: NEVER });
        sync.durable(&written(1), settled).unwrap();
        sync.settle();
        assert_eq!(sync.durable(&written(2), settled).unwrap_err().to_string(), "syncing file: Invalid argument");
        assert!(sync.durable(&written(2), settled).is_err());
        assert!(sync.stop().is_err());
        assert!(kept.lock().unwrap().is_empty(), "what is not durable is not kept");
    }
}
