//! Putting right what an interrupted run left in a target directory.

use super::ExtractError;
use super::commit::Commit;
use super::staging::{Staging, TargetDir};
use crate::disk::{At, DiskError, Notice, names};
use crate::journal::Presence;

/// What was found of earlier runs.
#[derive(Debug, Default)]
pub struct Recovered {
    /// What was put right.
    pub notices: Vec<Notice>,
    /// Who was unpacking there when it was killed, if it had kept that.
    pub presence: Option<Presence>,
}

/// Finishes, takes back or removes every staging folder of this user in `dir`. What is not certainly one is left alone.
///
/// # Errors
/// When the owner of one is still running, or when it cannot be dealt with; it is left alone then.
pub(super) fn recover(dir: &TargetDir) -> Result<Recovered, ExtractError> {
    let mut recovered = Recovered::default();
    for name in names(&dir.fd).at("reading", &dir.path)? {
        if let Some(staging) = Staging::adopt(dir, &name)? {
            recovered.presence = staging.read_presence().or(recovered.presence);
            recovered.notices.push(put_right(&staging)?);
        }
    }
    Ok(recovered)
}

fn put_right(staging: &Staging) -> Result<Notice, ExtractError> {
    let Some(moves) = staging.read_record()? else {
        staging.remove()?;
        return Ok(Notice::RemovedStaging(staging.path()));
    };
    let commit = Commit::resume(staging.tree()?, staging.target()?, staging.dir(), moves);
    let notice = settle(&commit, staging)?;
    staging.remove_record()?;
    staging.remove()?;
    Ok(notice)
}

/// Brings a commit to one of its two ends.
fn settle(commit: &Commit, staging: &Staging) -> Result<Notice, DiskError> {
    if commit.is_complete()? {
        commit.sync_parents()?;
        Ok(Notice::FinishedCommit(staging.path()))
    } else {
        commit.undo()?;
        Ok(Notice::UndidCommit(staging.path()))
    }
}
