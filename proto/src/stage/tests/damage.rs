//! Files that were cut, damaged, or are something else.

use std::collections::BTreeSet;

use super::support::{hex, refusal, stages, undo};
use super::vectors::{self, KEY, TEXT, Vector};
use crate::stage::{Cipher, Decompress, Fault, Field, StageKind, Stages, Unsupported, fuzz};

/// Where a file may be cut without anything of it telling.
fn ends(vector: &Vector) -> BTreeSet<usize> {
    let file = &vector.file;
    let starts = |magic: &[u8]| -> BTreeSet<usize> {
        (0..file.len()).filter(|at| file[*at..].starts_with(magic)).chain([file.len()]).collect()
    };
    match vector.kind {
        StageKind::Xbcrypt => starts(b"XBCRYP0"),
        StageKind::Zstd => &starts(b"\x28\xb5\x2f\xfd") | &starts(b"\x53\x2a\x4d\x18"),
        StageKind::Lz4 => starts(b"\x04\x22\x4d\x18"),
        StageKind::Qpress => BTreeSet::from([file.len()]),
    }
}

#[test]
fn a_file_that_was_cut_anywhere_is_refused() {
    for vector in vectors::all() {
        let (stages, ends) = (stages(vector.cipher, &KEY[..vector.cipher.key_len()]), ends(&vector));
        for len in 0..=vector.file.len() {
            let (out, end) = undo(&stages, &[vector.kind], &vector.file[..len], 1000);
            assert!(vector.original.starts_with(&out));
            assert_eq!(end.is_ok(), ends.contains(&len), "{} cut at {len}: {end:?}", vector.kind);
            if let Err(error) = end {
                assert!(matches!(error.fault, Fault::Truncated { .. }) && error.offset == len as u64, "{error}");
            }
        }
    }
}

/// What is in a file and does not matter.
fn needless(vector: &Vector, at: usize) -> bool {
    let file = &vector.file;
    let behind = |mark: &[u8], skipped: std::ops::Range<usize>| {
        let mut marks = (0..file.len()).filter(|start| file[*start..].starts_with(mark));
        marks.any(|start| skipped.contains(&at.wrapping_sub(start)))
    };
    match vector.kind {
        StageKind::Xbcrypt => behind(b"XBCRYP02", 44..60),
        // A window may be larger than it need be; and what is skipped.
        StageKind::Zstd => {
            let skipped = b"\x53\x2a\x4d\x18";
            behind(b"\x28\xb5\x2f\xfd", 5..6) || behind(skipped, 0..1) || behind(skipped, 8..11)
        }
        // Behind the first header: there is more than one block that holds the same.
        StageKind::Lz4 => at >= 19,
        // The chunk size, which is only a limit; the name; what is for recovery.
        StageKind::Qpress => {
            let name = 21..21 + usize::from(file[17]);
            behind(b"qpress10", 8..16) || behind(b"qpress10", name) || behind(b"NEWBNEWB", 8..16)
        }
    }
}

#[test]
fn a_file_with_a_wrong_byte_anywhere_is_refused() {
    for vector in vectors::all() {
        let (stages, kinds) = (stages(vector.cipher, &KEY[..vector.cipher.key_len()]), [vector.kind]);
        for (at, wrong) in (0..vector.file.len()).flat_map(|at| [(at, 0x01), (at, 0x80), (at, 0xFF)]) {
            let mut file = vector.file.clone();
            file[at] ^= wrong;
            let (out, end) = undo(&stages, &kinds, &file, file.len());
            if end.is_ok() {
                assert!(needless(&vector, at), "{}: byte {at} ^ {wrong:02x}", vector.kind);
                assert_eq!(out, vector.original);
            }
            assert_eq!(undo(&stages, &kinds, &file, 1).1, end, "{}: byte {at} ^ {wrong:02x}", vector.kind);
        }
    }
}

#[test]
fn a_refused_file_stays_refused() {
    for vector in vectors::all() {
        let stages = stages(vector.cipher, &KEY[..vector.cipher.key_len()]);
        let mut chain = stages.chain(&[vector.kind]);
        chain.feed(vector.file.iter().map(|byte| byte ^ 0x80).collect());
        let refusal = chain.next().map(|_| ()).expect_err("damage");
        assert_eq!(chain.next(), Err(refusal.clone()));
        assert_eq!(chain.finish(), Err(refusal));
    }
}

#[test]
fn nothing_of_a_damaged_chunk_is_given_out() {
    let (stages, whole) = (stages(Cipher::Aes256, &KEY), hex(vectors::XBCRYPT_3));
    let starts: Vec<usize> = (0..whole.len()).filter(|at| whole[*at..].starts_with(b"XBCRYP03")).collect();
    for at in starts[2]..whole.len() {
        let mut file = whole.clone();
        file[at] ^= 0x10;
        assert_eq!(undo(&stages, &[StageKind::Xbcrypt], &file, 1).0, TEXT[..5], "byte {at}");
        file.truncate(at);
        assert_eq!(undo(&stages, &[StageKind::Xbcrypt], &file, 1).0, TEXT[..5], "{at} bytes");
    }
}

