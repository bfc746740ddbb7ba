//! The file of a journal, beside the file it tells of.
//!
//! It holds a key, so it is for this user only, and only what this user alone could have written is believed. Its owner
//! has it locked as long as it lives.

use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::{AtFlags, Mode, OFlags, fstat, fsync, openat, renameat, unlinkat};
use rustix::io::Errno;

use super::record::{Presence, Record};
use super::replay::{MAGIC, Replayed, replay};
use crate::disk::{At, DiskError, entry, is_private, is_same, rename_new};

/// The length at which a journal is written anew, in bytes; what it says takes a third of it at most.
const COMPACT_AT: u64 = 1 << 20;

/// How much of a journal is read, in bytes. Ours are shorter.
const MAX_JOURNAL: u64 = 2 * COMPACT_AT;

/// How often a journal may change under our hands before its owner is taken to be alive.
const TRIES: usize = 8;

/// A journal that this process has locked.
#[derive(Debug)]
pub(crate) struct Journal {
    dir: OwnedFd,
    path: PathBuf,
    content: Mutex<Content>,
}

#[derive(Debug)]
struct Content {
    file: File,
    len: u64,
    says: Replayed,
    /// Once it has no name any more, nothing is written that could give it one again.
    removed: bool,
}

/// What stands where a journal would.
#[derive(Debug)]
pub(crate) enum Found {
    /// Nothing.
    Nothing,
    /// The journal of somebody who lives.
    Locked,
    /// Something else, or what we may not read.
    Other,
    /// A journal whose owner is dead. Of one that is not to be believed nothing is.
    Journal(Journal),
}

impl Journal {
    /// Makes the journal `path`, which lies in `dir`. It appears all at once, and lasts.
    ///
    /// # Errors
    /// `AlreadyExists` when something stands there.
    pub(crate) fn create(dir: &OwnedFd, path: &Path, presence: &Presence) -> Result<Journal, DiskError> {
        let says = Replayed { presence: Some(presence.clone()), session: None };
        let dir = dir.try_clone().at("opening the directory of", path)?;
        let content = write_anew(&dir, path, says)?;
        let renamed = rename_new(&dir, &temporary(path), &dir, name_of(path)).inspect_err(|_| {
            let _ = unlinkat(&dir, temporary(path), AtFlags::empty());
        });
        renamed.at("renaming", path)?;
        fsync(&dir).at("syncing the directory of", path)?;
        Ok(Journal { dir, path: path.into(), content: Mutex::new(content) })
    }

