//! Output that is ready, given out piece by piece.

use std::ops::Range;

use super::PIECE;
use super::chain::Step;

/// A buffer that is filled, given out, and filled again.
#[derive(Default)]
pub(super) struct Pieces {
    /// The decoder's own while nothing is ready.
    pub(super) bytes: Vec<u8>,
    ready: usize,
    piece: Range<usize>,
}

impl Pieces {
    /// The first `len` of the bytes are ready.
    pub(super) fn give(&mut self, len: usize) {
        self.ready = len;
        self.piece = 0..0;
    }

    /// Goes on to the next piece. None if all were given: then the bytes are the decoder's again.
    pub(super) fn next(&mut self) -> Option<Step> {
        self.piece = self.piece.end..self.ready.min(self.piece.end + PIECE);
        if self.piece.is_empty() {
            self.give(0);
            return None;
        }
        Some(Step::Piece)
    }

    /// All that is ready.
    pub(super) fn all(&self) -> &[u8] {
        &self.bytes[..self.ready]
    }

    /// Where it has come to.
    pub(super) fn piece(&self) -> &[u8] {
        &self.bytes[self.piece.clone()]
    }
}
