//! The running SHA-1 of a lane, and the sum it comes to.

use std::fmt;

use sha1::digest::common::hazmat::{SerializableState, SerializedState};
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

    /// What is needed to go on in another process, see [`restore`](Self::restore). Layout: `u64` bytes covered,
    /// their SHA-1 (20 bytes), and the state of the computation as the `sha1` crate writes it (92 bytes).
    pub fn state(&self) -> [u8; DIGEST_STATE_LEN] {
        let mut state = [0; DIGEST_STATE_LEN];
        state[..8].copy_from_slice(&self.len.to_be_bytes());
        state[8..28].copy_from_slice(&self.sum().0);
        state[28..].copy_from_slice(&self.state.serialize());
        state
    }

    /// The digest of which `state` was kept, perhaps by another version of this program.
    ///
    /// # Errors
    /// [`DigestStateError`] when it is none, or what it comes to is not the sum that was kept with it.
    pub fn restore(state: &[u8]) -> Result<LaneDigest, DigestStateError> {
        let state: &[u8; DIGEST_STATE_LEN] =
            state.try_into().map_err(|_| DigestStateError::Length { found: state.len() })?;
        let (len, rest) = state.split_first_chunk().ok_or(DigestStateError::Garbled)?;
        let (kept, inner) = rest.split_first_chunk().ok_or(DigestStateError::Garbled)?;
        let (len, kept) = (u64::from_be_bytes(*len), Sha1Sum(*kept));
        if counted(inner) != Some(len) {
            return Err(DigestStateError::Garbled);
        }
        let inner = SerializedState::<Sha1>::try_from(inner).map_err(|_| DigestStateError::Garbled)?;
        let state = Sha1::deserialize(&inner).map_err(|_| DigestStateError::Garbled)?;
        let digest = LaneDigest { state, len };
        match digest.sum() {
            sum if sum == kept => Ok(digest),
            sum => Err(DigestStateError::Sum { kept, sum }),
        }
    }
}

/// The length of a kept [`LaneDigest::state`], in bytes.
pub const DIGEST_STATE_LEN: usize = 8 + 20 + 92;

/// Why a kept state is not that of a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestStateError {
    /// It is too short or too long.
    #[error("the state of a digest has {found} bytes, expected {DIGEST_STATE_LEN}")]
    Length {
        /// Its length in bytes.
        found: usize,
    },
    /// Nothing that this build's SHA-1 could go on from.
    #[error("the state of a digest contradicts itself")]
    Garbled,
    /// What it comes to is not what was kept with it.
    #[error("the state of a digest comes to SHA-1 {sum}, expected {kept}")]
    Sum {
        /// The sum that was kept.
        kept: Sha1Sum,
        /// What the state comes to.
        sum: Sha1Sum,
    },
}

/// How many bytes the inner state says that it covers: whole blocks at byte 20, the rest at byte 28. `None` if these
/// are more than SHA-1 can count in bits.
fn counted(inner: &[u8]) -> Option<u64> {
    let blocks = u64::from_le_bytes(*inner.get(20..)?.first_chunk()?);
    let len = blocks.checked_mul(64)?.checked_add((*inner.get(28)?).into())?;
    (len <= u64::MAX / 8).then_some(len)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn digest(bytes: &[u8]) -> LaneDigest {
        let mut digest = LaneDigest::default();
        digest.update(bytes);
        digest
    }

    proptest! {
        #[test]
        fn a_restored_digest_goes_on(bytes in prop::collection::vec(any::<u8>(), 0..300), at: prop::sample::Index) {
            let (before, after) = bytes.split_at(at.index(bytes.len() + 1));
            let mut restored = LaneDigest::restore(&digest(before).state()).unwrap();
            prop_assert_eq!(restored.len(), before.len() as u64);
            restored.update(after);
            prop_assert_eq!(restored.sum(), digest(&bytes).sum());
        }

        #[test]
        fn a_state_with_a_wrong_bit_is_refused(len in 0_usize..200, at in 0..DIGEST_STATE_LEN, bit in 0..8) {
            let mut state = digest(&vec![7; len]).state();
            state[at] ^= 1_u8 << bit;
            prop_assert!(LaneDigest::restore(&state).is_err());
        }

        #[test]
        fn no_bytes_are_too_strange(state: [[u8; 30]; 4]) {
            prop_assert!(LaneDigest::restore(state.as_flattened()).is_err());
        }
    }

    #[test]
    fn a_state_of_another_length_is_refused() {
        let state = digest(b"abc").state();
        assert_eq!(LaneDigest::restore(&state[1..]).unwrap_err(), DigestStateError::Length { found: 119 });
    }

    #[test]
    fn a_sum_that_does_not_fit_is_told() {
        let mut state = digest(b"abc").state();
        state[8..28].copy_from_slice(&digest(b"abd").sum().0);
        let error = LaneDigest::restore(&state).unwrap_err();
        assert_eq!(error, DigestStateError::Sum { kept: digest(b"abd").sum(), sum: digest(b"abc").sum() });
    }

    #[test]
    fn more_than_sha1_can_count_is_refused() {
        let mut state = LaneDigest::default().state();
        state[..8].copy_from_slice(&(u64::MAX / 64 * 64).to_be_bytes());
        state[48..56].copy_from_slice(&(u64::MAX / 64).to_le_bytes());
        assert_eq!(LaneDigest::restore(&state).unwrap_err(), DigestStateError::Garbled);
    }
}
