//! Blocks over a connection: written as fast as may be, read into memory that was asked for.

use bytes::Bytes;

use super::{BlockIn, BlockOut, Connection, LinkError, Pieces, Whole};
use crate::meter::{Bottleneck, Gauge};
use crate::pool::Pool;
use crate::throttle::Throttle;
use crate::waiting::waiting_for;
use crate::wire::{BLOCK_HEADER_LEN, BlockHeader, EncodedBlock, Encoding, WireError};

/// Writes `block`, as fast as `throttle` (which counts the bytes as they
/// travel) and the connection allow, and counts
/// in `gauge` how long either of them kept it waiting. No `piece` of more bytes is written at once: what was let through
/// knows of no limit that comes later. `age` is the number of blocks written before
/// on this link: older streams are served first.
///
/// # Errors
/// [`LinkError`] when the connection ended.
pub async fn write_block(
    connection: &Connection,
    block: EncodedBlock,
    age: u64,
    piece: usize,
    throttle: &Throttle,
    gauge: &Gauge,
) -> Result<(), LinkError> {
    let opened = waiting_for(Bottleneck::Network, gauge, connection.open_block(age)).await?;
    let mut outgoing = Outgoing { block: opened, throttle, gauge };
    outgoing.write(Bytes::copy_from_slice(&block.header.encode())).await?;
    let mut rest = block.bytes;
    while !rest.is_empty() {
        let piece = rest.split_to(rest.len().min(throttle.slice().clamp(1, piece)));
        outgoing.write(piece).await?;
    }
    outgoing.block.finish();
    Ok(())
}

/// A block that is being written.
struct Outgoing<'a> {
    block: Box<dyn BlockOut>,
    throttle: &'a Throttle,
    gauge: &'a Gauge,
}

impl Outgoing<'_> {
    /// Writes when both the throttle and the connection let it.
    async fn write(&mut self, bytes: Bytes) -> Result<(), LinkError> {
        waiting_for(Bottleneck::Limiter, self.gauge, self.throttle.admit(bytes.len())).await;
        waiting_for(Bottleneck::Network, self.gauge, self.block.write(bytes)).await
    }
}

/// How many pieces of a block are taken from the connection at a time, each about as long as a packet: asking for them
/// one by one takes the connection's lock as often.
const PIECES: usize = 32;

/// A block that has begun to arrive.
pub struct Incoming {
    /// What it says of itself.
    pub header: BlockHeader,
    block: Box<dyn BlockIn>,
}

/// Reads the header of `block`; `None` if the sender has cancelled it.
///
/// # Errors
/// [`LinkError::Wire`] when it is not a block.
pub async fn begin_block(mut block: Box<dyn BlockIn>) -> Result<Option<Incoming>, LinkError> {
    let mut header = [0; BLOCK_HEADER_LEN];
    match block.read_exact(&mut header).await? {
        Whole::Yes => Ok(Some(Incoming { header: BlockHeader::decode(&header)?, block })),
        Whole::Cancelled => Ok(None),
    }
}

impl Incoming {
    /// Lets the rest go by. Nothing is kept of it, not even whether its length is right.
    ///
    /// # Errors
    /// When the connection ended.
    pub async fn skip(mut self) -> Result<(), LinkError> {
        let mut pieces = [const { Bytes::new() }; PIECES];
        while let Pieces::Some(_) = self.block.read_pieces(&mut pieces).await? {}
        Ok(())
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
            let read = match self.block.read_pieces(&mut pieces).await? {
                Pieces::Some(read) => read,
                Pieces::End if buffer.len() >= least => break,
                Pieces::End => return Err(wrong_length(buffer.len())),
                Pieces::Cancelled => return Ok(None),
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
