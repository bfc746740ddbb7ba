//! Any course of events for a lane's order, held against a naive model.

use bytes::Bytes;

use super::{Block, LaneId, Reassembler};

/// How long the model's lane is, in bytes.
const LEN: usize = 64 << 10;

/// The lane's share: room for eight blocks of the smallest cost.
const SHARE: usize = 32 << 10;

/// Takes every four bytes as a step: a block to insert, and whether to release. What comes out is
/// the lane's bytes in order; no more than the share is ever held, and what was known already, or
/// overlaps what is, changes nothing.
pub fn reassembler(script: &[u8]) {
    let lane_bytes: Vec<u8> = (0..LEN).map(|i| (i * 31 % 251) as u8).collect();
    let mut lane = Reassembler::new(0, SHARE);
    let (mut known, mut out, mut released) = (vec![false; LEN], 0, 0);
    for step in script.chunks_exact(4) {
        let offset = usize::from(step[0]) * 256 + usize::from(step[1] & 3) * 64;
        let len = ((usize::from(step[2]) + 1) * 64).min(LEN - offset);
        let bytes = Bytes::copy_from_slice(&lane_bytes[offset..offset + len]);
        let taken = lane.insert(Block { lane: LaneId(0), offset: offset as u64, bytes });
        assert!(offset + len <= released + SHARE || taken.is_err(), "an overrun was taken");
        if taken.is_ok() {
            known[offset..offset + len].fill(true);
        }
        while let Some(bytes) = lane.pop() {
            assert_eq!(bytes, lane_bytes[out..out + bytes.len()]);
            out += bytes.len();
        }
        assert_eq!(out, known.iter().position(|known| !known).unwrap_or(LEN));
        assert_eq!(lane.held(), known[out..].iter().filter(|known| **known).count());
        assert!(lane.held() <= SHARE);
        if step[3] & 1 == 1 {
            lane.release(out as u64);
            released = out;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_script_agrees_with_the_model(script in prop::collection::vec(any::<u8>(), 0..400)) {
            super::reassembler(&script);
        }
    }
}
