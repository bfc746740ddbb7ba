//! How many files of the backup are open at a time, whatever the stream has begun and not ended.
//!
//! Whoever writes a file wants it open, but a stream may have any number under way, and a process may not. Files beyond a
//! number are closed between their chunks, and opened again by their names. Nothing renames a file that has not ended, see the
//! ledger; before anything happens to the name of another, it is opened for good, see `ending`.

use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::{Mode, OFlags, openat};
use rustix::process::{Resource, getrlimit};

use super::beneath::Beneath;

/// What else is open at the same time: files that are being synced, directories, sockets, the journal.
const OTHERS: usize = 512;

/// The fewest files that are kept open, whatever the limit.
const FEWEST: usize = 16;

/// The files of one extraction that are open.
#[derive(Debug)]
pub(super) struct OpenFiles {
    staged: Beneath,
    access: OFlags,
    count: AtomicUsize,
    kept: usize,
}

/// A file that is open, or can be.
#[derive(Debug)]
pub(super) struct Handle {
    file: Option<Arc<File>>,
    rest: Rest,
    files: Arc<OpenFiles>,
}

/// Whether a file may be closed between its chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    Closed,
    Open,
}

impl OpenFiles {
    /// Files below `staged`, opened with `access`; as many as the limit of this process allows.
    pub(super) fn new(staged: Beneath, access: OFlags) -> OpenFiles {
        let limit = getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok());
        let kept = limit.unwrap_or(usize::MAX).saturating_sub(OTHERS).max(FEWEST);
        OpenFiles { staged, access, count: AtomicUsize::new(0), kept }
    }

    /// How they are opened.
    pub(super) fn access(&self) -> OFlags {
        self.access
    }

    /// How many may wait to be written while they are open: the others are between their chunks.
    pub(super) fn at_work(&self) -> usize {
        (self.kept / 2).min(256)
    }

    /// Takes charge of a file that was just made.
    pub(super) fn take(self: &Arc<OpenFiles>, file: File) -> Handle {
        self.count.fetch_add(1, Ordering::Relaxed);
        Handle { file: Some(Arc::new(file)), rest: Rest::Closed, files: Arc::clone(self) }
    }

    fn reopen(&self, path: &Path) -> io::Result<File> {
        let dir = self.staged.dir(path.parent().unwrap_or(Path::new("")))?;
        let name = path.file_name().unwrap_or_default().as_bytes();
        let flags = self.access | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(dir, name, flags, Mode::empty())?.into())
    }
}

impl Handle {
    /// The file, which is called `path` now.
    ///
    /// # Errors
    /// When it has to be opened again and cannot be.
    pub(super) fn open(&mut self, path: &Path) -> io::Result<&Arc<File>> {
        if self.file.is_none() {
            let file = self.files.reopen(path)?;
            self.files.count.fetch_add(1, Ordering::Relaxed);
            self.file = Some(Arc::new(file));
        }
        self.file.as_ref().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Opens it, which is called `path` now, for good.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub(super) fn keep_open(&mut self, path: &Path) -> io::Result<()> {
        self.rest = Rest::Open;
        self.open(path).map(drop)
    }

    /// Nothing is to be written for a while: closes it if too many are open.
    pub(super) fn rest(&mut self) {
        if self.rest == Rest::Closed && self.files.count.load(Ordering::Relaxed) > self.files.kept / 2 {
            self.close();
        }
    }

    fn close(&mut self) {
        if self.file.take().is_some() {
            self.files.count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}
