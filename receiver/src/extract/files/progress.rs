//! How far an extraction is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use xbproto::xbstream::{Item, StreamPath};

/// How far an extraction is. Clones look at the same one, from any thread.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    current: Mutex<Option<StreamPath>>,
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    /// The file a chunk came for last, safe to show on a terminal.
    pub fn current_file(&self) -> Option<String> {
        self.current().as_ref().map(StreamPath::to_string)
    }

    /// Files that are complete now: one that was sent again counts once, one that was removed or is not wanted not at all.
    pub fn files(&self) -> u64 {
        self.0.files.load(Ordering::Relaxed)
    }

    /// Bytes of files so far, without the holes that the stream has.
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// An item has come, after which so many files are complete.
    pub(in crate::extract) fn note(&self, item: &Item, files: u64) {
        if let Item::Payload { path, .. } | Item::Sparse { path, .. } = item {
            *self.current() = Some(path.clone());
        }
        self.0.files.store(files, Ordering::Relaxed);
    }

    /// Only so many files are left.
    pub(in crate::extract) fn keep(&self, files: u64) {
        self.0.files.store(files, Ordering::Relaxed);
    }

    /// More bytes of a file were written.
    pub(in crate::extract) fn add(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn current(&self) -> MutexGuard<'_, Option<StreamPath>> {
        self.0.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
