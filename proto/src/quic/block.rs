//! Blocks over unidirectional streams: one stream for each.
//!
//! A long stream with a large window on a lossy path comes to thousands of gaps, at which a QUIC
//! stack gives up. A stream of at most one block cannot, and blocks do not wait for each other.

use bytes::Bytes;
use quinn::{ReadError, ReadExactError, RecvStream, SendStream, VarInt};

use crate::link::{BlockIn, BlockOut, Eventually, LinkError, Pieces, Whole};

/// The stream of a block on its way out. It is reset if it is dropped before it was finished: quinn would finish it, and
/// the receiver would take half a block for a whole one.
pub(super) struct Outgoing {
    stream: SendStream,
    finished: bool,
}

impl Outgoing {
    /// The control stream has priority 0, and so goes before all of them.
    pub(super) fn new(stream: SendStream, age: u64) -> Outgoing {
        let _ = stream.set_priority(-1 - i32::try_from(age).unwrap_or(i32::MAX - 1));
        Outgoing { stream, finished: false }
    }
}

impl BlockOut for Outgoing {
    fn write(&mut self, bytes: Bytes) -> Eventually<'_, Result<(), LinkError>> {
        Box::pin(async { Ok(self.stream.write_chunk(bytes).await?) })
    }

    fn finish(mut self: Box<Self>) {
        // Fails only on a stream the receiver has stopped, and then there is nothing to finish.
        let _ = self.stream.finish();
        self.finished = true;
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if !self.finished {
            let _ = self.stream.reset(VarInt::from_u32(0));
        }
    }
}

impl BlockIn for RecvStream {
    fn read_exact<'a>(&'a mut self, buffer: &'a mut [u8]) -> Eventually<'a, Result<Whole, LinkError>> {
        Box::pin(async {
            match RecvStream::read_exact(self, buffer).await {
                Ok(()) => Ok(Whole::Yes),
                Err(ReadExactError::ReadError(ReadError::Reset(_))) => Ok(Whole::Cancelled),
                Err(error) => Err(error.into()),
            }
        })
    }

    fn read_pieces<'a>(&'a mut self, pieces: &'a mut [Bytes]) -> Eventually<'a, Result<Pieces, LinkError>> {
        Box::pin(async {
            match self.read_chunks(pieces).await {
                Ok(Some(read)) => Ok(Pieces::Some(read)),
                Ok(None) => Ok(Pieces::End),
                Err(ReadError::Reset(_)) => Ok(Pieces::Cancelled),
                Err(error) => Err(error.into()),
            }
        })
    }
}
