//! The files of a backup while they come: what is open, and what each chunk does to the staging tree.
//!
//! Nothing here decides whether a chunk comes in order; the ledger has done that. What is decided here is where a name
//! may lead: to real directories of the staging tree, and to nothing that the target directory has already.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{OFlags, openat, renameat};
use rustix::io::Errno;
use xbproto::lane::LaneId;
use xbproto::xbstream::{Item, Opening, SparseRun, StreamPath};

use super::ExtractError;
use super::beneath::Beneath;
use super::parents::{Parent, Parents};
use super::path::{SafePath, Trailing};
use super::sync::Finished;
use super::writing::Writing;
use crate::disk::{At, DiskError, FILE_MODE, as_path, entry, is_dir, names, remove_all};

/// The staging tree, and the target directory that it must not collide with.
#[derive(Debug)]
pub(super) struct Tree {
    staged: Beneath,
    target: Beneath,
    /// How the target directory is called in errors.
    dir: PathBuf,
    open: HashMap<StreamPath, OpenFile>,
    parents: Parents,
}

#[derive(Debug)]
struct OpenFile {
    file: Arc<File>,
    /// The lane it comes on, which alone may go on with it.
    lane: LaneId,
    /// How long it is.
    written: u64,
    /// How long it is to be at least when it ends: a hole at its end is written by nobody.
    extent: u64,
}

/// Where a part of a file ends: the last byte of it that is written, and the part as a whole, whose end may be a hole.
#[derive(Clone, Copy, Debug, Default)]
struct Ends {
    data: u64,
    all: u64,
}

impl Ends {
    fn of_runs(offset: u64, runs: &[SparseRun]) -> Ends {
        let begin = Ends { data: 0, all: offset };
        runs.iter().fold(begin, |ends, run| {
            let all = ends.all.saturating_add(run.skip.into()).saturating_add(run.write.into());
            Ends { data: if run.write > 0 { all } else { ends.data }, all }
        })
    }
}

/// What remains to be done about an item, outside of the lock on the tree.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing.
    Done,
    /// Payload follows and is written so.
    Write(Writing),
    /// A file is complete and wants to be synced.
    Sync(Finished),
}

impl Tree {
    /// A tree in `staged`, to become part of `target`, which is called `dir` in errors.
    pub(super) fn new(staged: Beneath, target: Beneath, dir: &Path) -> Tree {
        Tree { staged, target, dir: dir.into(), open: HashMap::new(), parents: Parents::default() }
    }

    /// Does what an item of `lane` asks for. Its paths are safe and spelled normally, its order is right.
    pub(super) fn apply(&mut self, lane: LaneId, item: Item) -> Result<Step, ExtractError> {
        match item {
            Item::Payload { path, opening, offset, len } => {
                // A seek beyond the end with nothing after it does not make the file longer.
                let end = if len > 0 { offset.saturating_add(len) } else { 0 };
                let file = self.opened(lane, &path, opening, Ends { data: end, all: end })?;
                Ok(Step::Write(Writing::solid(path, file, offset, len)))
            }
            Item::Sparse { path, offset, runs, .. } => {
                let file = self.opened(lane, &path, Opening::New, Ends::of_runs(offset, &runs))?;
                Ok(Step::Write(Writing::sparse(path, file, offset, runs)))
            }
            Item::Seek { path, .. } => self.opened(lane, &path, Opening::New, Ends::default()).map(|_| Step::Done),
            Item::End { path } => self.end(lane, path).map(Step::Sync),
            Item::Rename { from, to } => self.rename(&from, &to).map(|()| Step::Done),
            Item::Remove { path } => self.remove(&path).map(|()| Step::Done),
            Item::Ignored { .. } | Item::Data(_) | Item::Verified => Ok(Step::Done),
        }
    }

    /// The file `path`, opened if it is not open yet, of which a part that ends so is coming.
    fn opened(
        &mut self,
        lane: LaneId,
        path: &StreamPath,
        opening: Opening,
        ends: Ends,
    ) -> Result<Arc<File>, ExtractError> {
        if !self.open.contains_key(path) {
            let file = Arc::new(self.create(path, opening)?);
            self.open.insert(path.clone(), OpenFile { file, lane, written: 0, extent: 0 });
        }
        let open = self.open.get_mut(path).ok_or(ExtractError::OutOfTurn)?;
        if open.lane != lane {
            return Err(ExtractError::Torn { path: path.clone(), first: open.lane, second: lane });
        }
        open.written = open.written.max(ends.data);
        open.extent = open.extent.max(ends.all);
        Ok(Arc::clone(&open.file))
    }

    fn create(&mut self, path: &StreamPath, opening: Opening) -> Result<File, ExtractError> {
        let safe = SafePath::parse(path, Trailing::Refused)?;
        let Parent { staged, target } = &*self.parent(&safe)?;
        self.check_vacant(&safe, target.as_ref())?;
        let fresh = match opening {
            Opening::New => OFlags::EXCL,
            Opening::Rewrite => OFlags::TRUNC,
        };
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | fresh;
        match openat(staged, safe.name(), flags, FILE_MODE) {
            Ok(file) => Ok(file.into()),
            Err(Errno::EXIST | Errno::ISDIR | Errno::LOOP) => Err(ExtractError::Conflict { path: path.clone() }),
            Err(error) => Err(DiskError::new("creating", as_path(path), error).into()),
        }
    }

    fn end(&mut self, lane: LaneId, path: StreamPath) -> Result<Finished, ExtractError> {
        // A file that ends without having begun is an empty one, and may replace an earlier version: see the ledger.
        let file = self.opened(lane, &path, Opening::Rewrite, Ends::default())?;
        let (written, extent) = self.open.remove(&path).map_or((0, 0), |open| (open.written, open.extent));
        if written < extent {
            file.set_len(extent).at("extending", as_path(&path))?;
        }
        Ok(Finished { path: as_path(&path).into(), file, written })
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

/// Removes the files in `dir`, not its directories, whose names begin with `prefix`.
fn remove_matching(dir: impl AsFd, prefix: &[u8]) -> std::io::Result<()> {
    for name in names(&dir)?.into_iter().filter(|name| name.as_bytes().starts_with(prefix)) {
        if entry(&dir, &name)?.is_some_and(|stat| !is_dir(&stat)) {
            remove_all(&dir, &name)?;
        }
    }
    Ok(())
}
