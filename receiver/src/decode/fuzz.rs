//! Any bytes as the frame of a block.

use bytes::Bytes;
use xbproto::lane::{LaneId, MAX_BLOCK};
use xbproto::pool::Pool;
use xbproto::wire::{BlockHeader, EncodedBlock, Encoding};

use super::frame::Decoder;

/// Decodes `bytes` as a frame of the length that its first four say. That never panics, and what comes out has that
/// length.
pub fn frame(bytes: &[u8]) {
    let Some((len, frame)) = bytes.split_first_chunk() else { return };
    let len = u32::from_be_bytes(*len) % MAX_BLOCK as u32 + 1;
    let header = BlockHeader { encoding: Encoding::Zstd, lane: LaneId(0), len, offset: 0 };
    let encoded = EncodedBlock { header, bytes: Bytes::copy_from_slice(frame) };
    let mut decoder = Decoder::new(Pool::default()).expect("memory");
    let first = decoder.decode(&encoded);
    if let Ok(block) = &first {
        assert_eq!(block.bytes.len(), len as usize);
    }
    assert_eq!(decoder.decode(&encoded), first, "a frame leaves nothing behind");
}
