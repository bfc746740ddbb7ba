//! The path table: what the stream calls a file, and the one name it has on disk.
//!
//! They differ by the suffixes of what is undone while unpacking. The table is keyed by the name on disk, and holds the
//! suffixes of those that have some; a file without is known to the ledger alone.

use std::collections::BTreeMap;
use std::ops::Bound;

use xbproto::stage::{Chain, StageKind, Stages};
use xbproto::xbstream::{Item, Ledger, StreamPath};

use super::path::{PathError, SafePath, Trailing};
use crate::extract::ExtractError;

/// The names on disk of the files of a backup.
#[derive(Debug)]
pub(in crate::extract) struct Names {
    stages: Stages,
    suffixes: BTreeMap<StreamPath, Suffix>,
}

/// What the stream appends to the name that a file has on disk.
type Suffix = Box<[u8]>;

/// How the stream brings the file that an item is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::extract) struct Brought {
    /// As the stream calls it.
    pub(in crate::extract) path: StreamPath,
    /// What is to be undone, in this order.
    pub(in crate::extract) kinds: Vec<StageKind>,
}

/// The name on disk of what a stream calls `path`, which is safe, where `stages` are undone; and what is undone of it.
///
/// # Errors
/// When what is left of the name is not safe.
pub(crate) fn on_disk(stages: &Stages, path: &StreamPath) -> Result<(StreamPath, Vec<StageKind>), PathError> {
    let (name, kinds) = stages.of(path.as_bytes());
    if kinds.is_empty() {
        return Ok((path.clone(), kinds));
    }
    // Without its suffix a name may be `..`.
    let safe = SafePath::parse(&StreamPath(name.into()), Trailing::Refused)?;
    Ok((safe.into_stream(), kinds))
}

impl Names {
    /// No files yet; `stages` says what is undone.
    pub(in crate::extract) fn new(stages: Stages) -> Names {
        Names { stages, suffixes: BTreeMap::new() }
    }

    /// What undoes these kinds; `None` if there are none.
    pub(in crate::extract) fn chain(&self, kinds: &[StageKind]) -> Option<Chain> {
        (!kinds.is_empty()).then(|| self.stages.chain(kinds))
    }

    /// The files that were decoded, by their names on disk, with what was undone of each.
    pub(in crate::extract) fn decoded(&self) -> impl Iterator<Item = (&StreamPath, Vec<StageKind>)> {
        self.suffixes.iter().map(|(disk, suffix)| (disk, self.stages.of(&[disk.as_bytes(), suffix].concat()).1))
    }

    /// Gives the paths of `item`, which are safe, the names that they have on disk, and says how its file is brought, if
    /// it is about one. `ledger` has not seen the item yet.
    ///
    /// # Errors
    /// When two files of the stream would have one name, or what is left of a name is not safe.
    pub(in crate::extract) fn resolve(
        &mut self,
        item: &mut Item,
        ledger: &Ledger,
    ) -> Result<Option<Brought>, ExtractError> {
        match item {
            Item::Payload { path, .. } | Item::Sparse { path, .. } | Item::Seek { path, .. } | Item::End { path } => {
                self.file(path, ledger).map(Some)
            }
            Item::Rename { from, to } => {
                (*from, *to) = (self.on_disk(from)?.0, self.on_disk(to)?.0);
                self.rename(from, to, ledger);
                Ok(None)
            }
            Item::Remove { path } => {
                if !self.stages.is_idle() {
                    *path = self.removed(path)?;
                    self.forget(path);
                }
                Ok(None)
            }
            Item::Ignored { .. } | Item::Data(_) | Item::Verified => Ok(None),
        }
    }

    fn file(&mut self, path: &mut StreamPath, ledger: &Ledger) -> Result<Brought, ExtractError> {
        let (disk, kinds) = self.on_disk(path)?;
        let suffix = &path.as_bytes()[disk.as_bytes().len()..];
        let known = match self.suffixes.get(&disk) {
            Some(known) => Some(&known[..]),
            None => ledger.knows(&disk).then_some(&b""[..]),
        };
        match known {
            Some(known) if known != suffix => {
                let first = StreamPath([disk.as_bytes(), known].concat().into());
                return Err(ExtractError::OneName { first, second: path.clone(), disk });
            }
            None if !suffix.is_empty() => {
                self.suffixes.insert(disk.clone(), suffix.into());
            }
            _ => {}
        }
        Ok(Brought { path: std::mem::replace(path, disk), kinds })
    }

    /// The name on disk of what the stream calls `path`.
    fn on_disk(&self, path: &StreamPath) -> Result<(StreamPath, Vec<StageKind>), ExtractError> {
        Ok(on_disk(&self.stages, path)?)
    }

    /// A removal may name a directory, or with `*` at its end many files, the suffix before or behind that.
    fn removed(&self, path: &StreamPath) -> Result<StreamPath, ExtractError> {
        match path.as_bytes().strip_suffix(b"*").map(|prefix| self.stages.of(prefix)) {
            Some((_, kinds)) if kinds.is_empty() => Ok(path.clone()),
            Some((prefix, _)) => Ok(StreamPath([prefix, b"*"].concat().into())),
            None => Ok(self.on_disk(path)?.0),
        }
    }

    fn rename(&mut self, from: &StreamPath, to: &StreamPath, ledger: &Ledger) {
        match self.suffixes.remove(from) {
            Some(suffix) => {
                self.suffixes.insert(to.clone(), suffix);
            }
            None if ledger.knows(from) => {
                self.suffixes.remove(to);
            }
            // A rename of what did not come is ignored.
            None => {}
        }
    }

    /// Forgets what a removal is about.
    fn forget(&mut self, path: &StreamPath) {
        let bytes = path.as_bytes();
        let (prefix, files_only) = match bytes.strip_suffix(b"*") {
            Some(prefix) => (prefix.to_vec(), true),
            None => ([bytes, b"/"].concat(), false),
        };
        self.suffixes.remove(path);
        let from = (Bound::Included(&prefix[..]), Bound::Unbounded);
        let below = self.suffixes.range::<[u8], _>(from).map(|(path, _)| path);
        let below = below.take_while(|path| path.as_bytes().starts_with(&prefix));
        let gone = below.filter(|path| !files_only || !path.as_bytes()[prefix.len()..].contains(&b'/'));
        for path in gone.cloned().collect::<Vec<_>>() {
            self.suffixes.remove(&path);
        }
    }
}
