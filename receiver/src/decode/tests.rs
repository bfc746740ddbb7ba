//! Honest frames and hostile ones.

use proptest::prelude::*;
use xbproto::lane::{LaneId, MAX_BLOCK};
use xbproto::pool::Pool;
use xbproto::wire::BlockHeader;
use zstd_safe::{CCtx, CParameter};

use super::*;

fn encoded(len: usize, frame: impl Into<bytes::Bytes>) -> EncodedBlock {
    let header = BlockHeader { encoding: Encoding::Zstd, lane: LaneId(3), len: len as u32, offset: 70 };
    EncodedBlock { header, bytes: frame.into() }
}

fn frame(bytes: &[u8], level: i32) -> Vec<u8> {
    let mut frame = Vec::with_capacity(zstd_safe::compress_bound(bytes.len()));
    zstd_safe::compress(&mut frame, bytes, level).expect("room");
    frame
}

/// A frame that does not say how long its content is.
fn silent_frame(bytes: &[u8]) -> Vec<u8> {
    let mut context = CCtx::create();
    context.set_parameter(CParameter::ContentSizeFlag(false)).expect("a parameter");
    let mut frame = Vec::with_capacity(zstd_safe::compress_bound(bytes.len()));
    context.compress2(&mut frame, bytes).expect("room");
    frame
}

fn fault(len: usize, frame: impl Into<bytes::Bytes>) -> Fault {
    let error = Decoder::new(Pool::default()).expect("memory").decode(&encoded(len, frame)).expect_err("a fault");
    assert!(error.to_string().contains("lane 3, block at byte 70: "), "{error}");
    error.fault
}

#[test]
fn frames_that_are_not_what_the_header_says_are_refused() {
    let content = [b"abcd".repeat(2000), vec![7; 3000]].concat();
    let (len, good) = (content.len(), frame(&content, 3));
    let length = |actual, expected: usize| Fault::Length { actual, expected: expected as u32 };
    assert_eq!(fault(len - 1, good.clone()), length(Some(len as u64), len - 1));
    assert_eq!(fault(len + 1, good.clone()), length(Some(len as u64), len + 1));
    assert_eq!(fault(len, silent_frame(&content)), length(None, len));
    assert_eq!(fault(len, good[..good.len() - 1].to_vec()), Fault::NoFrame);
    assert_eq!(fault(len, vec![0; 40]), Fault::NoFrame);
    assert_eq!(fault(len, [&good[..], b"x"].concat()), Fault::Trailing { extra: 1 });
    let half = frame(&content[..len / 2], 3);
    assert_eq!(fault(len, [&half[..], &half[..]].concat()), Fault::Trailing { extra: half.len() });
    let skippable = [&0x184D_2A50_u32.to_le_bytes()[..], &4_u32.to_le_bytes(), b"skip"].concat();
    assert!(matches!(fault(len, skippable), Fault::Length { .. } | Fault::NoFrame));
}

#[test]
fn a_bomb_takes_no_more_than_its_block() {
    let bomb = frame(&vec![0; 64 << 20], 1);
    assert_eq!(fault(MAX_BLOCK, bomb), Fault::Length { actual: Some(64 << 20), expected: MAX_BLOCK as u32 });
    // One that lies: the content size stands in the bytes after the descriptor.
    let mut liar = frame(&vec![0; 64 << 20], 1);
    let at = liar.windows(4).position(|bytes| bytes == (64_u32 << 20).to_le_bytes()).expect("its content size");
    liar[at..at + 4].copy_from_slice(&(MAX_BLOCK as u32).to_le_bytes());
    assert!(matches!(fault(MAX_BLOCK, liar), Fault::Damaged(_)));
}

#[tokio::test]
async fn blocks_are_decoded_on_threads() {
    let decoders = Decoders::start(Place::Threads).expect("threads");
    for n in 1..20 {
        let content = b"abc".repeat(n * 1000);
        let block = decoders.decode(encoded(content.len(), frame(&content, 1))).await.expect("a block");
        assert_eq!((block.lane, block.offset, block.bytes.as_ref()), (LaneId(3), 70, &content[..]));
    }
    let failure = decoders.decode(encoded(5, b"hello".as_slice())).await.expect_err("no frame");
    assert_eq!(failure.cause, Cause::Integrity);
}

proptest! {
    #[test]
    fn whatever_was_encoded_is_decoded(
        blocks in prop::collection::vec((prop::collection::vec(0_u8..9, 1..4000), -7..=19_i32), 1..6),
    ) {
        let mut decoder = Decoder::new(Pool::default()).expect("memory");
        for (content, level) in blocks {
            let block = decoder.decode(&encoded(content.len(), frame(&content, level))).expect("an honest frame");
            prop_assert_eq!(block.bytes.as_ref(), &content[..]);
        }
    }

    #[test]
    fn any_bytes_are_some_frame(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        fuzz::frame(&bytes);
    }

    #[test]
    fn a_frame_with_a_wrong_byte_is_some_frame(
        content in prop::collection::vec(0_u8..5, 1..3000), at: prop::sample::Index, byte: u8,
    ) {
        let mut bytes = (content.len() as u32 - 1).to_be_bytes().to_vec();
        bytes.extend(frame(&content, 3));
        let at = at.index(bytes.len());
        bytes[at] = byte;
        fuzz::frame(&bytes);
    }
}
