//! Taking possession of a partial file.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;

use rustix::fs::{CWD, OFlags, openat};
use rustix::io::Errno;

use crate::disk::{At, DiskError, FILE_MODE, Notice, is_at};
use crate::sink::SinkError;

/// How often the file may change under our hands before somebody else is taken to be at work.
const TRIES: usize = 8;

/// Makes the empty file `path` and locks it. One that stands there and that nobody has locked is replaced.
pub(super) fn claim(path: &Path) -> Result<(File, Vec<Notice>), SinkError> {
    let mut notices = Vec::new();
    for _ in 0..TRIES {
        let Some((file, found)) = open(path).at("creating", path)? else { continue };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => break,
            Err(TryLockError::Error(error)) => return Err(DiskError::new("locking", path, error).into()),
        }
        // Between opening and locking, its owner may have committed it or another receiver may have replaced it.
        if !is_at(&file, path).at("looking at", path)? {
            continue;
        }
        if let Found::New = found {
            return Ok((file, notices));
        }
        std::fs::remove_file(path).at("removing", path)?;
        notices = vec![Notice::ReplacedPartial(path.into())];
    }
    Err(SinkError::AlreadyRunning { path: path.into() })
}

enum Found {
    New,
    Old,
}

/// Makes the file, or opens what is there; `None` if that vanished in between.
fn open(path: &Path) -> io::Result<Option<(File, Found)>> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    match openat(CWD, path, flags | OFlags::CREATE | OFlags::EXCL, FILE_MODE) {
        Ok(file) => return Ok(Some((file.into(), Found::New))),
        Err(Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    match openat(CWD, path, flags, FILE_MODE) {
        Ok(file) => Ok(Some((file.into(), Found::Old))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
