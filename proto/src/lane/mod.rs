//! Order, window and digest of one byte stream.
//!
//! A **lane** is one byte stream with a number; a **block** is a piece of a lane with its offset.
//! Everything here works on one lane and does not know how many there are.

mod digest;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod reassembler;
mod window;

pub use digest::{DIGEST_STATE_LEN, DigestStateError, LaneDigest, Sha1Sum};
pub use reassembler::{Misplaced, Reassembler};
pub use window::{AckError, RewindError, Window};

use std::fmt;

use bytes::Bytes;

/// The number of a lane within its session, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LaneId(pub u16);

impl fmt::Display for LaneId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lane {}", self.0)
    }
}

/// A piece of a lane on its way: `bytes` belong at `offset` of `lane`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The stream it is a piece of.
    pub lane: LaneId,
    /// Where its first byte belongs, in bytes from the start of the lane.
    pub offset: u64,
    /// At most [`MAX_BLOCK`] bytes, at least one.
    pub bytes: Bytes,
}

impl Block {
    /// The offset just after its last byte.
    pub fn end(&self) -> u64 {
        self.offset + self.bytes.len() as u64
    }
}

/// The largest block, in bytes. Far under the frame count at which a QUIC stack's reassembly of
/// one stream gets slow, large enough that a stream per block costs nothing measurable.
pub const MAX_BLOCK: usize = 1 << 20;

/// What a block costs at least, in bytes, however small it is: it has to be kept track of.
const MIN_COST: usize = 4096;

/// How many blocks of a lane with this share may be unacknowledged, small ones included. Both sides
/// keep to it, so that a lane of tiny blocks takes no more memory than one of large ones.
pub fn max_blocks(share: usize) -> usize {
    share / MIN_COST
}

/// The smallest share of the session's window a lane is given, in bytes.
pub const MIN_SHARE: usize = 2 << 20;
