//! The order files must keep: which are open, at which offset, and which are closed.

mod selection;

use std::collections::{BTreeMap, BTreeSet};

pub use self::selection::{Selection, StartingAt};
use super::limits::NAMES_MEMORY;
use super::{Item, Opening, OrderError, StreamPath};

/// Follows the items of a stream (or of several lanes that make one tree) and refuses what no
/// reader could put together.
///
/// Items of different lanes may come interleaved. The names of all files are kept, ended ones
/// too, so that none can come twice: about 100 bytes for each, and 1 GiB at most (some ten
/// million files).
#[derive(Clone, Debug)]
pub struct Ledger {
    /// Files begun and not ended, each with the offset its next payload must have.
    open: BTreeMap<StreamPath, u64>,
    closed: BTreeSet<StreamPath>,
    /// Memory the names take, in bytes, and how much they may.
    used: usize,
    limit: usize,
}

impl Default for Ledger {
    fn default() -> Self {
        Ledger { open: BTreeMap::new(), closed: BTreeSet::new(), used: 0, limit: NAMES_MEMORY }
    }
}

impl Ledger {
    /// Checks one item and takes note of it.
    pub fn apply(&mut self, item: &Item) -> Result<(), OrderError> {
        match item {
            Item::Payload { path, opening, offset, len } => self.write(path, *opening, *offset, *len),
            Item::Sparse { path, offset, len, runs } => {
                let holes: u64 = runs.iter().map(|run| u64::from(run.skip)).sum();
                self.write(path, Opening::New, *offset, holes.saturating_add(*len))
            }
            Item::Seek { path, offset } => self.seek(path, *offset),
            Item::End { path } => self.end(path),
            Item::Rename { from, to } => self.rename(from, to),
            Item::Remove { path } => self.remove(path),
            Item::Ignored { .. } | Item::Data(_) | Item::Verified => Ok(()),
        }
    }

    /// Files that were begun and not ended, in order of their names.
    pub fn open_files(&self) -> Vec<StreamPath> {
        self.open.keys().cloned().collect()
    }

    /// How many files were ended (and not removed since).
    pub fn closed_files(&self) -> u64 {
        self.closed.len() as u64
    }

    /// Whether there is a file of this name, complete or not.
    pub fn knows(&self, path: &StreamPath) -> bool {
        self.open.contains_key(path) || self.closed.contains(path)
    }

    /// Whether there is a file below the directory of this name, complete or not.
    pub fn knows_below(&self, dir: &StreamPath) -> bool {
        let below = Selection::Tree(dir.as_bytes());
        let open = below.pick(|from| self.open.range::<[u8], _>(from).map(|(path, _)| path));
        let closed = below.pick(|from| self.closed.range::<[u8], _>(from));
        open.chain(closed).any(|path| path != dir)
    }

    /// To be called at the end of all lanes: an error that names the files still open.
    pub fn finish(&self) -> Result<(), OrderError> {
        match self.open.len() as u64 {
            0 => Ok(()),
            count => Err(OrderError::Unfinished { first: self.open.keys().take(5).cloned().collect(), count }),
        }
    }

    /// What holds between any two items.
    #[cfg(any(test, fuzzing))]
    pub(super) fn check_invariants(&self) {
        assert!(self.open.keys().all(|path| !self.closed.contains(path)), "no file is both open and closed");
        let used: usize = self.open.keys().chain(&self.closed).map(cost).sum();
        assert_eq!(self.used, used, "every name is accounted for once");
    }

    fn write(&mut self, path: &StreamPath, opening: Opening, offset: u64, len: u64) -> Result<(), OrderError> {
        let next = self.position(path, opening)?;
        if *next != offset {
            return Err(OrderError::OutOfOrder { path: path.clone(), expected: *next, actual: offset });
        }
        *next = offset.saturating_add(len);
        Ok(())
    }

    fn seek(&mut self, path: &StreamPath, offset: u64) -> Result<(), OrderError> {
        *self.position(path, Opening::New)? = offset;
        Ok(())
    }

