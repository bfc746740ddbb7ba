//! Any course of events for a lane's order and its window, held against naive models.

use bytes::Bytes;

use super::{AckError, Block, LaneDigest, LaneId, Reassembler, RewindError, Sha1Sum, Window, max_blocks};

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

/// Takes every four bytes as a step: to push, to send, to hear an acknowledgement or to rewind, possible or not. The window
/// agrees with a model that keeps the whole lane: it hands out the lane from the last rewind on, never holds more than its
/// share, and what is impossible changes nothing.
pub fn window(script: &[u8]) {
    let mut lane = WholeLane::new();
    for step in script.chunks_exact(4) {
        match step[0] % 8 {
            0 | 1 => lane.push(usize::from(step[1]) << (step[2] % 8)),
            2..=4 => lane.send(),
            5 | 6 => lane.acknowledge(lane.place(step[1]), lane.place(step[2])),
            _ => lane.rewind(lane.place(step[1]), step[2] % 4),
        }
        lane.agree();
    }
}

/// A window, and the lane as it is known to whoever forgets nothing.
struct WholeLane {
    window: Window,
    /// The digest where each block ends; the first is the start of the lane.
    ends: Vec<LaneDigest>,
    /// How many blocks need not be handed out on this link, were handed out on any, are written, are durable.
    sent: usize,
    ever_sent: usize,
    written: usize,
    durable: usize,
}

impl WholeLane {
    fn new() -> WholeLane {
        let (window, ends) = (Window::new(LaneId(0), SHARE), vec![LaneDigest::default()]);
        WholeLane { window, ends, sent: 0, ever_sent: 0, written: 0, durable: 0 }
    }

    fn end(&self) -> LaneDigest {
        self.ends[self.ends.len() - 1].clone()
    }

    /// An offset near those that mean something: where a block ends, or a byte beside.
    fn place(&self, byte: u8) -> u64 {
        let last = self.ends.len() - 1;
        let end = self.ends[(self.durable.saturating_sub(1) + usize::from(byte % 16)).min(last)].len();
        match byte / 16 {
            0 => end.saturating_sub(1),
            1 => end + 1,
            _ => end,
        }
    }

    /// How many blocks end at or before `offset`, if one ends there.
    fn boundary(&self, offset: u64) -> Option<usize> {
        self.ends.iter().rposition(|end| end.len() == offset)
    }

    fn push(&mut self, len: usize) {
        let len = len.min(self.window.room());
        if len > 0 {
            let bytes = Bytes::from(vec![self.ends.len() as u8; len]);
            let mut end = self.end();
            end.update(&bytes);
            self.ends.push(end.clone());
            self.window.push(bytes, end);
        }
    }

    fn send(&mut self) {
        let block = self.window.next_block().map(|block| (block.offset, block.end()));
        let next = self.ends.get(self.sent + 1).map(|end| (self.ends[self.sent].len(), end.len()));
        assert_eq!(block, next);
        self.sent += usize::from(next.is_some());
        self.ever_sent = self.ever_sent.max(self.sent);
    }

    fn acknowledge(&mut self, written: u64, durable: u64) {
        let acknowledged = self.window.acknowledge(written, durable);
        let limit = self.ends[self.ever_sent].len();
        let possible = written <= limit && durable <= written;
        assert_eq!(possible, !matches!(acknowledged, Err(AckError::Beyond { .. })));
        // What lies before the window is an old acknowledgement, wherever that was.
        let start = self.ends[self.durable].len();
        let (w, d) = (self.boundary(written.max(start)), self.boundary(durable.max(start)));
        match (acknowledged, w, d) {
            (Ok(()), Some(w), Some(d)) => {
                self.sent = self.sent.max(w);
                self.written = self.written.max(w.min(self.boundary(written).unwrap_or(0)));
                self.durable = d;
            }
            (acknowledged, w, d) => assert!(acknowledged.is_err() && !(possible && w.is_some() && d.is_some())),
        }
    }

    fn rewind(&mut self, offset: u64, honesty: u8) {
        let kept = self.boundary(offset).filter(|block| (self.durable..=self.ever_sent).contains(block));
        let theirs = match kept {
            Some(block) if honesty > 0 => self.ends[block].sum(),
            _ => Sha1Sum([0; 20]),
        };
        match (self.window.rewind(offset, theirs), kept) {
            (Ok(()), Some(block)) if honesty > 0 => (self.sent, self.written) = (block, block),
            (Err(RewindError::Digest { .. }), Some(_)) => assert_eq!(honesty, 0),
            (Err(RewindError::OutOfWindow { .. }), None) => {}
            (rewound, _) => panic!("at {offset}, with blocks {} to {}: {rewound:?}", self.durable, self.ever_sent),
        }
    }

    fn agree(&self) {
        let (end, durable) = (self.end().len(), self.ends[self.durable].len());
        let (kept, held) = (self.ends.len() - 1 - self.durable, (end - durable) as usize);
        assert!(held <= SHARE && kept <= max_blocks(SHARE));
        assert_eq!(self.window.unacknowledged(), held);
        assert_eq!(self.window.room(), if kept < max_blocks(SHARE) { SHARE - held } else { 0 });
        assert_eq!(self.window.has_unsent(), self.sent + 1 < self.ends.len());
        assert_eq!((self.window.written(), self.window.durable()), (self.ends[self.written].len(), durable));
        assert_eq!(self.window.end().sum(), self.end().sum());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_script_agrees_with_the_whole_lane(script in prop::collection::vec(any::<u8>(), 0..400)) {
            super::window(&script);
        }

        #[test]
        fn any_script_agrees_with_the_model(script in prop::collection::vec(any::<u8>(), 0..400)) {
            super::reassembler(&script);
        }
    }
}