#[test]
fn a_wrong_key_is_told_as_such() {
    let kinds = [StageKind::Xbcrypt, StageKind::Zstd];
    let wrong = stages(Cipher::Aes256, &[9; 32]);
    let error = refusal(&wrong, &kinds, &hex(vectors::XBCRYPT_3));
    assert_eq!((error.offset, &error.fault), (0, &Fault::WrongKey));
    assert!(error.to_string().starts_with("xbcrypt, at byte 0: ") && error.to_string().ends_with("wrong key?"));
    let wrong = stages(Cipher::Aes128, &[9; 16]);
    let error = refusal(&wrong, &kinds, &hex(vectors::XBCRYPT_1));
    assert!(matches!(error.fault, Fault::Decrypted { .. }) && error.to_string().ends_with("wrong key?"), "{error}");
}

#[test]
fn a_file_is_not_decrypted_without_a_key() {
    let stages = Stages { decompress: Decompress::Yes, decrypt: None };
    assert_eq!(refusal(&stages, &[StageKind::Xbcrypt], &hex(vectors::XBCRYPT_1)).fault, Fault::NoKey);
}

/// Why a file is refused in this format.
fn fault(kind: StageKind, file: &[u8]) -> Fault {
    refusal(&stages(Cipher::Aes256, &KEY), &[kind], file).fault
}

#[test]
fn what_is_something_else_is_quoted() {
    for kind in [StageKind::Xbcrypt, StageKind::Zstd, StageKind::Lz4, StageKind::Qpress] {
        let error = refusal(&stages(Cipher::Aes256, &KEY), &[kind], b"plain text of some length");
        assert!(error.to_string().starts_with(&format!("{kind}, at byte 0: expected ")), "{error}");
        assert!(error.to_string().contains("found \"plai"), "{error}");
    }
    let behind = [&hex(vectors::QPRESS)[..], b"x"].concat();
    assert!(matches!(fault(StageKind::Qpress, &behind), Fault::Trailing { .. }));
    for (kind, whole) in [(StageKind::Lz4, vectors::LZ4), (StageKind::Zstd, vectors::ZSTD)] {
        let file = [&hex(whole)[..], b"xxxx"].concat();
        assert_eq!(refusal(&stages(Cipher::Aes256, &KEY), &[kind], &file).offset, file.len() as u64 - 4);
    }
}

#[test]
fn lengths_beyond_the_limits_are_refused_before_they_are_taken() {
    let mut chunk = hex(vectors::XBCRYPT_3);
    for at in [16, 24] {
        chunk[at..at + 8].copy_from_slice(&((64_u64 << 20) + 33).to_le_bytes());
    }
    assert!(matches!(fault(StageKind::Xbcrypt, &chunk), Fault::Limit { field: Field::ChunkEncrypted, .. }));
    let mut archive = hex(vectors::QPRESS);
    archive[8..16].copy_from_slice(&((64_u64 << 20) + 1).to_le_bytes());
    assert!(matches!(fault(StageKind::Qpress, &archive), Fault::Limit { field: Field::ArchiveChunk, .. }));
    let frame = [&hex(vectors::LZ4)[..15], &((16_u32 << 20) + 1).to_le_bytes()].concat();
    assert!(matches!(fault(StageKind::Lz4, &frame), Fault::Limit { field: Field::Block, .. }));
    // A window descriptor of 2^28 bytes, then of 2^27.
    assert_eq!(fault(StageKind::Zstd, &hex("28b52ffd 00 90 010000 01 00 00")), Fault::Window { limit: 1 << 27 });
    let largest = hex("28b52ffd 00 88 010000");
    assert_eq!(undo(&stages(Cipher::Aes256, &KEY), &[StageKind::Zstd], &largest, 100), (Vec::new(), Ok(())));
    fuzz::zstd(&largest);
}

#[test]
fn what_only_others_write_is_named() {
    let mut archive = hex(vectors::QPRESS);
    archive[16] = b'D';
    assert_eq!(fault(StageKind::Qpress, &archive), Fault::Unsupported(Unsupported::Directory));
    let mut packet = hex(vectors::BINLOG_INFO_QP);
    let flags = packet.windows(5).position(|bytes| bytes == hex("45 25 1e 0000")).expect("a packet");
    packet[flags] = 0x4D;
    assert_eq!(fault(StageKind::Qpress, &packet), Fault::Unsupported(Unsupported::QuickLz { flags: 0x4D }));
    assert_eq!(fault(StageKind::Lz4, &hex("04224d18 6d40 00")), Fault::Unsupported(Unsupported::Dictionary));
    assert_eq!(fault(StageKind::Zstd, &hex("28b52ffd 21 07 00 010000")), Fault::Unsupported(Unsupported::Dictionary));
}

#[test]
fn an_empty_file_is_one_without_frames_but_not_without_an_archive() {
    let stages = stages(Cipher::Aes256, &KEY);
    for kind in [StageKind::Xbcrypt, StageKind::Zstd, StageKind::Lz4] {
        assert_eq!(undo(&stages, &[kind], b"", 1), (Vec::new(), Ok(())));
    }
    assert!(matches!(undo(&stages, &[StageKind::Qpress], b"", 1).1, Err(error) if error.offset == 0));
    let empty = hex("7170726573733130 0000010000000000 46 01000000 78 00 454e4453454e4453 0000000000000000");
    assert_eq!(undo(&stages, &[StageKind::Qpress], &empty, 1), (Vec::new(), Ok(())));
    assert_eq!(undo(&stages, &[], TEXT, 5), (TEXT.to_vec(), Ok(())));
}
