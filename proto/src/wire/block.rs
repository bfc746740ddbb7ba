//! The header of a block: the first 16 bytes of its stream.
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 1 | 0x42 |
//! | 1 | 1 | encoding: 0 as is, 1 zstd |
//! | 2 | 2 | lane |
//! | 4 | 4 | bytes of the lane that it carries, 1 to [`MAX_BLOCK`] |
//! | 8 | 8 | offset of the first of them in the lane |
//!
//! The bytes follow up to the end of the stream: as they are, or as **one zstd frame** (RFC 8878) that states its content
//! size, which is the length above, and needs no dictionary. A frame is shorter than what it stands for: a block that
//! does not shrink is sent as it is. So nobody has to take more memory than the header says, and the
//! window a frame asks for does not matter: whoever decodes it has the whole block in front of him.
//!
//! Lengths, offsets and digests are those of the lane's own bytes, however they travel; each block may travel as
//! its sender likes, and otherwise when it is sent again. Every receiver understands both.

use bytes::Bytes;

use crate::lane::{Block, LaneId, MAX_BLOCK};

use super::codec::{Reader, WireError, Writer};

/// How many bytes a block's header has.
pub const BLOCK_HEADER_LEN: usize = 16;

const MARK: u8 = 0x42;

/// How a block's bytes are written on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// As they are.
    Plain,
    /// As one zstd frame.
    Zstd,
}

/// What stands before the bytes of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHeader {
    /// How the bytes are written.
    pub encoding: Encoding,
    /// The lane they belong to.
    pub lane: LaneId,
    /// How many bytes of the lane it carries: 1 to [`MAX_BLOCK`].
    pub len: u32,
    /// Where the first of them belongs in the lane.
    pub offset: u64,
}

impl BlockHeader {
    /// As it stands on the wire.
    pub fn encode(&self) -> [u8; BLOCK_HEADER_LEN] {
        let encoding = match self.encoding {
            Encoding::Plain => 0,
            Encoding::Zstd => 1,
        };
        let bytes = Writer::default().u8(MARK).u8(encoding).u16(self.lane.0).u32(self.len).u64(self.offset);
        let mut header = [0; BLOCK_HEADER_LEN];
        header.copy_from_slice(&bytes.0);
        header
    }

    /// Reads it from the wire.
    ///
    /// # Errors
    /// [`WireError`] for anything a peer of this version does not write; the length is checked
    /// here, before memory is taken for it.
    pub fn decode(bytes: &[u8; BLOCK_HEADER_LEN]) -> Result<BlockHeader, WireError> {
        let mut reader = Reader::new("block", bytes);
        let mark = reader.u8("mark")?;
        if mark != MARK {
            return Err(reader.bad("mark", mark.into()));
        }
        let encoding = match reader.u8("encoding")? {
            0 => Encoding::Plain,
            1 => Encoding::Zstd,
            other => return Err(reader.bad("encoding", other.into())),
        };
        let lane = LaneId(reader.u16("lane")?);
        let len = reader.u32("length")?;
        if len == 0 || len as usize > MAX_BLOCK {
            return Err(reader.bad("length", len.into()));
        }
        let offset = reader.u64("offset")?;
        if offset.checked_add(len.into()).is_none() {
            return Err(reader.bad("offset", offset));
        }
        reader.end()?;
        Ok(BlockHeader { encoding, lane, len, offset })
    }
}

/// A block as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedBlock {
    /// What stands before its bytes.
    pub header: BlockHeader,
    /// The bytes that follow: at most as many as the header says, and fewer in any encoding but [`Encoding::Plain`].
    pub bytes: Bytes,
}

impl From<Block> for EncodedBlock {
    /// As it is.
    fn from(block: Block) -> EncodedBlock {
        let Block { lane, offset, bytes } = block;
        let header = BlockHeader { encoding: Encoding::Plain, lane, len: bytes.len() as u32, offset };
        EncodedBlock { header, bytes }
    }
}

#[cfg(any(test, fuzzing))]
/// Decoding never panics, and what decodes encodes to the same bytes.
pub fn block_header(bytes: &[u8]) {
    if let Some(bytes) = bytes.first_chunk()
        && let Ok(header) = BlockHeader::decode(bytes)
    {
        assert_eq!(header.encode(), *bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: BlockHeader =
        BlockHeader { encoding: Encoding::Plain, lane: LaneId(3), len: 0x0102, offset: 0x1_0000_0000 };
    const BYTES: [u8; 16] = [0x42, 0, 0, 3, 0, 0, 1, 2, 0, 0, 0, 1, 0, 0, 0, 0];

    #[test]
    fn bytes_are_pinned() {
        assert_eq!(HEADER.encode(), BYTES);
        assert_eq!(BlockHeader::decode(&BYTES), Ok(HEADER));
        let (mut zstd, mut bytes) = (HEADER, BYTES);
        (zstd.encoding, bytes[1]) = (Encoding::Zstd, 1);
        assert_eq!(zstd.encode(), bytes);
        assert_eq!(BlockHeader::decode(&bytes), Ok(zstd));
    }

    #[test]
    fn what_no_peer_writes_is_refused() {
        for (at, value, field) in [(0, 0x41, "mark"), (1, 2, "encoding"), (4, 1, "length"), (8, 0xff, "offset")] {
            let mut bytes = BYTES;
            bytes[at] = value;
            if field == "offset" {
                bytes[8..].fill(0xff);
            }
            let error = BlockHeader::decode(&bytes).expect_err(field);
            assert!(error.to_string().contains(field), "{error}");
        }
        let mut empty = BYTES;
        empty[4..8].fill(0);
        assert!(BlockHeader::decode(&empty).is_err());
    }
}
