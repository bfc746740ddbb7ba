//! Unpacking a backup into a directory.
//!
//! All files are written to a staging folder inside the target directory ([`STAGING_PREFIX`]) and synced as they end.
//! Only [`Extraction::commit`] gives them their names, all or none, and replaces nothing.
//!
//! | module | owns |
//! |---|---|
//! | `path` | which names of a stream may become files (pure) |
//! | `beneath` | reaching directories through no link |
//! | `staging` | the folder, its lock and its record |
//! | `tree`, `parents`, `writing` | what each chunk does to the files |
//! | `unpack` | one lane: decode, check the order, write |
//! | `sync`, `bulk` | syncing finished files: one by one in the background, or all at once |
//! | `commit`, `record` | renames, their undoing, and the record of them |
//! | `recover` | what an interrupted run left |
//! | `ownership` | giving what was unpacked to its owner |
//! | `facts` | what the unpacked backup says of itself |
//! | `presence` | who is unpacking, for the case that it is killed |

mod beneath;
mod bulk;
mod commit;
mod error;
mod facts;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod ownership;
mod parents;
mod path;
mod presence;
mod record;
mod recover;
mod staging;
mod sync;
mod tree;
mod unpack;
mod writing;

pub use error::ExtractError;
pub use ownership::{Tenancy, give_away};
pub use path::{PathError, Unsafe};
pub use recover::Recovered;
pub use staging::STAGING_PREFIX;
pub use unpack::{Progress, Unpacker};

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use xbproto::lane::LaneId;

use self::bulk::Bulk;
use self::commit::Commit;
use self::recover::recover;
use self::staging::{Staging, TargetDir};
use self::sync::Syncers;
use self::tree::Tree;
use self::unpack::Shared;
use crate::disk::{At, PageCache};
use crate::journal::Presence;
use crate::stop::Stop;

/// A backup that is being unpacked. Dropping it abandons it.
#[derive(Debug)]
pub struct Extraction {
    target: TargetDir,
    staging: Staging,
    shared: Arc<Shared>,
    /// The renames, once everything is synced.
    planned: Option<Commit>,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Unpacking,
    Over,
}

impl Extraction {
    /// Gets ready to unpack into `dir`, which is made if only its last name is missing. Puts right what interrupted
    /// runs left there, and says what it found of them. `id` names the staging folder and should be random;
    /// `cache` says how large files are written. Raises this process's soft
    /// limit of open files to the hard one, because a tool that copies in parallel keeps many files open.
    ///
    /// # Errors
    /// When another process is unpacking into `dir`, or it cannot be written.
    pub fn create(dir: &Path, id: u64, cache: PageCache) -> Result<(Extraction, Recovered), ExtractError> {
        raise_open_files();
        let target = TargetDir::open(dir)?;
        let staged = recover(&target).and_then(|recovered| Ok((Staging::create(&target, id)?, recovered)));
        let (staging, recovered) = staged.inspect_err(|_| target.unmake())?;
        let shared = share(&staging, cache).inspect_err(|_| {
            let _ = staging.remove();
            target.unmake();
        })?;
        let shared = Arc::new(shared);
        Ok((Extraction { target, staging, shared, planned: None, phase: Phase::Unpacking }, recovered))
    }

    /// Keeps who is unpacking here, so that a run after this one can be told whom it follows.
    ///
    /// # Errors
    /// When that cannot be made durable.
    pub fn remember(&mut self, presence: &Presence) -> Result<(), ExtractError> {
        Ok(self.staging.write_presence(presence)?)
    }

    /// The unpacker for one lane. All of a file must come on one lane; there is no order between lanes.
    pub fn lane(&self, lane: LaneId) -> Unpacker {
        Unpacker::new(lane, Arc::clone(&self.shared))
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.shared.progress.clone()
    }

    /// The flag that makes lanes and [`sync`](Self::sync) end soon with [`ExtractError::Interrupted`]. A commit goes on.
    pub(crate) fn stop(&self) -> Stop {
        self.shared.stop()
    }

    /// The staging folder, if it still stands there.
    pub(crate) fn left(&self) -> Option<PathBuf> {
        let staging = self.staging.path();
        staging.symlink_metadata().is_ok().then_some(staging)
    }

    /// Bytes free in the target directory, if that is known.
    pub fn free(&self) -> Option<u64> {
        self.staging.free()
    }

    /// Syncs every file and directory where it is, and plans the renames. All lanes have finished. Idempotent.
    ///
    /// # Errors
    /// When a file has not ended or could not be synced, or a name is taken; `Interrupted` when the stop
    /// was raised meanwhile.
    pub fn sync(&mut self) -> Result<(), ExtractError> {
        if self.phase == Phase::Over {
            return Err(ExtractError::OutOfTurn);
        }
        if self.planned.is_none() {
            self.shared.check_finished()?;
            self.shared.syncers.finish()?;
            // Files may have been closed without being synced.
            self.shared.check_stop()?;
            self.planned = Some(Commit::plan(self.staging.tree()?, self.staging.target()?, &self.target.path)?);
        }
        Ok(())
    }

    /// Gives every file its final name, after a [`sync`](Self::sync).
    ///
    /// # Errors
    /// As `sync`, and when a name was taken meanwhile; nothing has a final name then, unless the error is
    /// [`ExtractError::NotUndone`].
    pub fn commit(&mut self) -> Result<(), ExtractError> {
        self.sync()?;
        let commit = self.planned.take().ok_or(ExtractError::OutOfTurn)?;
        self.publish(&commit)?;
        self.phase = Phase::Over;
        // Every name is in place and durable. If this fails, the next run finds the record and does it.
        let _ = self.staging.remove_record().and_then(|()| self.staging.remove());
        Ok(())
    }

    /// Ends it without a trace. Idempotent, and without effect after a commit.
    pub fn abandon(&mut self) {
        if self.phase == Phase::Over {
            return;
        }
        self.phase = Phase::Over;
        self.shared.abandon();
        // What cannot be removed now is removed by the next run.
        let _ = self.staging.remove();
        self.target.unmake();
    }

    /// Writes the record and does the renames. If they were undone, the record goes too; what is to be reported is why.
    fn publish(&self, commit: &Commit) -> Result<(), ExtractError> {
        let recorded = self.staging.write_record(commit.moves()).map_err(ExtractError::from);
        recorded.and_then(|()| commit.carry_out()).inspect_err(|error| {
            if !matches!(error, ExtractError::NotUndone { .. }) {
                let _ = self.staging.remove_record();
            }
        })
    }
}

impl Drop for Extraction {
    fn drop(&mut self) {
        self.abandon();
    }
}

fn share(staging: &Staging, cache: PageCache) -> Result<Shared, ExtractError> {
    let stop = Stop::default();
    let bulk = staging.tree().map(|tree| Bulk::of(tree.into_root()))?;
    let syncers = Syncers::start(stop.clone(), bulk).at("starting to sync", staging.dir())?;
    let tree = Tree::new(staging.tree()?, staging.target()?, staging.dir());
    Ok(Shared::new(tree, syncers, stop, cache))
}

/// Raises the soft limit of open files as far as it goes. A failure shows when files run out, with its cure.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

#[cfg(test)]
mod tests;
