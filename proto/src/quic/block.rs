//! Blocks over unidirectional streams: one stream for each.
//!
//! A long stream with a large window on a lossy path comes to thousands of gaps, at which a QUIC
//! stack gives up. A stream of at most one block cannot, and blocks do not wait for each other.

use bytes::Bytes;
use quinn::{Connection, ReadError, ReadExactError, RecvStream, SendStream, VarInt};

use super::LinkError;
use crate::meter::{Bottleneck, Gauge};
use crate::pool::Pool;
use crate::throttle::Throttle;
use crate::waiting::waiting_for;
use crate::wire::{BLOCK_HEADER_LEN, BlockHeader, EncodedBlock, Encoding, WireError};

/// Writes `block` to a stream of its own, as fast as `throttle` (which counts the bytes as they
/// travel) and the connection allow, and counts
/// in `gauge` how long either of them kept it waiting. `age` is the number of blocks written before
/// on this link: older streams are served first.
///
/// # Errors
/// [`LinkError`] when the connection ended.
pub async fn write_block(
    connection: &Connection,
    block: EncodedBlock,
    age: u64,
    throttle: &Throttle,
    gauge: &Gauge,
) -> Result<(), LinkError> {
    let stream = waiting_for(Bottleneck::Network, gauge, connection.open_uni()).await?;
    let mut outgoing = Outgoing { stream, finished: false };
    // The control stream has priority 0 and so goes before all of them.
    let _ = outgoing.stream.set_priority(-1 - i32::try_from(age).unwrap_or(i32::MAX - 1));
    outgoing.write(Bytes::copy_from_slice(&block.header.encode()), throttle, gauge).await?;
    let mut rest = block.bytes;
    while !rest.is_empty() {
        let piece = rest.split_to(rest.len().min(throttle.slice().max(1)));
        outgoing.write(piece, throttle, gauge).await?;
    }
    outgoing.finish();
    Ok(())
}

/// A stream that is reset if it is dropped before it was finished. quinn would finish it, and the
/// receiver would take half a block for a whole one.
struct Outgoing {
    stream: SendStream,
    finished: bool,
}

impl Outgoing {
    /// Writes when both the throttle and the connection let it.
    async fn write(&mut self, bytes: Bytes, throttle: &Throttle, gauge: &Gauge) -> Result<(), LinkError> {
        waiting_for(Bottleneck::Limiter, gauge, throttle.admit(bytes.len())).await;
        Ok(waiting_for(Bottleneck::Network, gauge, self.stream.write_chunk(bytes)).await?)
    }

    fn finish(mut self) {
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

/// How many pieces of a block are taken from the connection at a time, each about as long as a packet: asking for them
/// one by one takes the connection's lock as often.
const PIECES: usize = 32;

/// A block that has begun to arrive.
#[derive(Debug)]
pub struct Incoming {
    /// What it says of itself.
    pub header: BlockHeader,
    stream: RecvStream,
}

/// Reads the header of the block that `stream` carries; `None` if the sender has cancelled it.
///
/// # Errors
/// [`LinkError::Wire`] when it is not a block.
pub async fn begin_block(mut stream: RecvStream) -> Result<Option<Incoming>, LinkError> {
    let mut header = [0; BLOCK_HEADER_LEN];
    match stream.read_exact(&mut header).await {
        Ok(()) => Ok(Some(Incoming { header: BlockHeader::decode(&header)?, stream })),
        Err(ReadExactError::ReadError(ReadError::Reset(_))) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Incoming {
    /// Lets the rest go by. Nothing is kept of it, not even whether its length is right.
    ///
    /// # Errors
    /// When the connection ended.
    pub async fn skip(mut self) -> Result<(), LinkError> {
        loop {
            match self.stream.read_chunk(usize::MAX, false).await {
                Ok(Some(_)) => {}
                Ok(None) | Err(ReadError::Reset(_)) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Reads the rest into memory of `pool`, taking its bytes from the connection as they arrive. They are copied
    /// once, out of the receive buffers that many packets share. `None` if the sender has cancelled it.
    ///
    /// # Errors
    /// [`LinkError::Wire`] when its length is not what the header allows.
    pub async fn rest(mut self, pool: &Pool) -> Result<Option<EncodedBlock>, LinkError> {
        let BlockHeader { encoding, offset, len, .. } = self.header;
        let least = match encoding {
            Encoding::Plain => len as usize,
            Encoding::Zstd => 1,
        };
        let mut buffer = pool.buffer(len as usize, offset);
        let mut pieces = [const { Bytes::new() }; PIECES];
        loop {
            let read = match self.stream.read_chunks(&mut pieces).await {
                Ok(Some(read)) => read,
                Ok(None) if buffer.len() >= least => break,
                Ok(None) => return Err(wrong_length(buffer.len())),
                Err(ReadError::Reset(_)) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            for piece in pieces[..read].iter_mut().map(std::mem::take) {
                if !buffer.extend(&piece) {
                    return Err(wrong_length(buffer.len() + piece.len()));
                }
            }
        }
        Ok(Some(EncodedBlock { header: self.header, bytes: buffer.freeze() }))
    }
}

fn wrong_length(actual: usize) -> LinkError {
    WireError::Value { message: "block", field: "bytes that follow", value: actual as u64 }.into()
}
