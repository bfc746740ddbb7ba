//! How much a stream may claim before it is refused.

/// Every cap the decoder applies before it takes memory for anything.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest path in bytes. 511 is what both vendors' readers take (`FN_REFLEN` − 1).
    pub path: u32,
    /// Most entries of one sparse map, 8 bytes each.
    pub sparse_runs: u32,
    /// Largest payload of one chunk in bytes. Legal writers make chunks of 1 GiB (deltas of 64 KiB
    /// pages); nothing is allocated for it, so the cap only catches damaged headers early.
    pub payload: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { path: 511, sparse_runs: 1 << 21, payload: 1 << 40 }
    }
}

/// Largest offset a file can have (`off_t`). It is no setting: the kernel takes nothing beyond.
pub(super) const FILE_END: u64 = i64::MAX as u64;

/// Memory for the names that a [`Ledger`](super::Ledger) keeps, in bytes.
pub(super) const NAMES_MEMORY: usize = 1 << 30;
