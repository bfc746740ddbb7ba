//! The formats that can be undone.

use std::fmt;

use super::{PIECE, lz4, qpress, xbcrypt, zstd};

/// One format around a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageKind {
    /// Encrypted by xtrabackup or xbcrypt.
    Xbcrypt,
    /// zstd frames.
    Zstd,
    /// LZ4 frames.
    Lz4,
    /// A qpress archive of one file.
    Qpress,
}

impl StageKind {
    /// The encryptions: a file is in at most one of them.
    pub(super) const ENCRYPTIONS: [StageKind; 1] = [StageKind::Xbcrypt];

    /// The compressions: a file is in at most one of them.
    pub(super) const COMPRESSIONS: [StageKind; 3] = [StageKind::Zstd, StageKind::Lz4, StageKind::Qpress];

    /// The most memory that a file can make its decoder hold, in bytes. What the tools write by default takes some hundred
    /// KiB; of what they do not, memory is taken as bytes arrive, not as headers promise.
    pub fn most_memory(self) -> usize {
        PIECE
            + match self {
                StageKind::Xbcrypt => xbcrypt::MOST_MEMORY,
                StageKind::Zstd => zstd::MOST_MEMORY,
                StageKind::Lz4 => lz4::MOST_MEMORY,
                StageKind::Qpress => qpress::MOST_MEMORY,
            }
    }

    /// What the name of such a file ends with.
    pub fn suffix(self) -> &'static str {
        match self {
            StageKind::Xbcrypt => ".xbcrypt",
            StageKind::Zstd => ".zst",
            StageKind::Lz4 => ".lz4",
            StageKind::Qpress => ".qp",
        }
    }
}

/// As users know it: `xbcrypt`, `zstd`, `lz4`, `qpress`.
impl fmt::Display for StageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StageKind::Xbcrypt => "xbcrypt",
            StageKind::Zstd => "zstd",
            StageKind::Lz4 => "lz4",
            StageKind::Qpress => "qpress",
        })
    }
}
