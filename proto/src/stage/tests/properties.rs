//! What must hold for all files, and for any bytes.

use proptest::prelude::*;
use zstd_safe::{CCtx, CParameter};

use super::support::{original, stages, undo};
use super::vectors;
use crate::stage::{Cipher, Fault, StageKind, fuzz};

/// A frame as xtrabackup makes it.
fn zstd_frame(content: &[u8], level: i32) -> Vec<u8> {
    let mut context = CCtx::create();
    context.set_parameter(CParameter::CompressionLevel(level)).expect("a parameter");
    context.set_parameter(CParameter::ChecksumFlag(true)).expect("a parameter");
    let mut frame = Vec::with_capacity(zstd_safe::compress_bound(content.len()));
    context.compress2(&mut frame, content).expect("room");
    frame
}

/// A frame of one block after another, without checksums, whose header declares blocks of 64 KiB.
fn lz4_frame(blocks: &[&[u8]]) -> Vec<u8> {
    let mut frame = b"\x04\x22\x4d\x18\x60\x40\x82".to_vec();
    for block in blocks {
        let compressed = lz4_flex::block::compress(block);
        frame.extend((compressed.len() as u32).to_le_bytes());
        frame.extend(compressed);
    }
    frame.extend([0; 4]);
    frame
}

/// A file of version 1 with chunks of `chunk` bytes. Encrypting is what decrypting is.
fn xbcrypt_file(content: &[u8], chunk: usize) -> Vec<u8> {
    let wrapped = |body: &[u8]| {
        let (len, crc) = ((body.len() as u64).to_le_bytes(), crc32fast::hash(body).to_le_bytes());
        [b"XBCRYP01\0\0\0\0\0\0\0\0", &len[..], &len, &crc, body].concat()
    };
    let stages = stages(Cipher::Aes128, &[7; 16]);
    let encrypted = |plain: &[u8]| undo(&stages, &[StageKind::Xbcrypt], &wrapped(plain), usize::MAX).0;
    content.chunks(chunk).flat_map(|plain| wrapped(&encrypted(plain))).collect()
}

#[test]
fn a_new_chain_holds_nothing() {
    for kind in [StageKind::Xbcrypt, StageKind::Zstd, StageKind::Lz4, StageKind::Qpress] {
        let stages = stages(Cipher::Aes128, &[7; 16]);
        assert_eq!(stages.chain(&[kind]).memory(), 0);
        assert!(kind.most_memory() < 256 << 20);
    }
}

/// What follows this magic is not only a damaged frame but also, by itself, one to be skipped.
#[test]
fn a_frame_in_the_header_of_a_frame_is_none() {
    fuzz::zstd(b"\x28\xb5\x2f\xfd\x53\x2a\x4d\x18\x03\0\0\0abc");
    fuzz::zstd(b"\x53\x2a\x4d\x18\0\0\0\0abcdefgh");
}

#[test]
fn blocks_larger_than_declared_are_taken_up_to_a_limit() {
    let stages = stages(Cipher::Aes128, &[7; 16]);
    for len in [64 << 10, (64 << 10) + 1, 1_200_000, 16 << 20] {
        let content: Vec<u8> = (0..len).map(|at: u32| (at.wrapping_mul(0x9E37_79B1) >> 28) as u8).collect();
        let (out, end) = undo(&stages, &[StageKind::Lz4], &lz4_frame(&[&content, b"abc"]), 100_000);
        assert_eq!(end, Ok(()), "{len}");
        assert!(out == [&content[..], b"abc"].concat());
    }
    let file = lz4_frame(&[&vec![0; (16 << 20) + 1]]);
    let error = undo(&stages, &[StageKind::Lz4], &file, file.len()).1.expect_err("a block too large");
    assert!(matches!(error.fault, Fault::Corrupt { .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn frames_of_zstd_are_undone(
        contents in prop::collection::vec((prop::collection::vec(0_u8..5, 0..20_000), -7..=19_i32), 0..4),
    ) {
        let frames: Vec<_> = contents.iter().map(|(content, level)| zstd_frame(content, *level)).collect();
        let content: Vec<_> = contents.into_iter().flat_map(|(content, _)| content).collect();
        let stages = stages(Cipher::Aes128, &[7; 16]);
        prop_assert_eq!(original(&stages, &[StageKind::Zstd], &frames.concat()), content);
    }

    #[test]
    fn what_was_compressed_and_then_encrypted_is_undone(
        content in prop::collection::vec(0_u8..5, 0..20_000), level in -7..=19_i32, chunk in 30_usize..5000,
    ) {
        let file = xbcrypt_file(&zstd_frame(&content, level), chunk);
        let stages = stages(Cipher::Aes128, &[7; 16]);
        prop_assert_eq!(original(&stages, &[StageKind::Xbcrypt, StageKind::Zstd], &file), content);
    }

    #[test]
    fn blocks_of_lz4_are_undone(blocks in prop::collection::vec(prop::collection::vec(0_u8..5, 1..20_000), 0..4)) {
        let parts: Vec<&[u8]> = blocks.iter().map(Vec::as_slice).collect();
        let stages = stages(Cipher::Aes128, &[7; 16]);
        prop_assert_eq!(original(&stages, &[StageKind::Lz4], &lz4_frame(&parts)), blocks.concat());
    }

    #[test]
    fn any_bytes_are_some_file(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for each in [fuzz::xbcrypt, fuzz::zstd, fuzz::lz4, fuzz::qpress, fuzz::chain] {
            each(&bytes);
        }
    }

    #[test]
    fn a_file_with_wrong_bytes_is_some_file(
        file: prop::sample::Index, wrong in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = file.get(&vectors::all()).file.clone();
        for (at, byte) in wrong {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for each in [fuzz::xbcrypt, fuzz::zstd, fuzz::lz4, fuzz::qpress] {
            each(&bytes);
        }
    }
}
