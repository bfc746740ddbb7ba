//! Which names are directories, so that none is a file too. Pure.
//!
//! A stream has no chunk that makes a directory: there is one wherever a file lies. It stays when the file goes, until it
//! is removed itself.

use std::collections::BTreeSet;

use xbproto::xbstream::{Item, Ledger, Selection, StreamPath};

use crate::extract::ExtractError;

/// The most directories without a file that are known. Of more than that, only the disk can tell.
const MAX_LEFT: usize = 100_000;

/// The directories of a backup, as far as its files do not tell of them.
#[derive(Debug, Default)]
pub(in crate::extract) struct Directories {
    /// Those that a file was removed from, or renamed. There may be others in them.
    left: BTreeSet<StreamPath>,
}

impl Directories {
    /// Whether `item` may have its names, which are safe and those on disk. `ledger` has not seen it yet.
    ///
    /// # Errors
    /// `Conflict` when one of them would be a file and a directory, `RenamedDirectory` when it renames one.
    pub(in crate::extract) fn place(&mut self, item: &Item, ledger: &Ledger) -> Result<(), ExtractError> {
        match item {
            Item::Payload { path, .. } | Item::Sparse { path, .. } | Item::Seek { path, .. } | Item::End { path } => {
                if ledger.knows(path) {
                    Ok(())
                } else {
                    self.check_vacant(path, ledger)
                }
            }
            Item::Rename { from, to } => self.rename(from, to, ledger),
            Item::Remove { path } => self.remove(path, ledger),
            Item::Ignored { .. } | Item::Data(_) | Item::Verified => Ok(()),
        }
    }

    fn rename(&mut self, from: &StreamPath, to: &StreamPath, ledger: &Ledger) -> Result<(), ExtractError> {
        check_way(from, ledger)?;
        if self.has(from, ledger) {
            return Err(ExtractError::RenamedDirectory { path: from.clone() });
        }
        // One that did not come is ignored.
        if ledger.knows(from) {
            self.check_vacant(to, ledger)?;
            self.leave(from);
        }
        Ok(())
    }

    fn remove(&mut self, path: &StreamPath, ledger: &Ledger) -> Result<(), ExtractError> {
        check_way(path, ledger)?;
        match parent(path) {
            _ if ledger.knows(path) => self.leave(path),
            // Files of one directory go, and no directory.
            Some(dir) if path.as_bytes().ends_with(b"*") && self.has(&dir, ledger) => self.leave(path),
            _ if self.has(path, ledger) => {
                let removed = Selection::Tree(path.as_bytes());
                let gone = removed.pick(|from| self.left.range::<[u8], _>(from));
                for dir in gone.cloned().collect::<Vec<StreamPath>>() {
                    self.left.remove(&dir);
                }
                self.leave(path);
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether `path` can be a file, be there one already or not.
    fn check_vacant(&self, path: &StreamPath, ledger: &Ledger) -> Result<(), ExtractError> {
        check_way(path, ledger)?;
        if self.has(path, ledger) { Err(ExtractError::Conflict { path: path.clone() }) } else { Ok(()) }
    }

    /// Whether `path` is a directory.
    fn has(&self, path: &StreamPath, ledger: &Ledger) -> bool {
        let in_it = Selection::Tree(path.as_bytes());
        ledger.knows_below(path) || in_it.pick(|from| self.left.range::<[u8], _>(from)).next().is_some()
    }

    /// Keeps the directory that `path` is no longer in.
    fn leave(&mut self, path: &StreamPath) {
        if let Some(dir) = parent(path).filter(|_| self.left.len() < MAX_LEFT) {
            self.left.insert(dir);
        }
    }
}

/// Whether no file lies on the way to `path`.
fn check_way(path: &StreamPath, ledger: &Ledger) -> Result<(), ExtractError> {
    let way = std::iter::successors(parent(path), parent);
    match way.into_iter().any(|dir| ledger.knows(&dir)) {
        true => Err(ExtractError::Conflict { path: path.clone() }),
        false => Ok(()),
    }
}

/// The directory that `path` lies in, but for the one all begin at.
fn parent(path: &StreamPath) -> Option<StreamPath> {
    let end = path.as_bytes().iter().rposition(|byte| *byte == b'/')?;
    Some(StreamPath(path.as_bytes()[..end].into()))
}
