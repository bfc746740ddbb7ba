//! Blocks in parts: on their way to the task that writes, and from the one that reads.

use std::sync::Arc;

use bytes::{Buf, Bytes};
use tokio::sync::OwnedMutexGuard;
use tokio::sync::mpsc::{self, OwnedPermit};

use super::state::State;
use crate::link::{BlockIn, BlockOut, Eventually, LinkError, Pieces, Whole};
use crate::shared::Shared;

/// The longest piece, in bytes: control waits for no more than the pieces that the kernel has not sent.
pub(super) const PIECE: usize = 32 << 10;

/// A part of a block.
#[derive(Debug)]
pub(super) enum Part {
    /// Some of its bytes; the first begin it.
    Piece(Bytes),
    /// It is whole.
    End,
    /// It is no block.
    Cancelled,
}

/// A block on its way out. While it lasts, there is no other.
pub(super) struct Outgoing {
    parts: mpsc::Sender<Part>,
    /// Room for the last part, which cannot wait when this is dropped.
    last: Option<OwnedPermit<Part>>,
    begun: bool,
    state: Arc<Shared<State>>,
    _turn: OwnedMutexGuard<()>,
}

impl Outgoing {
    /// Begins a block in its `turn`.
    ///
    /// # Errors
    /// How the connection has ended, if it has.
    pub(super) async fn begin(
        parts: mpsc::Sender<Part>,
        turn: OwnedMutexGuard<()>,
        state: Arc<Shared<State>>,
    ) -> Result<Outgoing, LinkError> {
        let last = parts.clone().reserve_owned().await.map_err(|_| how_it_ended(&state))?;
        Ok(Outgoing { parts, last: Some(last), begun: false, state, _turn: turn })
    }
}

impl BlockOut for Outgoing {
    fn write(&mut self, mut bytes: Bytes) -> Eventually<'_, Result<(), LinkError>> {
        Box::pin(async move {
            while !bytes.is_empty() {
                let piece = bytes.split_to(bytes.len().min(PIECE));
                let permit = self.parts.reserve().await.map_err(|_| how_it_ended(&self.state))?;
                self.begun = true;
                permit.send(Part::Piece(piece));
            }
            Ok(())
        })
    }

    fn finish(mut self: Box<Self>) {
        if let Some(last) = self.last.take() {
            last.send(Part::End);
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if let Some(last) = self.last.take().filter(|_| self.begun) {
            last.send(Part::Cancelled);
        }
    }
}

/// A block on its way in.
pub(super) struct Arriving {
    parts: mpsc::Receiver<Part>,
    /// Of a piece that was read in part.
    rest: Bytes,
    state: Arc<Shared<State>>,
}

impl Arriving {
    pub(super) fn new(parts: mpsc::Receiver<Part>, state: Arc<Shared<State>>) -> Arriving {
        Arriving { parts, rest: Bytes::new(), state }
    }

    async fn next(&mut self) -> Result<Part, LinkError> {
        match std::mem::take(&mut self.rest) {
            rest if rest.is_empty() => self.parts.recv().await.ok_or_else(|| how_it_ended(&self.state)),
            rest => Ok(Part::Piece(rest)),
        }
    }

    async fn fill(&mut self, mut buffer: &mut [u8]) -> Result<Whole, LinkError> {
        while !buffer.is_empty() {
            match self.next().await? {
                Part::Piece(mut piece) => {
                    let len = buffer.len().min(piece.len());
                    let (filled, left) = std::mem::take(&mut buffer).split_at_mut(len);
                    piece.copy_to_slice(filled);
                    (buffer, self.rest) = (left, piece);
                }
                Part::End => return Err(LinkError::Lost("a block ended early".into())),
                Part::Cancelled => return Ok(Whole::Cancelled),
            }
        }
        Ok(Whole::Yes)
    }
}

impl BlockIn for Arriving {
    fn read_exact<'a>(&'a mut self, buffer: &'a mut [u8]) -> Eventually<'a, Result<Whole, LinkError>> {
        Box::pin(self.fill(buffer))
    }

    fn read_pieces<'a>(&'a mut self, pieces: &'a mut [Bytes]) -> Eventually<'a, Result<Pieces, LinkError>> {
        Box::pin(async {
            match (self.next().await?, pieces.first_mut()) {
                (Part::Piece(piece), Some(first)) => {
                    *first = piece;
                    Ok(Pieces::Some(1))
                }
                (Part::Piece(piece), None) => {
                    self.rest = piece;
                    Ok(Pieces::Some(0))
                }
                (Part::End, _) => Ok(Pieces::End),
                (Part::Cancelled, _) => Ok(Pieces::Cancelled),
            }
        })
    }
}

/// Why a part goes nowhere, or none comes any more.
pub(super) fn how_it_ended(state: &Shared<State>) -> LinkError {
    let ended = state.look(|s| s.ended().cloned());
    ended.unwrap_or_else(|| LinkError::Lost("the connection's tasks have ended".into()))
}
