//! What a receiver that was killed has left of a file, and whether it is still what was written.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::FileType;
use xbproto::retry::listener_waits;
use xbproto::wire::{LaneSum, Reached, Receipt};

use super::names::{CHECKSUM_PARTIAL, JOURNAL, Names, PARTIAL};
use super::publish::finish;
use crate::disk::{At, DiskError, Ownership, is_same};
use crate::journal::{Damage, Found, Journal, Marks, Recalled, RecalledSession, Record, Replayed, Session};
use crate::sink::SinkError;

/// How much is read at a time to check it, in bytes.
const PIECE: usize = 256 << 10;

/// What `journal` tells of the partial file `file`, for the one stream of a session. Bytes that it does not tell of are cut off, unless those that it
/// tells of are damaged: then nothing is touched. `None` if it tells nothing.
///
/// # Errors
/// When the file cannot be cut.
pub(super) fn recall(file: &File, names: &Names, journal: &Journal) -> Result<Option<Recalled>, DiskError> {
    let Replayed { presence: Some(presence), session } = journal.says() else { return Ok(None) };
    let path = names.beside(PARTIAL);
    names.remove(CHECKSUM_PARTIAL)?;
    let Some(session) = session else {
        file.set_len(0).at("cutting", &path)?;
        return Ok(Some(Recalled { presence, session: None, committed: None }));
    };
    let marks = session.lanes.first().cloned().unwrap_or_default();
    let condition = check(file, &path, &marks);
    if condition.is_ok() {
        file.set_len(marks.last.len()).at("cutting", &path)?;
    }
    Ok(Some(Recalled { presence, session: Some(recalled(&session, condition)), committed: None }))
}

/// What an earlier run had committed, or as good as, when it was killed. What it lacked is done now. `None` if that is
/// not certainly what stands there.
///
/// # Errors
/// When what it lacked cannot be done, or its owner lives.
pub(super) fn committed(names: &Names, ownership: &Ownership) -> Result<Option<(Journal, Recalled)>, SinkError> {
    let Some(file) = names.entry("")? else { return Ok(None) };
    if names.entry(PARTIAL)?.is_some_and(|partial| !is_same(&partial, &file)) {
        return Ok(None);
    }
    let path = names.beside(JOURNAL);
    let journal = match Journal::open(names.dir(), &path)? {
        Found::Journal(journal) => journal,
        Found::Locked => return Err(SinkError::AlreadyRunning { path }),
        Found::Nothing | Found::Other => return Ok(None),
    };
    let Replayed { presence: Some(presence), session: Some(session) } = journal.says() else { return Ok(None) };
    let Some(sum) = published(&session) else { return Ok(None) };
    let is_file = FileType::from_raw_mode(file.st_mode) == FileType::RegularFile;
    if !is_file || u64::try_from(file.st_size) != Ok(sum.len) {
        return Ok(None);
    }
    finish(names, sum.sum, ownership)?;
    if journal.idle_for()? > listener_waits(session.hello.retry_for) {
        // The sender has given up long ago; what stands there is simply a file that exists.
        journal.remove()?;
        return Ok(None);
    }
    let receipt = Receipt::of(Reached::Synced, vec![sum]);
    if session.committed.is_none() {
        journal.append(Record::Committed(receipt.clone()))?;
    }
    let session = Some(recalled(&session, Ok(())));
    Ok(Some((journal, Recalled { presence, session, committed: Some(receipt) })))
}

/// What was given its final name, or was about to be. It is all that was written.
fn published(session: &Session) -> Option<LaneSum> {
    let sums = session.committed.as_ref().map(|receipt| &receipt.lanes).or(session.committing.as_ref())?;
    let ([sum], [marks]) = (sums.as_slice(), session.lanes.as_slice()) else { return None };
    ((sum.len, sum.sum) == (marks.last.len(), marks.last.sum())).then_some(*sum)
}

pub(super) fn recalled(session: &Session, condition: Result<(), Damage>) -> RecalledSession {
    let lanes = session.lanes.iter().map(|marks| marks.last.clone()).collect();
    RecalledSession { hello: session.hello.clone(), lanes, condition }
}

/// Whether the bytes that were synced last are in the file: those between the last two points that were kept.
pub(super) fn check(file: &File, path: &Path, marks: &Marks) -> Result<(), Damage> {
    let (from, to) = (marks.earlier.len(), marks.last.len());
    let unreadable = |error| Damage::Unreadable(DiskError::new("reading", path, error));
    let actual = file.metadata().map_err(unreadable)?.len();
    let short = |actual| Damage::Short { path: path.into(), expected: to, actual };
    if actual < to {
        return Err(short(actual));
    }
    let mut digest = marks.earlier.clone();
    let mut piece = vec![0; PIECE];
    while digest.len() < to {
        let left = usize::try_from(to - digest.len()).unwrap_or(PIECE).min(PIECE);
        let read = file.read_at(&mut piece[..left], digest.len());
        match read {
            Ok(0) => return Err(short(digest.len())),
            Ok(read) => digest.update(&piece[..read]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
    match (marks.last.sum(), digest.sum()) {
        (expected, actual) if expected == actual => Ok(()),
        (expected, actual) => Err(Damage::Changed { path: path.into(), from, to, expected, actual }),
    }
}
