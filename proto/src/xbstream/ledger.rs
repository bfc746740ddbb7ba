//! The order files must keep: which are open, at which offset, and which are closed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::limits::NAMES_MEMORY;
use super::{Item, Opening, OrderError, StreamPath};

/// Follows the items of a stream (or of several lanes that make one tree) and refuses what no
/// reader could put together.
///
/// Items of different lanes may come interleaved. The names of all files are kept, ended ones
/// too, so that none can come twice: about 100 bytes for each, and 1 GiB at most (some ten
/// million files).
#[derive(Debug)]
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

    /// To be called at the end of all lanes: an error that names the files still open.
    pub fn finish(&self) -> Result<(), OrderError> {
        match self.open.len() as u64 {
            0 => Ok(()),
            count => Err(OrderError::Unfinished { first: self.open.keys().take(5).cloned().collect(), count }),
        }
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
        // A file that ends without having begun is an empty one.
        if self.open.remove(path).is_none() {
            self.claim(path, Opening::New)?;
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
        let selection = match path.as_bytes().strip_suffix(b"*") {
            Some(prefix) => Selection::Files(prefix),
            None => Selection::Tree(path.as_bytes()),
        };
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

/// The files that a rename or remove is about.
enum Selection<'a> {
    /// The file of this name, or all below the directory of this name.
    Tree(&'a [u8]),
    /// Files whose name begins so, none in a directory further down.
    Files(&'a [u8]),
}

/// The part of ordered names that begins at one.
type StartingAt<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

impl Selection<'_> {
    /// Finds the selected among ordered names, looking only at the ranges that can hold them.
    fn pick<'n, I>(&self, names: impl Fn(StartingAt<'_>) -> I) -> impl Iterator<Item = &'n StreamPath>
    where
        I: Iterator<Item = &'n StreamPath>,
    {
        let (name, prefix, below) = match self {
            Selection::Tree(name) => (Some(*name), [*name, b"/"].concat(), Below::Included),
            Selection::Files(prefix) => (None, prefix.to_vec(), Below::Excluded),
        };
        let starting_at = |start| names((Bound::Included(start), Bound::Unbounded));
        let named = name.and_then(|name| starting_at(name).next().filter(|first| first.as_bytes() == name));
        let prefixed =
            starting_at(&prefix).map_while(move |path| Some((path, path.as_bytes().strip_prefix(&prefix[..])?)));
        let wanted = move |rest: &[u8]| below == Below::Included || !rest.contains(&b'/');
        named.into_iter().chain(prefixed.filter(move |(_, rest)| wanted(rest)).map(|(path, _)| path))
    }
}

/// Whether directories further down belong to a selection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Below {
    Included,
    Excluded,
}
