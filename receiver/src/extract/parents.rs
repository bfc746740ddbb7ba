//! The directories in which files were made last, kept open: the files of a directory mostly come together.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many are kept open. A tool that copies in parallel is in a few directories at a time.
const KEPT: usize = 64;

/// A directory of the backup.
#[derive(Debug)]
pub(super) struct Parent {
    /// In the staging tree.
    pub(super) staged: OwnedFd,
    /// In the target directory, if it was there when the first file for it came. What comes there later is found by the
    /// commit.
    pub(super) target: Option<OwnedFd>,
}

/// The directories that are kept open, by their path. None of them may be removed.
#[derive(Debug, Default)]
pub(super) struct Parents(HashMap<PathBuf, Arc<Parent>>);

impl Parents {
    /// The directory `path`, if it is open.
    pub(super) fn get(&self, path: &Path) -> Option<Arc<Parent>> {
        self.0.get(path).cloned()
    }

    /// Keeps the directory `path` open, and others no longer if they are too many.
    pub(super) fn keep(&mut self, path: &Path, parent: Parent) -> Arc<Parent> {
        if self.0.len() >= KEPT {
            self.0.clear();
        }
        let parent = Arc::new(parent);
        self.0.insert(path.into(), Arc::clone(&parent));
        parent
    }
}
