//! Unpacking a backup into a directory.
//!
//! All files are written to a staging folder inside the target directory ([`STAGING_PREFIX`]) and synced as they end.
//! Only [`Extraction::commit`] gives them their names, all or none, and replaces nothing.
//!
//! | module | owns |
//! |---|---|
//! | `unpack` | one lane: decode, check the order, hand over |
//! | `naming` | which names there may be, what they are on disk, and which chunk may come next (pure) |
//! | `tree`, `parents`, `beneath` | what each chunk does to the names, through no link |
//! | `files` | the content of files, from their chunks to the disk |
//! | `sync`, `bulk` | syncing finished files: one by one in the background, or all at once |
//! | `wanted`, `survey` | which files stay, and going through them at the end |
//! | `staging`, `commit`, `record` | the folder, its lock and its record; renames, and their undoing |
//! | `recover` | what an interrupted run left |
//! | `ownership` | giving what was unpacked to its owner |
//! | `facts`, `key_check` | what the unpacked backup says of itself, and of the key |
//! | `presence` | who is unpacking, for the case that it is killed |
//!
//! [`STAGING_PREFIX`]: xbproto::xbstream::STAGING_PREFIX

mod beneath;
mod bulk;
mod commit;
mod error;
mod facts;
mod files;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod key_check;
mod naming;
mod options;
mod ownership;
mod parents;
mod presence;
mod record;
mod recover;
#[cfg(test)]
pub(crate) mod sample;
mod staging;
mod survey;
mod sync;
mod tree;
mod unpack;
mod wanted;

pub use error::ExtractError;
pub(crate) use files::allowance::Allowance;
pub use files::allowance::Refused;
pub use files::content::ContentError;
pub use files::progress::Progress;
pub(crate) use key_check::{KeyCheck, KeyProof, is_metadata};
pub(crate) use naming::inventory::Inventory;
pub(crate) use naming::names::on_disk;
pub(crate) use naming::path::make_safe;
pub use naming::path::{PathError, Unsafe};
pub use options::{Required, Unpacking};
pub use ownership::{Tenancy, give_away, give_directory};
pub use recover::Recovered;
pub use unpack::Unpacker;
pub use wanted::{Pattern, PatternError, Wanted};

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::OFlags;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use xbproto::lane::LaneId;

use self::bulk::Bulk;
use self::commit::Commit;
use self::files::manifest::Manifest;
use self::files::open_files::OpenFiles;
use self::files::writers::{Resources, Writers};
use self::recover::recover;
use self::staging::{Staging, TargetDir};
use self::survey::{keep_wanted, manifest_lines};
use self::sync::Syncers;
use self::tree::Tree;
use self::unpack::Shared;
use crate::disk::At;
use crate::journal::Presence;
use crate::stop::Stop;

/// A backup that is being unpacked. Dropping it abandons it.
#[derive(Debug)]
pub struct Extraction {
    target: TargetDir,
    staging: Staging,
    shared: Arc<Shared>,
    unpacking: Unpacking,
    /// The renames, once everything is synced.
    planned: Option<Commit>,
    /// Whether something has proved the key, once everything is synced.
    key: KeyProof,
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
    /// `unpacking` says what becomes of the files. Raises this process's soft limit of open files to the hard one,
    /// because a tool that copies in parallel keeps many files open.
    ///
    /// # Errors
    /// When another process is unpacking into `dir`, or it cannot be written.
    pub fn create(dir: &Path, id: u64, unpacking: Unpacking) -> Result<(Extraction, Recovered), ExtractError> {
        raise_open_files();
        let target = TargetDir::open(dir)?;
        let staged = recover(&target).and_then(|recovered| Ok((Staging::create(&target, id)?, recovered)));
        let (staging, recovered) = staged.inspect_err(|_| target.unmake())?;
        let shared = share(&staging, &unpacking).inspect_err(|_| {
            let _ = staging.remove();
            target.unmake();
        })?;
        let shared = Arc::new(shared);
        let (planned, key, phase) = (None, KeyProof::Right, Phase::Unpacking);
        Ok((Extraction { target, staging, shared, unpacking, planned, key, phase }, recovered))
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
        self.shared.resources().progress.clone()
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

    /// Brings every file and directory to the disk where it is, drops what is not wanted, and plans the renames. All lanes
    /// have finished. Idempotent.
    ///
    /// # Errors
    /// When a file has not ended or could not be decoded, written or synced, what is required is missing, nothing is
    /// wanted, or a name is taken;
    /// `Interrupted` when the stop was raised meanwhile.
    pub fn sync(&mut self) -> Result<(), ExtractError> {
        if self.phase == Phase::Over {
            return Err(ExtractError::OutOfTurn);
        }
        if self.planned.is_none() {
            self.shared.settle()?;
            if self.shared.resources().any_key.load(Ordering::Relaxed) {
                self.key = self.check_decrypted()?;
            }
            if self.unpacking.required == Required::Backup {
                self.shared.check_complete()?;
            }
            let kept = keep_wanted(self.staging.tree()?, &self.unpacking.wanted)?;
            kept.into_iter().for_each(|files| self.progress().keep(files));
            self.planned = Some(Commit::plan(self.staging.tree()?, self.staging.target()?, &self.target.path)?);
        }
        Ok(())
    }

    /// What is to be said of the files to whoever relies on them, after a [`sync`](Self::sync).
    pub(crate) fn warning(&self) -> Option<&'static str> {
        self.key.warning()
    }

    /// The sums of all files as `sha1sum` would print them in the target directory, if digests were to be kept. After
    /// [`sync`](Self::sync), before [`commit`](Self::commit).
    ///
    /// # Errors
    /// When the files cannot be listed.
    pub fn manifest(&self) -> Result<Option<Vec<u8>>, ExtractError> {
        let lines = |manifest| Ok(manifest_lines(self.staging.tree()?, manifest)?);
        self.shared.resources().manifest.as_ref().map(lines).transpose()
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

fn share(staging: &Staging, unpacking: &Unpacking) -> Result<Shared, ExtractError> {
    let Unpacking { cache, stages, workers, limit, manifest, .. } = unpacking.clone();
    let stop = Stop::default();
    let bulk = staging.tree().map(|tree| Bulk::of(tree.into_root()))?;
    let syncers = Syncers::start(stop.clone(), bulk).at("starting to sync", staging.dir())?;
    let manifest = manifest.map(|_| Manifest::default());
    let (progress, allowance) = (Progress::default(), Allowance::new(limit));
    // Whoever wants the digest of a file may have to read it again.
    let access = if manifest.is_some() { OFlags::RDWR } else { OFlags::WRONLY };
    let open = Arc::new(OpenFiles::new(staging.tree()?, access));
    let resources =
        Arc::new(Resources { syncers, progress, allowance, manifest, open, any_key: AtomicBool::new(false), stop });
    let tree = Tree::new(staging.tree()?, staging.target()?, staging.dir(), cache, Arc::clone(&resources));
    let writers = Writers::start(workers.get(), Arc::clone(&resources)).at("starting to write", staging.dir())?;
    Ok(Shared::new(tree, Inventory::new(stages), writers, resources))
}

/// Raises the soft limit of open files as far as it goes. A failure shows when files run out, with its cure.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

#[cfg(test)]
mod tests;
