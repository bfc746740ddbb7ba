//! One block into one zstd frame.

use std::io;

use bytes::Bytes;
use xbproto::lane::{Block, MAX_BLOCK};
use xbproto::wire::{EncodedBlock, Encoding};
use zstd_safe::CCtx;

use super::Effort;

/// What a frame has to spare of its block at least: one part of so many. Less is not worth its decoding.
const WORTHWHILE: usize = 32;

/// Makes frames. It keeps its memory from one block to the next, for new memory is expensive: some megabytes, and up to
/// 20 MiB at the highest levels.
pub(super) struct Encoder {
    context: CCtx<'static>,
    /// Where a frame is made, before as much memory as it needs is taken for it.
    frame: Box<[u8]>,
}

impl Encoder {
    /// One that has made nothing yet.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub(super) fn new() -> io::Result<Encoder> {
        let context = CCtx::try_create().ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Encoder { context, frame: vec![0; MAX_BLOCK].into() })
    }

    /// The block as a frame, or as it is if that is not worth it. A frame that zstd fails to make is not worth it either.
    pub(super) fn encode(&mut self, effort: Effort, block: &Block) -> EncodedBlock {
        let plain = EncodedBlock::from(block.clone());
        let Effort::Zstd(level) = effort else { return plain };
        let most = (block.bytes.len() - block.bytes.len().div_ceil(WORTHWHILE)).min(MAX_BLOCK);
        match self.context.compress(&mut self.frame[..most], &block.bytes, level) {
            Ok(len) => {
                let mut header = plain.header;
                header.encoding = Encoding::Zstd;
                EncodedBlock { header, bytes: Bytes::copy_from_slice(&self.frame[..len]) }
            }
            Err(_) => plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use xbproto::lane::LaneId;

    use super::*;

    fn block(bytes: Vec<u8>) -> Block {
        Block { lane: LaneId(1), offset: 7, bytes: bytes.into() }
    }

    /// What the receiver would make of it.
    fn decoded(encoded: &EncodedBlock) -> Vec<u8> {
        let mut bytes = vec![0; encoded.header.len as usize];
        let len = zstd_safe::decompress(&mut bytes[..], &encoded.bytes).expect("a frame");
        assert_eq!(len, bytes.len());
        bytes
    }

    #[test]
    fn a_frame_says_how_long_its_block_is_and_has_no_checksum() {
        let block = block(vec![5; 100_000]);
        let encoded = Encoder::new().expect("memory").encode(Effort::Zstd(3), &block);
        assert_eq!((encoded.header.encoding, encoded.header.len, encoded.header.offset), (Encoding::Zstd, 100_000, 7));
        assert_eq!(zstd_safe::get_frame_content_size(&encoded.bytes).expect("a frame"), Some(100_000));
        let (checksum, descriptor) = (0b100, encoded.bytes[4]);
        assert_eq!(descriptor & checksum, 0);
        assert_eq!(decoded(&encoded), block.bytes);
    }

    #[test]
    fn what_does_not_shrink_goes_as_it_is() {
        let mut seed = 1_u64;
        let noise = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 56) as u8
        });
        let mut encoder = Encoder::new().expect("memory");
        for block in [block(vec![9]), block(noise.take(MAX_BLOCK).collect())] {
            for effort in [Effort::Stored, Effort::Zstd(-7), Effort::Zstd(19)] {
                assert_eq!(encoder.encode(effort, &block), block.clone().into());
            }
        }
    }

    proptest! {
        #[test]
        fn one_encoder_makes_every_block(
            blocks in prop::collection::vec((prop::collection::vec(0_u8..4, 1..5000), -7..=19_i32), 1..8),
        ) {
            let mut encoder = Encoder::new().expect("memory");
            for (bytes, level) in blocks {
                let block = block(bytes);
                let encoded = encoder.encode(Effort::Zstd(level), &block);
                match encoded.header.encoding {
                    Encoding::Zstd => {
                        prop_assert!(encoded.bytes.len() < block.bytes.len());
                        prop_assert_eq!(decoded(&encoded), block.bytes.to_vec());
                    }
                    _ => prop_assert_eq!(encoded.bytes, block.bytes),
                }
            }
        }
    }
}
