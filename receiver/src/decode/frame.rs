//! One zstd frame into one block.

use std::io;

use bytes::Bytes;
use xbproto::failure::{Cause, Failure, Party};
use xbproto::lane::{Block, LaneId};
use xbproto::pool::Pool;
use xbproto::wire::{BlockHeader, EncodedBlock, Encoding};
use zstd_safe::DCtx;

/// A block that does not hold what its header says: the sender's violation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the protocol was not kept: {lane}, block at byte {offset}: {fault}")]
pub struct DecodeError {
    /// The block's lane.
    pub lane: LaneId,
    /// Where it belongs in it.
    pub offset: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What may be wrong with a frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is none, or not whole.
    #[error("it is no whole zstd frame")]
    NoFrame,
    /// Something follows it.
    #[error("{extra} bytes follow its zstd frame")]
    Trailing {
        /// How many bytes.
        extra: usize,
    },
    /// It is a frame of something else, or does not say.
    #[error("its zstd frame stands for {actual:?} bytes, the block has {expected}")]
    Length {
        /// What it says.
        actual: Option<u64>,
        /// What the header says.
        expected: u32,
    },
    /// What it says is not what it comes to.
    #[error("its zstd frame is damaged: {0}")]
    Damaged(&'static str),
}

impl DecodeError {
    fn of(header: &BlockHeader, fault: Fault) -> DecodeError {
        DecodeError { lane: header.lane, offset: header.offset, fault }
    }

    /// As a failure of the session.
    pub fn failure(&self) -> Failure {
        Failure::new(Cause::Integrity, Party::Receiver, self)
    }
}

/// Makes blocks of frames. It keeps its memory from one block to the next, some hundred KiB.
pub(super) struct Decoder {
    context: DCtx<'static>,
    pool: Pool,
}

impl Decoder {
    /// One that has made nothing yet. Its blocks' memory comes from `pool`.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub(super) fn new(pool: Pool) -> io::Result<Decoder> {
        Ok(Decoder { context: DCtx::try_create().ok_or(io::ErrorKind::OutOfMemory)?, pool })
    }

    /// The block, with exactly the bytes its header speaks of. What is told before the frame is decoded is believed only as far
    /// as the block's own length, so that no frame takes more memory than that. A window it asks for takes none: all
    /// of the block is at hand.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub(super) fn decode(&mut self, encoded: &EncodedBlock) -> Result<Block, DecodeError> {
        let header = &encoded.header;
        let bytes = match header.encoding {
            Encoding::Zstd => self.frame(header, &encoded.bytes).map_err(|fault| DecodeError::of(header, fault))?,
            _ => encoded.bytes.clone(),
        };
        Ok(Block { lane: header.lane, offset: header.offset, bytes })
    }

    fn frame(&mut self, header: &BlockHeader, frame: &[u8]) -> Result<Bytes, Fault> {
        let BlockHeader { len, offset, .. } = *header;
        let whole = zstd_safe::find_frame_compressed_size(frame).map_err(|_| Fault::NoFrame)?;
        if whole < frame.len() {
            return Err(Fault::Trailing { extra: frame.len() - whole });
        }
        let stated = zstd_safe::get_frame_content_size(frame).map_err(|_| Fault::NoFrame)?;
        if stated != Some(len.into()) {
            return Err(Fault::Length { actual: stated, expected: len });
        }
        let mut buffer = self.pool.buffer(len as usize, offset);
        match self.context.decompress(buffer.spare(), frame) {
            Ok(actual) if actual == len as usize => {
                buffer.advance(actual);
                Ok(buffer.freeze())
            }
            Ok(actual) => Err(Fault::Length { actual: Some(actual as u64), expected: len }),
            Err(code) => Err(Fault::Damaged(zstd_safe::get_error_name(code))),
        }
    }
}
