//! Blocks over unidirectional streams: one stream for each.
//!
//! A long stream with a large window on a lossy path comes to thousands of gaps, at which a QUIC
//! stack gives up. A stream of at most one block cannot, and blocks do not wait for each other.

use bytes::{Bytes, BytesMut};
use quinn::{Connection, RecvStream};
use tokio::time::Instant;

use super::LinkError;
use crate::lane::Block;
use crate::meter::{Bottleneck, Gauge};
use crate::throttle::Throttle;
use crate::wire::{BLOCK_HEADER_LEN, BlockHeader, Encoding, WireError};

/// Writes `block` to a stream of its own, as fast as `throttle` and the connection allow, and counts
/// in `gauge` how long either of them kept it waiting. `age` is the number of blocks written before
/// on this link: older streams are served first.
///
/// # Errors
/// [`LinkError`] when the connection ended.
pub async fn write_block(
    connection: &Connection,
    block: Block,
    age: u64,
    throttle: &Throttle,
    gauge: &Gauge,
) -> Result<(), LinkError> {
    let header = BlockHeader {
        encoding: Encoding::Plain,
        lane: block.lane,
        len: block.bytes.len() as u32,
        offset: block.offset,
    };
    let begun = Instant::now();
    let mut stream = connection.open_uni().await?;
    // The control stream has priority 0 and so goes before all of them.
    let _ = stream.set_priority(-1 - i32::try_from(age).unwrap_or(i32::MAX - 1));
    stream.write_chunk(Bytes::copy_from_slice(&header.encode())).await?;
    gauge.add_wait(Bottleneck::Network, begun.elapsed());
    let mut rest = block.bytes;
    while !rest.is_empty() {
        let piece = rest.split_to(rest.len().min(throttle.slice().max(1)));
        let begun = Instant::now();
        throttle.admit(piece.len()).await;
        let admitted = Instant::now();
        stream.write_chunk(piece).await?;
        gauge.add_wait(Bottleneck::Limiter, admitted - begun);
        gauge.add_wait(Bottleneck::Network, admitted.elapsed());
    }
    let _ = stream.finish();
    Ok(())
}

/// Reads the block that `stream` carries, taking its bytes from the connection as they arrive.
/// They are copied once, out of the receive buffers that many packets share.
///
/// # Errors
/// [`LinkError::Wire`] when it is not a block, or its length is not what the header says.
pub async fn read_block(mut stream: RecvStream) -> Result<Block, LinkError> {
    let mut header = [0; BLOCK_HEADER_LEN];
    stream.read_exact(&mut header).await?;
    let header = BlockHeader::decode(&header)?;
    let len = header.len as usize;
    let mut bytes = BytesMut::with_capacity(len);
    while let Some(chunk) = stream.read_chunk(usize::MAX, true).await? {
        if bytes.len() + chunk.bytes.len() > len {
            return Err(wrong_length(bytes.len() + chunk.bytes.len()));
        }
        bytes.extend_from_slice(&chunk.bytes);
    }
    if bytes.len() < len {
        return Err(wrong_length(bytes.len()));
    }
    Ok(Block { lane: header.lane, offset: header.offset, bytes: bytes.freeze() })
}

fn wrong_length(actual: usize) -> LinkError {
    WireError::Value { message: "block", field: "bytes that follow", value: actual as u64 }.into()
}
