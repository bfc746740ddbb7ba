//! What is to become of the files of a backup while they are unpacked.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread::available_parallelism;

use xbproto::stage::Stages;

use super::wanted::Wanted;
use crate::disk::PageCache;

/// How a backup is to be unpacked.
#[derive(Clone, Debug)]
pub struct Unpacking {
    /// How large files are written.
    pub cache: PageCache,
    /// What is undone of what the tool did to the files.
    pub stages: Stages,
    /// How many threads decode and write.
    pub workers: NonZeroUsize,
    /// The most plain bytes that encoded files may become, all of them together.
    pub limit: Option<u64>,
    /// What must have come before anything is committed.
    pub required: Required,
    /// Which files stay.
    pub wanted: Wanted,
    /// Where the SHA-1 of each file is to be written, if that is wanted.
    pub manifest: Option<PathBuf>,
}

/// What the streams must have brought, when all of them have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Required {
    /// Files that have all ended: somebody else judges the rest.
    WholeFiles,
    /// The files that every backup closes with, too.
    Backup,
}

impl Default for Unpacking {
    /// As `xbstream -x` does: files become what they are in the stream.
    fn default() -> Unpacking {
        Unpacking {
            cache: PageCache::Bypassed,
            stages: Stages::default(),
            workers: available_parallelism().unwrap_or(NonZeroUsize::MIN),
            limit: None,
            required: Required::WholeFiles,
            wanted: Wanted::default(),
            manifest: None,
        }
    }
}
