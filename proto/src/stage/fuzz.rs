//! What must hold for any bytes whatsoever. Called by the fuzzers and by the property tests.

use std::sync::Arc;

use adler2::adler32_slice;
use bytes::Bytes;

use super::{Cipher, Decompress, FileKey, PIECE, StageError, StageKind, Stages};

/// Decrypts the bytes, as they are and as the body of a chunk whose checksum is right.
pub fn xbcrypt(bytes: &[u8]) {
    file(&[StageKind::Xbcrypt], bytes);
    let len = (bytes.len() as u64).to_le_bytes();
    let crc = crc32fast::hash(bytes).to_le_bytes();
    file(&[StageKind::Xbcrypt], &[b"XBCRYP01\0\0\0\0\0\0\0\0", &len[..], &len, &crc, bytes].concat());
}

/// Decompresses the bytes, as they are and as what follows the magic of a frame.
pub fn zstd(bytes: &[u8]) {
    file(&[StageKind::Zstd], bytes);
    file(&[StageKind::Zstd], &[b"\x28\xb5\x2f\xfd", bytes].concat());
}

/// Decompresses the bytes, as they are and as the blocks of a linked frame.
pub fn lz4(bytes: &[u8]) {
    file(&[StageKind::Lz4], bytes);
    file(&[StageKind::Lz4], &[b"\x04\x22\x4d\x18\x40\x40\xc0", bytes].concat());
}

/// Unpacks the bytes, as they are and as a packet whose checksum is right.
pub fn qpress(bytes: &[u8]) {
    file(&[StageKind::Qpress], bytes);
    let header = b"qpress10\0\0\x01\0\0\0\0\0F\x01\0\0\0x\0NEWBNEWB\0\0\0\0\0\0\0\0";
    let archive = [&header[..], &adler32_slice(bytes).to_le_bytes(), bytes, b"ENDSENDS\0\0\0\0\0\0\0\0"];
    file(&[StageKind::Qpress], &archive.concat());
}

/// Takes the bytes for a name and a file: what its suffixes say is undone in their order.
pub fn chain(bytes: &[u8]) {
    let (name, content) = bytes.split_at(bytes.len().min(12));
    let stages = stages();
    let (shorter, kinds) = stages.of(name);
    assert!(name.starts_with(shorter) && shorter.is_empty() == name.is_empty());
    let suffixes: String = kinds.iter().rev().map(|kind| kind.suffix()).collect();
    assert_eq!(&name[shorter.len()..], suffixes.as_bytes());
    file(&kinds, content);
    for compression in [StageKind::Zstd, StageKind::Lz4, StageKind::Qpress] {
        file(&[StageKind::Xbcrypt, compression], content);
    }
}

/// Undoes a file: it never panics, its memory stays within what is promised, and the bytes and the place of the error
/// are the same wherever it is cut.
fn file(kinds: &[StageKind], file: &[u8]) {
    let whole = undo(&stages(), kinds, file, &[file.len()]);
    for lengths in [&[1][..], &[13, 1, 64]] {
        let pieces = undo(&stages(), kinds, file, lengths);
        assert_eq!(place_of(&whole), place_of(&pieces));
        // Of a frame that is damaged further on, more or less may have been given out by then.
        let common = if whole.1.is_ok() { usize::MAX } else { whole.0.len().min(pieces.0.len()) };
        assert_eq!(whole.0.get(..common).unwrap_or(&whole.0), pieces.0.get(..common).unwrap_or(&pieces.0));
    }
}

type Undone = (Vec<u8>, Result<(), StageError>);

pub(super) fn undo(stages: &Stages, kinds: &[StageKind], file: &[u8], lengths: &[usize]) -> Undone {
    let (mut chain, mut out, mut rest) = (stages.chain(kinds), Vec::new(), Bytes::copy_from_slice(file));
    let most: usize = kinds.iter().map(|kind| kind.most_memory()).sum();
    for len in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        chain.feed(rest.split_to((*len).clamp(1, rest.len())));
        loop {
            match chain.next() {
                Ok(Some(piece)) => {
                    assert!((1..=PIECE).contains(&piece.len()));
                    out.extend_from_slice(piece);
                }
                Ok(None) => break,
                Err(error) => return (out, Err(error)),
            }
        }
        assert!(chain.memory() <= most, "{} bytes", chain.memory());
    }
    let end = chain.finish();
    (out, end)
}

fn place_of((_, end): &Undone) -> Option<(StageKind, u64)> {
    end.as_ref().err().map(|error| (error.stage, error.offset))
}

fn stages() -> Stages {
    let key = FileKey::new(Cipher::Aes128, &[7; 16]).expect("its length");
    Stages { decompress: Decompress::Yes, decrypt: Some(Arc::new(key)) }
}
