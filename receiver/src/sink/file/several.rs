//! The files of a backup of several streams: `FILE.0`, `FILE.1` and so on, and what a receiver that was killed has left of
//! them.
//!
//! `FILE.partial` is empty then. It and its journal stay until the session is over for good: they say whose the files are.

use std::fs::{File, TryLockError};
use std::sync::Arc;

use rustix::fs::{FileType, OFlags, openat};
use rustix::io::Errno;
use xbproto::retry::listener_waits;
use xbproto::wire::{LaneSum, Reached, Receipt};

use super::claim::{Claim, claim, is_our_own};
use super::names::{CHECKSUM_PARTIAL, JOURNAL, Names, PARTIAL};
use super::publish::finish;
use super::recall::{check, recalled};
use crate::disk::{At, DiskError, Ownership, is_same};
use crate::journal::{Damage, Journal, Marks, Recalled, Record, Replayed, Session};
use crate::sink::SinkError;

/// One of the files.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) names: Names,
    /// Its partial file, locked; `None` if it was recalled and is not what was written.
    pub(super) file: Option<Arc<File>>,
}

/// What is to be gone on with.
pub(super) struct Kept {
    pub(super) recalled: Recalled,
    /// Its files.
    pub(super) parts: Vec<Part>,
}

/// The names of each of `lanes` files.
fn all_names(base: &Names, lanes: u16) -> Result<Vec<Names>, DiskError> {
    (0..lanes).map(|lane| base.of_part(lane)).collect()
}

/// Refuses files that exist.
///
/// # Errors
/// [`SinkError::Exists`].
pub(super) fn refuse_existing(base: &Names, lanes: u16) -> Result<(), SinkError> {
    all_names(base, lanes)?.iter().try_for_each(Names::refuse_existing)
}

/// Makes the partial files of `lanes` streams, all or none.
///
/// # Errors
/// When one exists already, or belongs to another receiver.
pub(super) fn make(base: &Names, lanes: u16) -> Result<Vec<Part>, SinkError> {
    let mut parts = Vec::new();
    for names in all_names(base, lanes)? {
        match make_part(names) {
            Ok(part) => parts.push(part),
            Err(error) => {
                remove(&parts);
                return Err(error);
            }
        }
    }
    Ok(parts)
}

fn make_part(names: Names) -> Result<Part, SinkError> {
    match claim(&names)? {
        Claim { file, journal: None, .. } => Ok(Part { names, file: Some(Arc::new(file)) }),
        // Another receiver, for this very file, was killed, and may come back for it.
        Claim { journal: Some(_), .. } => Err(SinkError::Exists { path: names.beside(JOURNAL) }),
    }
}

/// Removes the partial files. Nothing can be done about a failure; the next run replaces what is left.
pub(super) fn remove(parts: &[Part]) {
    for part in parts {
        for suffix in [PARTIAL, CHECKSUM_PARTIAL] {
            let _ = part.names.remove(suffix);
        }
    }
}

/// What `journal` tells of the files of `session`, which has several streams. If all of them had their names, or were
/// about to, it is finished; if only some had, they lose them again.
///
/// # Errors
/// When that cannot be done, or a file cannot be cut to what is told of it.
pub(super) fn recall(
    base: &Names,
    journal: &Journal,
    session: &Session,
    ownership: &Ownership,
) -> Result<Option<Kept>, SinkError> {
    let Replayed { presence: Some(presence), .. } = journal.says() else { return Ok(None) };
    let all = all_names(base, session.hello.lanes)?;
    if let Some(sums) = settled(session)
        && let Some(receipt) = publication(&all, sums, ownership)?
    {
        if journal.idle_for()? > listener_waits(session.hello.retry_for) {
            // The sender has given up long ago; what stands there are simply files that exist.
            journal.forget_session()?;
            let recalled = Recalled { presence, session: None, committed: None };
            return Ok(Some(Kept { recalled, parts: Vec::new() }));
        }
        if session.committed.is_none() {
            journal.append(Record::Committed(receipt.clone()))?;
        }
        let session = Some(recalled(session, Ok(())));
        return Ok(Some(Kept {
            recalled: Recalled { presence, session, committed: Some(receipt) },
            parts: Vec::new(),
        }));
    }
    let (mut parts, mut condition) = (Vec::new(), Ok(()));
    for (names, marks) in all.into_iter().zip(&session.lanes) {
        let (part, found) = reopen(names, marks)?;
        parts.push(part);
        condition = condition.and(found);
    }
    if condition.is_ok() {
        for (part, marks) in parts.iter().zip(&session.lanes) {
            let cut = part.file.as_ref().map_or(Ok(()), |file| file.set_len(marks.last.len()));
            cut.at("cutting", part.names.beside(PARTIAL))?;
        }
    }
    let session = Some(recalled(session, condition));
    Ok(Some(Kept { recalled: Recalled { presence, session, committed: None }, parts }))
}

