//! The running SHA-1 of a lane, and the sum it comes to.

use std::fmt;

use sha1::{Digest, Sha1};

/// A finished SHA-1, printed as `sha1sum` prints it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha1Sum(pub [u8; 20]);

impl fmt::Display for Sha1Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha1Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha1Sum({self})")
    }
}

/// The SHA-1 of a lane so far, and how many bytes it covers. Cloning it keeps a point to resume
/// from: about a hundred bytes.
#[derive(Clone, Debug, Default)]
pub struct LaneDigest {
    state: Sha1,
    len: u64,
}

impl LaneDigest {
    /// Takes in the next bytes of the lane.
    pub fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        self.len += bytes.len() as u64;
    }

    /// How many bytes of the lane are covered.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was taken in yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The sum of the bytes so far; the digest can go on after it.
    pub fn sum(&self) -> Sha1Sum {
        Sha1Sum(self.state.clone().finalize().into())
    }
}
