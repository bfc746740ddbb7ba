//! The staging folder inside the target directory.
//!
//! ```text
//! DIR/.xbrecv-0123456789abcdef/     mode 0700
//!     lock                          locked as long as its owner lives
//!     presence                      whose it is, for the case that it is killed
//!     tree/                         the files so far
//!     commit                        the record, only during a commit
//! ```
//!
//! It lies inside the target directory because only there a rename is certain to work.

use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, fstat, fsync, mkdirat, openat, renameat, unlinkat};
use rustix::io::Errno;
use xbproto::xbstream::STAGING_PREFIX;

use super::ExtractError;
use super::beneath::Beneath;
use super::record::{self, MAX_RECORD, Move};
use crate::disk::{At, DIR_FLAGS, DIR_MODE, DiskError, entry, free_bytes, is_private, names, open_dir, remove_all};

const LOCK: &str = "lock";
const TREE: &str = "tree";
const RECORD: &str = "commit";

/// A staging folder that this process has locked.
#[derive(Debug)]
pub(super) struct Staging {
    dir: PathBuf,
    dir_fd: OwnedFd,
    name: OsString,
    fd: OwnedFd,
    /// Held, not used: the lock lasts as long as it is open.
    _lock: File,
}

/// The target directory before anything is in it.
#[derive(Debug)]
pub(super) struct TargetDir {
    /// As the operator spells it.
    pub(super) path: PathBuf,
    pub(super) fd: OwnedFd,
    /// Whether it is to go again if the session fails.
    pub(super) made: Made,
}

/// Where a directory comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    /// It was there.
    Before,
    /// We made it.
    ByUs,
}

impl TargetDir {
    /// Opens `path`, or makes it if only its last name is missing.
    pub(super) fn open(path: &Path) -> Result<TargetDir, DiskError> {
        let made = match mkdirat(CWD, path, DIR_MODE) {
            Ok(()) => Made::ByUs,
            Err(Errno::EXIST) => Made::Before,
            Err(error) => return Err(DiskError::new("making", path, error)),
        };
        if made == Made::ByUs {
            let parent = path.parent().unwrap_or(Path::new(""));
            open_dir(parent).and_then(|fd| Ok(fsync(fd)?)).at("syncing the directory of", path)?;
        }
        let fd = open_dir(path).at("opening", path)?;
        Ok(TargetDir { path: path.into(), fd, made })
    }

    /// Removes it again, if we made it and nothing is in it.
    pub(super) fn unmake(&self) {
        if self.made == Made::ByUs {
            let _ = unlinkat(CWD, &self.path, AtFlags::REMOVEDIR);
        }
    }
}

impl Staging {
    /// Makes the staging folder of the session `id` in `dir`.
    pub(super) fn create(dir: &TargetDir, id: u64) -> Result<Staging, ExtractError> {
        // The prefix, and the session's id in 16 hex digits.
        let name = OsString::from(format!("{STAGING_PREFIX}{id:016x}"));
        let path = dir.path.join(&name);
        mkdirat(&dir.fd, &name, Mode::RWXU).at("making", &path)?;
        let fd = openat(&dir.fd, &name, DIR_FLAGS, Mode::empty()).at("opening", &path)?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let lock = openat(&fd, LOCK, flags, Mode::RUSR | Mode::WUSR).map(File::from).at("creating", path.join(LOCK))?;
        take_lock(&lock, &path)?;
        mkdirat(&fd, TREE, DIR_MODE).at("making", path.join(TREE))?;
        let dir_fd = dir.fd.try_clone().at("opening", &dir.path)?;
        Ok(Staging { dir: dir.path.clone(), dir_fd, name, fd, _lock: lock })
    }

    /// Takes over the folder `name` that an earlier run of this user left in `dir`; `None` if it is anything else, or
    /// has vanished. A folder that another user has made or may write to could be a trap: its record would have us
    /// rename and remove what it names.
    ///
    /// # Errors
    /// `AlreadyRunning` when its owner lives.
    pub(super) fn adopt(dir: &TargetDir, name: &OsStr) -> Result<Option<Staging>, ExtractError> {
        if !is_staging_name(name) {
            return Ok(None);
        }
        let path = dir.path.join(name);
        let Some(fd) = open_own_folder(dir, name).at("opening", &path)? else { return Ok(None) };
        let Some(lock) = open_lock(&fd).at("opening", path.join(LOCK))? else {
            // Of a run that ended before it had a lock, or removed it as the last thing, only an empty folder is left.
            let _ = unlinkat(&dir.fd, name, AtFlags::REMOVEDIR);
            return Ok(None);
        };
        take_lock(&lock, &path)?;
        let dir_fd = dir.fd.try_clone().at("opening", &dir.path)?;
        Ok(Some(Staging { dir: dir.path.clone(), dir_fd, name: name.into(), fd, _lock: lock }))
    }

    /// The folder's path, for messages.
    pub(super) fn path(&self) -> PathBuf {
        self.dir.join(&self.name)
    }

