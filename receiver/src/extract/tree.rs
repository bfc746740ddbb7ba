//! The files of a backup while they come: what is open, and what each chunk does to the staging tree.
//!
//! Nothing here decides whether a chunk comes in order; the inventory has done that. What is decided here is where a name
//! may lead: to real directories of the staging tree, and to nothing that the target directory has already.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, OFlags, openat, renameat, unlinkat};
use rustix::io::Errno;
use xbproto::stage::{Chain, StageKind};
use xbproto::xbstream::{Item, Opening, SparseRun, StreamPath};

use super::ExtractError;
use super::beneath::Beneath;
use super::files::content::{Content, Part};
use super::files::ending::Ending;
use super::files::writers::{Resources, Slot};
use super::files::writing::Writing;
use super::naming::names::Brought;
use super::naming::path::{SafePath, Trailing};
use super::parents::{Parent, Parents};
use crate::disk::{At, DiskError, FILE_MODE, PageCache, as_path, entry, is_dir, names, remove_all};

/// The staging tree, and the target directory that it must not collide with.
#[derive(Debug)]
pub(super) struct Tree {
    staged: Beneath,
    target: Beneath,
    /// How the target directory is called in errors.
    dir: PathBuf,
    /// By their names on disk.
    open: HashMap<StreamPath, OpenFile>,
    ending: Ending,
    parents: Parents,
    cache: PageCache,
    resources: Arc<Resources>,
}

#[derive(Debug)]
struct OpenFile {
    slot: Arc<Slot>,
    /// How long it is to be at least when it ends: a hole at its end is written by nobody.
    extent: u64,
}

/// A file that is to be open now.
#[derive(Debug)]
struct Opened {
    path: StreamPath,
    brought: Brought,
    opening: Opening,
    /// Where the part that is coming ends.
    extent: u64,
}

/// What remains to be done about an item, outside of the lock on the tree.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing.
    Done,
    /// To hand this to whoever writes the file.
    Give(Arc<Slot>, Part),
}

impl Tree {
    /// A tree in `staged`, to become part of `target`, which is called `dir` in errors. `resources` are for its files.
    pub(super) fn new(
        staged: Beneath,
        target: Beneath,
        dir: &Path,
        cache: PageCache,
        resources: Arc<Resources>,
    ) -> Tree {
        let (open, ending, parents) = (HashMap::new(), Ending::default(), Parents::default());
        Tree { staged, target, dir: dir.into(), open, ending, parents, cache, resources }
    }

    /// Does what an item asks for. Its paths are safe and those on disk, its order is right; `brought` says how
    /// its file comes, `chain` makes what decodes it.
    pub(super) fn apply(
        &mut self,
        item: Item,
        brought: Option<Brought>,
        chain: impl FnOnce(&[StageKind]) -> Option<Chain>,
    ) -> Result<Step, ExtractError> {
        match (item, brought) {
            (Item::Payload { path, opening, offset, len }, Some(brought)) => {
                // A seek beyond the end with nothing after it does not make the file longer.
                let extent = if len > 0 { offset.saturating_add(len) } else { 0 };
                let slot = self.opened(Opened { path, brought, opening, extent }, chain)?;
                Ok(Step::Give(slot, Part::Solid { offset, len }))
            }
            (Item::Sparse { path, offset, runs, .. }, Some(brought)) => {
                let extent = end_of(offset, &runs);
                let slot = self.opened(Opened { path, brought, opening: Opening::New, extent }, chain)?;
                Ok(Step::Give(slot, Part::Sparse { offset, runs }))
            }
            (Item::Seek { path, .. }, Some(brought)) => {
                let slot = self.opened(Opened { path, brought, opening: Opening::New, extent: 0 }, chain)?;
                Ok(Step::Give(slot, Part::Whole))
            }
            (Item::End { path }, Some(brought)) => {
                // A file that ends without having begun is an empty one, and may replace an earlier version: see the ledger.
                let wanted = Opened { path: path.clone(), brought, opening: Opening::Rewrite, extent: 0 };
                let slot = self.opened(wanted, chain)?;
                let extent = self.open.remove(&path).map_or(0, |open| open.extent);
                self.ending.push(&slot);
                Ok(Step::Give(slot, Part::End { extent }))
            }
            (Item::Rename { from, to }, _) => self.rename(&from, &to).map(|()| Step::Done),
            (Item::Remove { path }, _) => self.remove(&path).map(|()| Step::Done),
            _ => Ok(Step::Done),
        }
    }

    /// The file that is wanted, opened if it is not open yet.
    fn opened(
        &mut self,
        wanted: Opened,
        chain: impl FnOnce(&[StageKind]) -> Option<Chain>,
    ) -> Result<Arc<Slot>, ExtractError> {
        let Opened { path, brought, opening, extent } = wanted;
        if !self.open.contains_key(&path) {
            let file = self.create(&path, opening)?;
            let file = self.resources.open.take(file);
            let writing = Writing::new(path.clone(), file, self.cache, self.resources.manifest.as_ref());
            let content = Content::new(brought.path, writing, chain(&brought.kinds));
            self.open.insert(path.clone(), OpenFile { slot: Arc::new(Slot::new(content)), extent: 0 });
        }
        let open = self.open.get_mut(&path).ok_or(ExtractError::OutOfTurn)?;
        open.extent = open.extent.max(extent);
        Ok(Arc::clone(&open.slot))
    }

