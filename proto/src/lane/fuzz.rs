//! Any course of events for a lane's order, held against a naive model.

use bytes::Bytes;

use super::{Block, LaneId, Reassembler};

/// How long the model's lane is, in bytes.
const LEN: usize = 1024;

/// Takes every four bytes as a step: a block to insert, or a release. What comes out is the lane's
/// bytes in order; nothing past the share is taken, and no more than the share is ever held.
pub fn reassembler(script: &[u8]) {
    let lane_bytes: Vec<u8> = (0..LEN).map(|i| (i * 31 % 251) as u8).collect();
    let share = 256;
    let mut lane = Reassembler::new(0, share);
    let (mut known, mut out, mut released) = ([false; LEN], 0, 0);
    for step in script.chunks_exact(4) {
        let offset = usize::from(u16::from_be_bytes([step[0], step[1]])) % LEN;
        let len = (usize::from(step[2]) + 1).min(LEN - offset);
        let bytes = Bytes::copy_from_slice(&lane_bytes[offset..offset + len]);
        let fits = offset + len <= released + share;
        let taken = lane.insert(Block { lane: LaneId(0), offset: offset as u64, bytes });
        assert_eq!(taken.is_ok(), fits, "{offset}+{len} with {released} released");
        if fits {
            known[offset..offset + len].fill(true);
        }
        while let Some(bytes) = lane.pop() {
            assert_eq!(bytes, lane_bytes[out..out + bytes.len()]);
            out += bytes.len();
        }
        assert_eq!(out, known.iter().position(|known| !known).unwrap_or(LEN));
        assert!(lane.held() <= share);
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
