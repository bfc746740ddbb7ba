//! Giving the files of the staging tree their final names, all or none.

use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, fsync, openat, unlinkat};

use super::ExtractError;
use super::beneath::Beneath;
use super::record::Move;
use crate::disk::{At, DIR_FLAGS, DiskError, entry, is_dir, names, rename_new, subdirs};

/// The renames of one commit, and the two trees they lead from and to.
#[derive(Debug)]
pub(super) struct Commit {
    staged: Beneath,
    target: Beneath,
    /// How the target directory is called in errors.
    dir: PathBuf,
    moves: Vec<Move>,
}

impl Commit {
    /// Looks which renames bring everything in `staged` into `target`: what is new there goes whole; of a directory
    /// that is there already, what is in it. Also syncs the directories of `staged`.
    ///
    /// # Errors
    /// `Exists` when something has a name already that is needed.
    pub(super) fn plan(staged: Beneath, target: Beneath, dir: &Path) -> Result<Commit, ExtractError> {
        let mut commit = Commit { staged, target, dir: dir.into(), moves: Vec::new() };
        let root = commit.staged.dir(Path::new("")).at("opening", dir)?;
        commit.merge(root, Path::new(""))?;
        Ok(commit)
    }

    /// The commit that a record tells of.
    pub(super) fn resume(staged: Beneath, target: Beneath, dir: &Path, moves: Vec<Move>) -> Commit {
        Commit { staged, target, dir: dir.into(), moves }
    }

    /// What is to be recorded before [`carry_out`](Self::carry_out).
    pub(super) fn moves(&self) -> &[Move] {
        &self.moves
    }

    /// Does the renames and makes them durable.
    ///
    /// # Errors
    /// When one of them fails; those before it are undone then, unless the error is `NotUndone`.
    pub(super) fn carry_out(&self) -> Result<(), ExtractError> {
        let renamed = self.moves.iter().try_for_each(|entry| self.publish(entry));
        renamed.and_then(|()| Ok(self.sync_parents()?)).map_err(|error| match self.undo() {
            Ok(()) => error,
            Err(undo) => ExtractError::NotUndone { error: error.into(), path: undo.path.clone(), undo },
        })
    }

    /// Takes back, last first, whatever of it is done, and makes that durable. What somebody else has put under one of
    /// the names stays.
    pub(super) fn undo(&self) -> Result<(), DiskError> {
        for entry in self.moves.iter().rev() {
            if self.is_done(entry)? {
                self.take_back(entry).at("taking back", &entry.path)?;
            }
        }
        self.sync_parents()
    }

    /// Whether every rename was done.
    pub(super) fn is_complete(&self) -> Result<bool, DiskError> {
        for entry in &self.moves {
            if !self.is_done(entry)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Makes the new names durable, and the old ones gone.
    pub(super) fn sync_parents(&self) -> Result<(), DiskError> {
        let parents: BTreeSet<&Path> = self.moves.iter().filter_map(|entry| entry.path.parent()).collect();
        for tree in [&self.target, &self.staged] {
            for parent in &parents {
                match tree.dir(parent).and_then(|dir| Ok(fsync(dir)?)) {
                    // Of a commit that was done, the staging tree may be gone already.
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    done => done.at("syncing", self.dir.join(parent))?,
                }
            }
        }
        Ok(())
    }

    /// Plans for the directory `path`, which both trees have, and whose staged form is `dir`.
    fn merge(&mut self, dir: OwnedFd, path: &Path) -> Result<(), ExtractError> {
        let there = self.target.dir(path).at("opening", self.dir.join(path))?;
        for name in names(&dir).at("reading", self.dir.join(path))? {
            let below = path.join(&name);
            let Some(ours) = entry(&dir, &name).at("looking at", &below)? else { continue };
            let theirs = entry(&there, &name).at("looking at", &below)?;
            let subdir = is_dir(&ours)
                .then(|| openat(&dir, &name, DIR_FLAGS, Mode::empty()).at("opening", &below))
                .transpose()?;
            match (subdir, theirs) {
                (Some(subdir), Some(theirs)) if is_dir(&theirs) => self.merge(subdir, &below)?,
                (_, Some(_)) => return Err(ExtractError::Exists { path: below, dir: self.dir.clone() }),
                (subdir, None) => {
                    subdir.map_or(Ok(()), |subdir| sync_tree(subdir, &below))?;
                    self.moves.push(Move { path: below, inode: ours.st_ino });
                }
            }
        }
        Ok(())
    }

    fn publish(&self, entry: &Move) -> Result<(), ExtractError> {
        rename(&self.staged, &self.target, &entry.path).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => ExtractError::Exists { path: entry.path.clone(), dir: self.dir.clone() },
            _ => DiskError::new("renaming", &entry.path, error).into(),
        })
    }

    fn take_back(&self, entry: &Move) -> io::Result<()> {
        match rename(&self.target, &self.staged, &entry.path) {
            // Of a rename in two steps only the first was done: the file has both names.
            Err(error) if error.kind() == ErrorKind::AlreadyExists && has(&self.staged, entry)? => {
                Ok(unlinkat(parent_of(&self.target, &entry.path)?, name_of(&entry.path), AtFlags::empty())?)
            }
            done => done,
        }
    }

    /// Whether what stands under the final name is what we moved there.
    fn is_done(&self, entry: &Move) -> Result<bool, DiskError> {
        has(&self.target, entry).at("looking at", self.dir.join(&entry.path))
    }
}

/// Whether `tree` has the very file or directory that `wanted` is about.
fn has(tree: &Beneath, wanted: &Move) -> io::Result<bool> {
    match parent_of(tree, &wanted.path).and_then(|dir| entry(dir, name_of(&wanted.path))) {
        Ok(stat) => Ok(stat.is_some_and(|stat| stat.st_ino == wanted.inode)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Renames `path` of one tree to the same path of the other.
fn rename(from: &Beneath, to: &Beneath, path: &Path) -> io::Result<()> {
    let name = name_of(path);
    rename_new(parent_of(from, path)?, name, parent_of(to, path)?, name)
}

fn parent_of(tree: &Beneath, path: &Path) -> io::Result<OwnedFd> {
    tree.dir(path.parent().unwrap_or(Path::new("")))
}

fn name_of(path: &Path) -> &std::ffi::OsStr {
    path.file_name().unwrap_or_default()
}

/// Syncs the directory `dir`, called `path` in errors, and all below it. Their files are synced already.
fn sync_tree(dir: OwnedFd, path: &Path) -> Result<(), DiskError> {
    for name in subdirs(&dir).at("reading", path)? {
        let below = path.join(&name);
        sync_tree(openat(&dir, &name, DIR_FLAGS, Mode::empty()).at("opening", &below)?, &below)?;
    }
    fsync(dir.as_fd()).at("syncing", path)
}
