//! Taking possession of a partial file and its journal.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{CWD, OFlags, openat};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::names::{JOURNAL, Names, PARTIAL};
use crate::disk::{At, DiskError, FILE_MODE, Notice, is_at};
use crate::journal::{Found, Journal};
use crate::sink::SinkError;

/// How often the file may change under our hands before somebody else is taken to be at work.
const TRIES: usize = 8;

/// A partial file that this process has locked.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) file: File,
    /// What tells of the bytes in it, if they are to be kept. A file without a journal is empty.
    pub(super) journal: Option<Journal>,
    pub(super) notices: Vec<Notice>,
}

/// Makes the partial file, or takes over the one that stands there and that nobody has locked, if its journal tells
/// whose it was; if none does, it is replaced.
///
/// # Errors
/// `Exists` when the final name is taken, `AlreadyRunning` when the owner lives.
pub(super) fn claim(names: &Names) -> Result<Claim, SinkError> {
    names.refuse_existing()?;
    let path = names.beside(PARTIAL);
    let mut notices = Vec::new();
    for _ in 0..TRIES {
        let Some((file, origin)) = open(&path).at("creating", &path)? else { continue };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => break,
            Err(TryLockError::Error(error)) => return Err(DiskError::new("locking", path, error).into()),
        }
        // Between opening and locking, its owner may have committed it or another receiver may have replaced it.
        if !is_at(&file, &path).at("looking at", &path)? {
            continue;
        }
        match origin {
            Origin::New => {
                let ready = clear(names);
                let claim = ready.map(|()| Claim { file, journal: None, notices });
                return claim.inspect_err(|_| drop(names.remove(PARTIAL)));
            }
            Origin::Old => {
                // Bytes of somebody else, or known by another name as well, are not gone on with.
                if is_our_own(&file).at("looking at", &path)?
                    && let Some(journal) = telling(names)?
                {
                    names.refuse_existing()?;
                    return Ok(Claim { file, journal: Some(journal), notices });
                }
                std::fs::remove_file(&path).at("removing", &path)?;
                notices = vec![Notice::ReplacedPartial(path.clone())];
            }
        }
    }
    Err(SinkError::AlreadyRunning { path })
}

/// Clears the way for a new file: once more, now that nobody else can be committing it.
fn clear(names: &Names) -> Result<(), SinkError> {
    names.refuse_existing()?;
    // The file that a journal tells of is gone.
    telling(names)?.map_or(Ok(()), |journal| Ok(journal.remove()?))
}

/// The journal that tells whose the partial file was. One that does not tell is removed.
fn telling(names: &Names) -> Result<Option<Journal>, SinkError> {
    let path = names.beside(JOURNAL);
    match Journal::open(names.dir(), &path)? {
        Found::Nothing => Ok(None),
        Found::Locked => Err(SinkError::AlreadyRunning { path }),
        Found::Other => Err(SinkError::Exists { path }),
        Found::Journal(journal) if journal.says().presence.is_some() => Ok(Some(journal)),
        Found::Journal(journal) => {
            journal.remove()?;
            Ok(None)
        }
    }
}

/// Whether a file is this user's, and has no other name.
pub(super) fn is_our_own(file: &File) -> io::Result<bool> {
    let meta = file.metadata()?;
    Ok(meta.is_file() && meta.nlink() == 1 && meta.uid() == geteuid().as_raw())
}

enum Origin {
    New,
    Old,
}

/// Makes the file, or opens what is there; `None` if that vanished in between.
fn open(path: &Path) -> io::Result<Option<(File, Origin)>> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    match openat(CWD, path, flags | OFlags::CREATE | OFlags::EXCL, FILE_MODE) {
        Ok(file) => return Ok(Some((file.into(), Origin::New))),
        Err(Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    match openat(CWD, path, flags, FILE_MODE) {
        Ok(file) => Ok(Some((file.into(), Origin::Old))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
