//! How many files of the backup are open at a time, whatever the stream has begun and not ended.
//!
//! Whoever writes a file wants it open, but a stream may have any number under way, and a process may not. Files beyond a
//! number are closed between their chunks, and opened again by their names. Nothing renames a file that has not ended, see the
//! ledger; before anything happens to the name of another, it is opened for good, see `ending`.

use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::{Mode, OFlags, openat};
use rustix::process::{Resource, getrlimit};

use crate::extract::beneath::Beneath;

/// How many files a stream may have begun and not ended: each takes some hundred bytes of memory for itself and its decoder,
/// up to 1.5 KiB. A tool has as many under way as it has threads.
pub(in crate::extract) const MOST_UNDER_WAY: usize = 1 << 16;

/// What else is open at the same time: files that are being synced, directories, sockets, the journal.
const OTHERS: usize = 512;

/// The fewest files that are kept open, whatever the limit.
const FEWEST: usize = 16;

/// The files of one extraction that are open.
#[derive(Debug)]
pub(in crate::extract) struct OpenFiles {
    staged: Beneath,
    access: OFlags,
    count: AtomicUsize,
    kept: usize,
}

/// A file that is open, or can be.
#[derive(Debug)]
pub(in crate::extract) struct Handle {
    file: Option<Arc<File>>,
    /// Which file it was when it was closed: the same must be found again.
    closed: Option<Identity>,
    rest: Rest,
    files: Arc<OpenFiles>,
}

/// What tells a file from others, whatever its name: device and inode.
type Identity = (u64, u64);

/// Whether a file may be closed between its chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    Closed,
    Open,
}

impl OpenFiles {
    /// Files below `staged`, opened with `access`; as many as the limit of this process allows.
    pub(in crate::extract) fn new(staged: Beneath, access: OFlags) -> OpenFiles {
        let limit = getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok());
        let kept = limit.unwrap_or(usize::MAX).saturating_sub(OTHERS).max(FEWEST);
        OpenFiles { staged, access, count: AtomicUsize::new(0), kept }
    }

    /// How they are opened.
    pub(in crate::extract) fn access(&self) -> OFlags {
        self.access
    }

    /// How many may wait to be written while they are open: the others are between their chunks.
    pub(in crate::extract) fn at_work(&self) -> usize {
        (self.kept / 2).min(256)
    }

    /// Takes charge of a file that was just made.
    pub(in crate::extract) fn take(self: &Arc<OpenFiles>, file: File) -> Handle {
        self.count.fetch_add(1, Ordering::Relaxed);
        Handle { file: Some(Arc::new(file)), closed: None, rest: Rest::Closed, files: Arc::clone(self) }
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
    pub(in crate::extract) fn open(&mut self, path: &Path) -> io::Result<&Arc<File>> {
        if self.file.is_none() {
            let file = self.files.reopen(path)?;
            if Some(identity(&file)?) != self.closed {
                return Err(io::Error::other("somebody has put another file in its place"));
            }
            self.files.count.fetch_add(1, Ordering::Relaxed);
            self.file = Some(Arc::new(file));
        }
        self.file.as_ref().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Opens it, which is called `path` now, for good.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub(in crate::extract) fn keep_open(&mut self, path: &Path) -> io::Result<()> {
        self.rest = Rest::Open;
        self.open(path).map(drop)
    }

    /// Nothing is to be written for a while: closes it if too many are open. It is synced before: errors of writing it back
    /// are told to whoever has it open, and nobody would have.
    ///
    /// # Errors
    /// When it cannot be synced.
    pub(in crate::extract) fn rest(&mut self) -> io::Result<()> {
        if self.rest == Rest::Open || self.files.count.load(Ordering::Relaxed) <= self.files.kept / 2 {
            return Ok(());
        }
        if let Some(file) = &self.file {
            file.sync_data()?;
            self.closed = Some(identity(file)?);
        }
        self.close();
        Ok(())
    }

    fn close(&mut self) {
        if self.file.take().is_some() {
            self.files.count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn identity(file: &File) -> io::Result<Identity> {
    let metadata = file.metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}