    /// Takes over the journal `path`, which lies in `dir`, and cuts off what is not believed of it.
    ///
    /// # Errors
    /// When it cannot be read or cut.
    pub(crate) fn open(dir: &OwnedFd, path: &Path) -> Result<Found, DiskError> {
        for _ in 0..TRIES {
            let file = match open_file(dir, path).at("opening", path)? {
                Ok(file) => file,
                Err(found) => return Ok(found),
            };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(Found::Locked),
                Err(TryLockError::Error(error)) => return Err(DiskError::new("locking", path, error)),
            }
            // Between opening and locking, its owner may have written it anew, or removed it.
            let ours = fstat(&file).at("looking at", path)?;
            let there = entry(dir, name_of(path)).at("looking at", path)?;
            if there.is_some_and(|there| is_same(&there, &ours)) {
                let dir = dir.try_clone().at("opening the directory of", path)?;
                let Some(content) = read(file, path)? else { return Ok(Found::Other) };
                return Ok(Found::Journal(Journal { dir, path: path.into(), content: Mutex::new(content) }));
            }
        }
        Ok(Found::Locked)
    }

    /// What it says.
    pub(crate) fn says(&self) -> Replayed {
        self.lock().says.clone()
    }

    /// Appends a record, and makes it durable. It is written anew when it has grown too long.
    ///
    /// # Errors
    /// When it cannot be written; `InvalidInput` when the record contradicts those before it.
    pub(crate) fn append(&self, record: Record) -> Result<(), DiskError> {
        let mut content = self.lock();
        if content.removed {
            return Ok(());
        }
        let bytes = record.encode();
        let taken = content.says.take_in(record);
        taken.map_err(|_| DiskError::new("writing", &self.path, io::ErrorKind::InvalidInput))?;
        content.file.write_all_at(&bytes, content.len).at("writing", &self.path)?;
        content.file.sync_data().at("syncing", &self.path)?;
        content.len += bytes.len() as u64;
        if content.len > COMPACT_AT { self.write_anew(&mut content) } else { Ok(()) }
    }

    /// Forgets the session, but not whose it was.
    pub(crate) fn forget_session(&self) -> Result<(), DiskError> {
        let mut content = self.lock();
        content.says.session = None;
        self.write_anew(&mut content)
    }

    /// How long nothing has been written to it, by the calendar.
    ///
    /// # Errors
    /// When it cannot be looked at.
    pub(crate) fn idle_for(&self) -> Result<Duration, DiskError> {
        let modified = self.lock().file.metadata().and_then(|meta| meta.modified()).at("looking at", &self.path)?;
        // A clock that was set back makes nothing older.
        Ok(modified.elapsed().unwrap_or_default())
    }

    /// Removes it, for good: what is appended later is lost.
    pub(crate) fn remove(&self) -> Result<(), DiskError> {
        self.lock().removed = true;
        let _ = unlinkat(&self.dir, temporary(&self.path), AtFlags::empty());
        let removed = unlinkat(&self.dir, name_of(&self.path), AtFlags::empty()).and_then(|()| fsync(&self.dir));
        removed.at("removing", &self.path)
    }

    /// Replaces the file by the shortest one that says the same. The new one is locked before it has the name.
    fn write_anew(&self, content: &mut Content) -> Result<(), DiskError> {
        let new = write_anew(&self.dir, &self.path, content.says.clone())?;
        let renamed = renameat(&self.dir, temporary(&self.path), &self.dir, name_of(&self.path));
        renamed.at("renaming", &self.path)?;
        *content = new;
        fsync(&self.dir).at("syncing the directory of", &self.path)
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of the lock, as the death of the process does.
    #[cfg(test)]
    pub(crate) fn lose_lock(&self) {
        self.lock().file.unlock().unwrap();
    }
}

/// Opens the file, or says what it is instead.
fn open_file(dir: &OwnedFd, path: &Path) -> io::Result<Result<File, Found>> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match openat(dir, name_of(path), flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(Err(Found::Nothing)),
        Err(Errno::LOOP | Errno::ISDIR | Errno::NXIO | Errno::ACCESS) => return Ok(Err(Found::Other)),
        Err(error) => return Err(error.into()),
    };
    Ok(if file.metadata()?.is_file() { Ok(file) } else { Err(Found::Other) })
}

/// Reads a journal, and cuts off what is not believed. `None` if it is none.
fn read(file: File, path: &Path) -> Result<Option<Content>, DiskError> {
    let mut bytes = Vec::new();
    (&file).take(MAX_JOURNAL).read_to_end(&mut bytes).at("reading", path)?;
    if !bytes.starts_with(MAGIC) {
        return Ok(None);
    }
    let stat = fstat(&file).at("looking at", path)?;
    if !is_private(&stat) {
        return Ok(Some(Content { file, len: 0, says: Replayed::default(), removed: false }));
    }
    let (says, believed) = replay(&bytes);
    let len = believed as u64;
    if u64::try_from(stat.st_size) != Ok(len) {
        file.set_len(len).and_then(|()| file.sync_all()).at("cutting", path)?;
    }
    Ok(Some(Content { file, len, says, removed: false }))
}

/// Writes a journal that says `says` under its temporary name, locked and synced. Nobody else had the file before.
fn write_anew(dir: &OwnedFd, path: &Path, says: Replayed) -> Result<Content, DiskError> {
    let (name, bytes) = (temporary(path), says.encode());
    match unlinkat(dir, &name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => return Err(DiskError::new("removing what was left of", path, error)),
    }
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(dir, &name, flags, Mode::RUSR | Mode::WUSR).map(File::from).at("creating", path)?;
    file.lock().at("locking", path)?;
    let written = file.write_all_at(&bytes, 0).at("writing", path).and_then(|()| file.sync_all().at("syncing", path));
    written.inspect_err(|_| {
        let _ = unlinkat(dir, &name, AtFlags::empty());
    })?;
    Ok(Content { file, len: bytes.len() as u64, says, removed: false })
}

fn name_of(path: &Path) -> &OsStr {
    path.file_name().unwrap_or_default()
}

fn temporary(path: &Path) -> OsString {
    let mut name = name_of(path).to_owned();
    name.push(".new");
    name
}
