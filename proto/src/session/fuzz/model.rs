//! One lane as the model knows it: what its source has given, and what of it is in the sink.

use std::sync::LazyLock;

use bytes::Bytes;

use crate::lane::{LaneDigest, LaneId, MAX_BLOCK};

/// The bytes of a lane repeat themselves after so many.
const PERIOD: u64 = 251;

/// Lanes are pieces of this, which are not copied.
static CONTENT: LazyLock<Bytes> =
    LazyLock::new(|| (0..PERIOD as usize + MAX_BLOCK).map(|at| (at % PERIOD as usize) as u8).collect());

pub(super) struct Model {
    pub(super) lane: LaneId,
    /// What the source has given.
    pub(super) pushed: LaneDigest,
    pub(super) has_ended: bool,
    /// What was in the sink after each block; never without the start of the lane.
    written: Vec<LaneDigest>,
    /// Which of these is durable, as the session was told.
    durable: usize,
    /// What the drain has taken and not written yet.
    pub(super) in_hand: Option<Bytes>,
    /// Whether the sink has closed the lane.
    pub(super) is_closed: bool,
}

impl Model {
    pub(super) fn new(lane: LaneId) -> Model {
        Model {
            lane,
            pushed: LaneDigest::default(),
            has_ended: false,
            written: vec![LaneDigest::default()],
            durable: 0,
            in_hand: None,
            is_closed: false,
        }
    }

    /// The next bytes of the source, at most [`MAX_BLOCK`] of them.
    pub(super) fn read(&mut self, len: usize) -> Bytes {
        let bytes = self.content(self.pushed.len(), len);
        self.pushed.update(&bytes);
        bytes
    }

    /// What the lane has at `offset`.
    pub(super) fn content(&self, offset: u64, len: usize) -> Bytes {
        let begin = ((offset + u64::from(self.lane.0)) % PERIOD) as usize;
        CONTENT.slice(begin..begin + len.min(MAX_BLOCK))
    }

    /// What is in the sink.
    pub(super) fn sink(&self) -> &LaneDigest {
        self.written.last().expect("never empty")
    }

    /// Writes what is in hand, if anything is, and syncs all but the last `lag` blocks; gives what is in the sink and
    /// how much of it is durable.
    pub(super) fn write(&mut self, lag: usize) -> (LaneDigest, u64) {
        if let Some(bytes) = self.in_hand.take() {
            let mut digest = self.sink().clone();
            digest.update(&bytes);
            self.written.push(digest);
        }
        let synced = (self.written.len() - 1).saturating_sub(lag);
        self.durable = self.durable.max(synced);
        (self.sink().clone(), self.written[synced].len())
    }

    /// The process dies. What was told to be durable is left, and `more` blocks after it as far as there are.
    pub(super) fn crash(&mut self, more: usize) -> LaneDigest {
        self.cut_to(self.durable + more % (self.written.len() - self.durable))
    }

    /// The process dies, and its disk has lied: only `some` blocks are left.
    pub(super) fn forget(&mut self, some: usize) -> LaneDigest {
        self.cut_to(some % self.written.len())
    }

    /// The process dies, and its disk has other bytes now, as many as were durable.
    pub(super) fn garble(&mut self) -> LaneDigest {
        let mut left = self.crash(0).len();
        let mut digest = LaneDigest::default();
        while left > 0 {
            let piece = self.content(digest.len() + 1, usize::try_from(left).unwrap_or(MAX_BLOCK));
            left -= piece.len() as u64;
            digest.update(&piece);
        }
        self.written = vec![digest.clone()];
        self.durable = 0;
        digest
    }

    /// Everything is lost.
    pub(super) fn lose(&mut self) {
        self.cut_to(0);
    }

    fn cut_to(&mut self, left: usize) -> LaneDigest {
        self.written.truncate(left + 1);
        self.durable = left;
        self.in_hand = None;
        self.is_closed = false;
        self.sink().clone()
    }
}