    fn end(&mut self, path: &StreamPath) -> Result<(), OrderError> {
        // A file that ends without having begun is an empty one. MariaDB sends one again after it was altered, or
        // truncated, during the backup; without a payload there is no chunk that could say so by its flags.
        if self.open.remove(path).is_none() {
            self.claim(path, Opening::Rewrite)?;
        }
        self.closed.insert(path.clone());
        Ok(())
    }

    /// The offset of a file's next payload. Only the chunk that opens a file decides how.
    fn position(&mut self, path: &StreamPath, opening: Opening) -> Result<&mut u64, OrderError> {
        if !self.open.contains_key(path) {
            self.claim(path, opening)?;
        }
        Ok(self.open.entry(path.clone()).or_insert(0))
    }

    /// Makes sure that a file may begin under this name, and that the name is accounted for.
    fn claim(&mut self, path: &StreamPath, opening: Opening) -> Result<(), OrderError> {
        match (self.closed.contains(path), opening) {
            (true, Opening::New) => Err(OrderError::Twice { path: path.clone() }),
            (true, Opening::Rewrite) => {
                self.closed.remove(path);
                Ok(())
            }
            (false, _) => self.charge(path),
        }
    }

    fn rename(&mut self, from: &StreamPath, to: &StreamPath) -> Result<(), OrderError> {
        let selection = Selection::Tree(from.as_bytes());
        self.check_none_open(from, &selection)?;
        self.check_none_open(to, &Selection::Tree(to.as_bytes()))?;
        for name in self.take(&selection) {
            let below = &name.as_bytes()[from.as_bytes().len()..];
            let renamed = StreamPath([to.as_bytes(), below].concat().into());
            if !self.closed.contains(&renamed) {
                self.charge(&renamed)?;
                self.closed.insert(renamed);
            }
        }
        Ok(())
    }

    fn remove(&mut self, path: &StreamPath) -> Result<(), OrderError> {
        let selection = Selection::removed_by(path);
        self.check_none_open(path, &selection)?;
        self.take(&selection);
        Ok(())
    }

    fn check_none_open(&self, name: &StreamPath, selection: &Selection<'_>) -> Result<(), OrderError> {
        match selection.pick(|from| self.open.range::<[u8], _>(from).map(|(path, _)| path)).next() {
            Some(open) => Err(OrderError::StillOpen { name: name.clone(), open: open.clone() }),
            None => Ok(()),
        }
    }

    /// Takes the selected files out of the closed ones.
    fn take(&mut self, selection: &Selection<'_>) -> Vec<StreamPath> {
        let selected: Vec<StreamPath> = selection.pick(|from| self.closed.range::<[u8], _>(from)).cloned().collect();
        for name in &selected {
            self.closed.remove(name);
            self.used -= cost(name);
        }
        selected
    }

    /// Accounts for the memory of one more name.
    fn charge(&mut self, path: &StreamPath) -> Result<(), OrderError> {
        let used = self.used + cost(path);
        if used > self.limit {
            return Err(OrderError::TooManyNames { path: path.clone(), limit: self.limit });
        }
        self.used = used;
        Ok(())
    }
}

/// The length of a name and about what the tree and the allocator add.
fn cost(path: &StreamPath) -> usize {
    path.as_bytes().len() + 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bounded() {
        let mut ledger = Ledger { limit: 2 * 65, ..Ledger::default() };
        let end = |name: &str| Item::End { path: StreamPath::from(name) };
        let remove = Item::Remove { path: StreamPath::from("a") };
        assert_eq!(ledger.apply(&end("a")), Ok(()));
        assert_eq!(ledger.apply(&end("b")), Ok(()));
        let error = ledger.apply(&end("c")).expect_err("a third name");
        assert_eq!(error.to_string(), "c: the names of the files in this stream take more than 130 bytes");
        assert_eq!(ledger.apply(&remove), Ok(()));
        assert_eq!(ledger.apply(&end("c")), Ok(()));
    }
}