/// What was given final names, or was about to be.
fn settled(session: &Session) -> Option<&[LaneSum]> {
    let sums = session.committed.as_ref().map(|receipt| receipt.lanes.as_slice()).or(session.committing.as_deref())?;
    let agree = |(sum, marks): (&LaneSum, &Marks)| (sum.len, sum.sum) == (marks.last.len(), marks.last.sum());
    (sums.len() == session.lanes.len() && sums.iter().zip(&session.lanes).all(agree)).then_some(sums)
}

/// Finishes a publication in which every file had got its name; takes back one in which only some had.
fn publication(all: &[Names], sums: &[LaneSum], ownership: &Ownership) -> Result<Option<Receipt>, SinkError> {
    let named = all.iter().zip(sums).map(|(names, sum)| is_published(names, sum)).collect::<Result<Vec<_>, _>>()?;
    if named.iter().all(|named| *named) {
        all.iter().zip(sums).try_for_each(|(names, sum)| finish(names, sum.sum, ownership))?;
        return Ok(Some(Receipt::of(Reached::Synced, sums.to_vec())));
    }
    for (names, _) in all.iter().zip(&named).filter(|(_, named)| **named) {
        // Of a rename in two steps only the first may be done.
        match names.entry(PARTIAL)? {
            Some(_) => names.remove("")?,
            None => names.rename("", PARTIAL)?,
        }
        names.sync()?;
    }
    Ok(None)
}

/// Whether what stands under the final name is what was received.
fn is_published(names: &Names, sum: &LaneSum) -> Result<bool, SinkError> {
    let Some(file) = names.entry("")? else { return Ok(false) };
    let is_whole =
        FileType::from_raw_mode(file.st_mode) == FileType::RegularFile && u64::try_from(file.st_size) == Ok(sum.len);
    let partial = names.entry(PARTIAL)?;
    match is_whole && partial.is_none_or(|partial| is_same(&partial, &file)) {
        true => Ok(true),
        // It is somebody else's, and in the way of ours.
        false => Err(SinkError::Exists { path: names.path().into() }),
    }
}

/// Takes over one partial file, or makes one of which nothing had been kept yet; whether it is what was written.
fn reopen(names: Names, marks: &Marks) -> Result<(Part, Result<(), Damage>), SinkError> {
    names.remove(CHECKSUM_PARTIAL)?;
    let path = names.beside(PARTIAL);
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match openat(names.dir(), names.suffixed(PARTIAL), flags, crate::disk::FILE_MODE) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) if marks.last.is_empty() => return Ok((make_part(names)?, Ok(()))),
        Err(Errno::NOENT) => {
            let damage = Damage::Short { path, expected: marks.last.len(), actual: 0 };
            return Ok((Part { names, file: None }, Err(damage)));
        }
        Err(error) => return Err(DiskError::new("opening", path, error).into()),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(SinkError::AlreadyRunning { path }),
        Err(TryLockError::Error(error)) => return Err(DiskError::new("locking", path, error).into()),
    }
    if !is_our_own(&file).at("looking at", &path)? {
        return Err(SinkError::Exists { path });
    }
    let condition = check(&file, &path, marks);
    let file = condition.is_ok().then(|| Arc::new(file));
    Ok((Part { names, file }, condition))
}
