//! What a receiver that comes back recalls of the one that was there before.

use std::path::PathBuf;

use xbproto::lane::{LaneDigest, Sha1Sum};
use xbproto::wire::{Hello, Receipt};

use super::Presence;
use crate::disk::{DiskError, shown};

/// What was recalled of a receiver with the same target that ended without a word.
#[derive(Clone, Debug)]
pub struct Recalled {
    /// Who it was: with this, the sender finds its receiver again.
    pub presence: Presence,
    /// The session it was in.
    pub session: Option<RecalledSession>,
    /// What it had committed. The sender may not know yet; nothing can be written any more.
    pub committed: Option<Receipt>,
}

/// A session that goes on.
#[derive(Clone, Debug)]
pub struct RecalledSession {
    /// What its sender proposed.
    pub hello: Hello,
    /// How far each lane is durable, in order of the lanes.
    pub lanes: Vec<LaneDigest>,
    /// Whether what is on disk is what was written; otherwise it can only be forgotten.
    pub condition: Result<(), Damage>,
}

/// What was durable is not on disk any more as it was written.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// Other bytes.
    #[error(
        "{}: bytes {from} to {to} are not those that were written: up to there the SHA-1 is {actual}, expected \
         {expected}; the disk or another program has changed them, so the backup must be sent anew",
        shown(.path)
    )]
    Changed {
        /// The partial file.
        path: PathBuf,
        /// Offset of the first byte that was looked at.
        from: u64,
        /// Offset behind the last one.
        to: u64,
        /// SHA-1 of everything before `to` as it was written.
        expected: Sha1Sum,
        /// What it is now.
        actual: Sha1Sum,
    },
    /// Fewer bytes.
    #[error(
        "{} has {actual} bytes, expected at least {expected}; another program has cut it, so the backup must be sent \
         anew",
        shown(.path)
    )]
    Short {
        /// The partial file.
        path: PathBuf,
        /// How many bytes were durable.
        expected: u64,
        /// How many there are.
        actual: u64,
    },
    /// Bytes that cannot be read.
    #[error("{0}; the backup must be sent anew")]
    Unreadable(DiskError),
}