    /// The target directory's path, for messages.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The files so far.
    pub(super) fn tree(&self) -> Result<Beneath, DiskError> {
        let fd = openat(&self.fd, TREE, DIR_FLAGS, Mode::empty()).at("opening", self.path().join(TREE))?;
        Ok(Beneath::new(fd))
    }

    /// The target directory.
    pub(super) fn target(&self) -> Result<Beneath, DiskError> {
        Ok(Beneath::new(self.dir_fd.try_clone().at("opening", &self.dir)?))
    }

    /// Lets go of the lock, as the death of the process does.
    #[cfg(test)]
    pub(super) fn lose_lock(&self) {
        self._lock.unlock().unwrap();
    }

    /// Bytes free in the target directory.
    pub(super) fn free(&self) -> Option<u64> {
        free_bytes(&self.dir_fd)
    }

    /// Writes the file `name` of the folder, for this user only, and makes it durable; it appears all at once.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        let (path, new) = (self.path().join(name), format!("{name}.new"));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.fd, &new, flags, Mode::RUSR | Mode::WUSR).map(File::from);
        let mut file = file.at("creating", &path)?;
        file.write_all(bytes).at("writing", &path)?;
        file.sync_all().at("syncing", &path)?;
        renameat(&self.fd, &new, &self.fd, name).at("renaming", &path)?;
        // The folder's own name must last too, or nobody would find the file.
        fsync(&self.fd).and_then(|()| fsync(&self.dir_fd)).at("syncing the directory of", &path)
    }

    /// Opens the file `name` of the folder, if there is one.
    pub(super) fn open(&self, name: &str) -> Result<Option<File>, DiskError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match openat(&self.fd, name, flags, Mode::empty()) {
            Ok(file) => Ok(Some(file.into())),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(DiskError::new("opening", self.path().join(name), error)),
        }
    }

    /// Writes the commit record.
    pub(super) fn write_record(&self, moves: &[Move]) -> Result<(), DiskError> {
        self.write(RECORD, &record::encode(moves))
    }

    /// The commit record, if there is one.
    pub(super) fn read_record(&self) -> Result<Option<Vec<Move>>, ExtractError> {
        let path = self.path().join(RECORD);
        let Some(file) = self.open(RECORD)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.take(MAX_RECORD).read_to_end(&mut bytes).at("reading", &path)?;
        record::decode(&bytes).map(Some).map_err(|problem| ExtractError::BadRecord { path, problem })
    }

    /// Forgets the record: whatever stands in the target directory now is to stay.
    pub(super) fn remove_record(&self) -> Result<(), DiskError> {
        let path = self.path().join(RECORD);
        unlinkat(&self.fd, RECORD, AtFlags::empty()).and_then(|()| fsync(&self.fd)).at("removing", path)
    }

    /// Removes the folder with all in it, unless a record says that a commit is neither done nor undone: then the next
    /// run will see to it.
    pub(super) fn remove(&self) -> Result<(), DiskError> {
        let path = self.path();
        if entry(&self.fd, RECORD).at("looking at", &path)?.is_some() {
            return Ok(());
        }
        self.remove_contents().and_then(|()| Ok(fsync(&self.dir_fd)?)).at("removing", path)
    }

    /// The lock goes last, because a folder without one is not known for ours any more.
    fn remove_contents(&self) -> io::Result<()> {
        for name in names(&self.fd)?.iter().filter(|name| *name != LOCK) {
            remove_all(&self.fd, name)?;
        }
        remove_all(&self.dir_fd, &self.name)
    }
}

/// Whether `name` is what we call our staging folders, to the letter.
fn is_staging_name(name: &OsStr) -> bool {
    let id = name.as_bytes().strip_prefix(STAGING_PREFIX.as_bytes());
    id.is_some_and(|id| id.len() == 16 && id.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
}

/// Opens the directory `name`, if this user made it and nobody else gets into it.
fn open_own_folder(dir: &TargetDir, name: &OsStr) -> io::Result<Option<OwnedFd>> {
    let fd = match openat(&dir.fd, name, DIR_FLAGS, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::ACCESS) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(is_private(&fstat(&fd)?).then_some(fd))
}

/// Opens the lock file in `folder`, if there is one.
fn open_lock(folder: &OwnedFd) -> io::Result<Option<File>> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match openat(folder, LOCK, flags, Mode::empty()).map(File::from) {
        Ok(file) => Ok(file.metadata()?.is_file().then_some(file)),
        Err(Errno::NOENT | Errno::ISDIR | Errno::LOOP | Errno::NXIO) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Locks the lock file of the folder `path`. That its owner was removing it meanwhile, or took it for a dead run's,
/// shows in its having no name any more.
fn take_lock(lock: &File, path: &Path) -> Result<(), ExtractError> {
    let running = || ExtractError::AlreadyRunning { staging: path.into() };
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(running()),
        Err(TryLockError::Error(error)) => return Err(DiskError::new("locking", path, error).into()),
    }
    let stat = fstat(lock.as_fd()).at("looking at", path)?;
    if stat.st_nlink == 0 { Err(running()) } else { Ok(()) }
}