    /// A new file. One that is there already, and may be replaced, only loses its name: somebody may still be writing it.
    fn create(&mut self, path: &StreamPath, opening: Opening) -> Result<File, ExtractError> {
        let safe = SafePath::parse(path, Trailing::Refused)?;
        let Parent { staged, target } = &*self.parent(&safe)?;
        self.check_vacant(&safe, target.as_ref())?;
        let flags = self.resources.open.access() | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let create = || openat(staged, safe.name(), flags, FILE_MODE);
        let created = match (create(), opening) {
            (Err(Errno::EXIST), Opening::Rewrite) => {
                self.ending.free_names()?;
                unlinkat(staged, safe.name(), AtFlags::empty()).and_then(|()| create())
            }
            (created, _) => created,
        };
        match created {
            Ok(file) => Ok(file.into()),
            Err(Errno::EXIST | Errno::ISDIR | Errno::LOOP) => Err(ExtractError::Conflict { path: path.clone() }),
            Err(error) => Err(DiskError::new("creating", as_path(path), error).into()),
        }
    }

    /// Gives a closed file another name. One that did not come is ignored: the tool says so about files that it sends
    /// separately.
    fn rename(&mut self, from: &StreamPath, to: &StreamPath) -> Result<(), ExtractError> {
        let old = SafePath::parse(from, Trailing::Refused)?;
        let new = self.vacant(to)?;
        let Some(old_dir) = self.existing_parent(&old)? else { return Ok(()) };
        match entry(&old_dir, old.name()).at("looking at", as_path(from))? {
            None => return Ok(()),
            Some(stat) if is_dir(&stat) => return Err(ExtractError::RenamedDirectory { path: from.clone() }),
            Some(_) => {}
        }
        let new_dir = self.make_parent(&new)?;
        self.ending.free_names()?;
        match renameat(old_dir, old.name(), new_dir, new.name()) {
            Ok(()) => Ok(()),
            Err(Errno::ISDIR) => Err(ExtractError::Conflict { path: to.clone() }),
            Err(error) => Err(DiskError::new("renaming", as_path(from), error).into()),
        }
    }

    /// Removes a file, a directory with all below it, or, with `*` at the end, the files of one directory whose names
    /// begin so. What did not come is ignored.
    fn remove(&mut self, path: &StreamPath) -> Result<(), ExtractError> {
        let safe = SafePath::parse(path, Trailing::Allowed)?;
        // One of them may be removed now.
        self.parents = Parents::default();
        let Some(dir) = self.existing_parent(&safe)? else { return Ok(()) };
        self.ending.free_names()?;
        match safe.name().as_bytes().strip_suffix(b"*") {
            Some(prefix) => remove_matching(&dir, prefix).at("removing", as_path(path))?,
            None => remove_all(&dir, safe.name()).at("removing", as_path(path))?,
        }
        Ok(())
    }

    /// `path`, if nothing in the target directory has this name and no link or file is on its way.
    fn vacant(&self, path: &StreamPath) -> Result<SafePath, ExtractError> {
        let safe = SafePath::parse(path, Trailing::Refused)?;
        self.check_vacant(&safe, self.target_parent(&safe)?.as_ref())?;
        Ok(safe)
    }

    /// Whether nothing has the last name of `path` in `dir`, which is where it leads in the target directory.
    fn check_vacant(&self, path: &SafePath, dir: Option<&OwnedFd>) -> Result<(), ExtractError> {
        let Some(dir) = dir else { return Ok(()) };
        match entry(dir, path.name()).at("looking at", path.as_path())? {
            None => Ok(()),
            Some(_) => Err(ExtractError::Exists { path: path.as_path().into(), dir: self.dir.clone() }),
        }
    }

    /// The directory of `path` in the target directory, if there is one.
    fn target_parent(&self, path: &SafePath) -> Result<Option<OwnedFd>, ExtractError> {
        match self.target.dir(path.parent()) {
            Ok(dir) => Ok(Some(dir)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
                Err(ExtractError::NotADirectory { path: path.as_path().into(), dir: self.dir.clone() })
            }
            Err(error) => Err(DiskError::new("looking at", path.as_path(), error).into()),
        }
    }

    /// The directory of `path` in both trees, made in the staging tree if it is missing.
    fn parent(&mut self, path: &SafePath) -> Result<Arc<Parent>, ExtractError> {
        if let Some(parent) = self.parents.get(path.parent()) {
            return Ok(parent);
        }
        let target = self.target_parent(path)?;
        let staged = self.make_parent(path)?;
        Ok(self.parents.keep(path.parent(), Parent { staged, target }))
    }

    fn make_parent(&self, path: &SafePath) -> Result<OwnedFd, ExtractError> {
        self.staged.make_dir(path.parent()).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotADirectory => ExtractError::Conflict { path: path.clone().into_stream() },
            _ => DiskError::new("making the directory of", path.as_path(), error).into(),
        })
    }

    fn existing_parent(&self, path: &SafePath) -> Result<Option<OwnedFd>, ExtractError> {
        match self.staged.dir(path.parent()) {
            Ok(dir) => Ok(Some(dir)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
                Err(ExtractError::Conflict { path: path.clone().into_stream() })
            }
            Err(error) => Err(DiskError::new("looking at", path.as_path(), error).into()),
        }
    }
}

/// Where a sparse chunk ends. Its end may be a hole.
fn end_of(offset: u64, runs: &[SparseRun]) -> u64 {
    runs.iter().fold(offset, |end, run| end.saturating_add(run.skip.into()).saturating_add(run.write.into()))
}

/// Removes the files in `dir`, not its directories, whose names begin with `prefix`.
fn remove_matching(dir: impl AsFd, prefix: &[u8]) -> std::io::Result<()> {
    for name in names(&dir)?.into_iter().filter(|name| name.as_bytes().starts_with(prefix)) {
        if entry(&dir, &name)?.is_some_and(|stat| !is_dir(&stat)) {
            remove_all(&dir, &name)?;
        }
    }
    Ok(())
}
