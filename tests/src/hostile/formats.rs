//! Encoded content whose numbers can lie.

use std::sync::Arc;

use bytes::Bytes;
use twox_hash::XxHash32;
use xbproto::stage::{Cipher, Decompress, FileKey, StageKind, Stages};

/// What files are encrypted with: AES128.
pub(super) const KEY: &[u8; 16] = b"0123456789abcdef";

/// The content of a zstd block, whether it is the last of its frame or not, and its type.
#[derive(Clone, Copy)]
pub(super) enum Block<'a> {
    Raw(&'a [u8]),
    /// One byte so many times, 128 KiB at most.
    Repeated(u8, u32),
}

const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// A zstd frame with this window descriptor and these blocks, without checksum.
pub(super) fn zstd(window: u8, blocks: &[Block<'_>]) -> Vec<u8> {
    let mut frame = [&ZSTD_MAGIC[..], &[0, window]].concat();
    for (number, block) in blocks.iter().enumerate() {
        let last = u32::from(number + 1 == blocks.len());
        let (kind, len, body) = match block {
            Block::Raw(bytes) => (0, bytes.len() as u32, bytes.to_vec()),
            Block::Repeated(byte, count) => (1, *count, vec![*byte]),
        };
        frame.extend(&(last | kind << 1 | len << 3).to_le_bytes()[..3]);
        frame.extend(body);
    }
    frame
}

/// A file of so many bytes of zeros, in 1/32768 of that.
pub fn bomb_of_zstd(bytes: u64) -> Vec<u8> {
    // A frame of 8 GiB at most, or its blocks would be many for one frame.
    const BLOCK: u32 = 128 << 10;
    let count = (bytes / u64::from(BLOCK)) as usize;
    zstd(0x38, &vec![Block::Repeated(0, BLOCK); count])
}

/// The beginning of a file whose decoder holds a window of 128 MiB, and some bytes of it.
pub fn zstd_window() -> Vec<u8> {
    let mut frame = zstd(0x88, &[Block::Repeated(1, 1000), Block::Repeated(1, 1000), Block::Raw(b"last")]);
    frame.truncate(frame.len() - 7);
    frame
}

/// The descriptor of an LZ4 frame with its magic and its check byte.
pub(super) fn lz4_head(flags: u8, code: u8, content_len: Option<u64>) -> Vec<u8> {
    let mut descriptor = vec![flags, code];
    descriptor.extend(content_len.iter().flat_map(|len| len.to_le_bytes()));
    let check = (XxHash32::oneshot(0, &descriptor) >> 8) as u8;
    [&[0x04, 0x22, 0x4D, 0x18][..], &descriptor, &[check]].concat()
}

/// An LZ4 block that is stored, and one that is not.
pub(super) fn lz4_block(stored: bool, block: &[u8]) -> Vec<u8> {
    let bit = if stored { 1 << 31 } else { 0 };
    [&(block.len() as u32 | bit).to_le_bytes()[..], block].concat()
}

/// LZ4: one byte, and a match of so many times 255.
pub(super) fn lz4_repeats(times: usize) -> Vec<u8> {
    let lengths = vec![255; times];
    // A literal, a match that goes back one byte, and the five literals that end every block.
    [&[0x1F, 0, 1, 0][..], &lengths, &[0, 0x50], b"00000"].concat()
}

/// The header of a qpress archive.
pub(super) fn qpress_head(chunk: u64, kind: u8, name_len: u32, name: &[u8]) -> Vec<u8> {
    [&b"qpress10"[..], &chunk.to_le_bytes(), &[kind], &name_len.to_le_bytes(), name, &[0]].concat()
}

/// A block with one QuickLZ packet, its lengths as given.
pub(super) fn qpress_block(flags: u8, packet: u32, content: u32, body: &[u8]) -> Vec<u8> {
    let whole = [&[flags][..], &packet.to_le_bytes(), &content.to_le_bytes(), body].concat();
    let mut sum = adler2::Adler32::new();
    sum.write_slice(&whole);
    [&b"NEWBNEWB"[..], &[0; 8], &sum.checksum().to_le_bytes(), &whole].concat()
}

/// The end of an archive.
pub(super) fn qpress_end(number: u64) -> Vec<u8> {
    [&b"ENDSENDS"[..], &number.to_le_bytes()].concat()
}

/// The header of an xbcrypt chunk of version 1 and the bytes behind it, its lengths as given.
pub(super) fn xbcrypt_1(reserved: u64, original: u64, encrypted: u64, body: &[u8]) -> Vec<u8> {
    let sum = crc32fast::hash(body);
    let numbers = [reserved, original, encrypted].map(u64::to_le_bytes).concat();
    [&b"XBCRYP01"[..], &numbers, &sum.to_le_bytes(), body].concat()
}

/// A valid file of one chunk of version 1. Encrypting is the same as decrypting there.
pub(super) fn encrypted(plain: &[u8]) -> Vec<u8> {
    let whole = |body: &[u8]| xbcrypt_1(0, body.len() as u64, body.len() as u64, body);
    let key = FileKey::new(Cipher::Aes128, KEY).expect("a key");
    let stages = Stages { decompress: Decompress::No, decrypt: Some(Arc::new(key)) };
    let (mut chain, mut cipher) = (stages.chain(&[StageKind::Xbcrypt]), Vec::new());
    chain.feed(Bytes::from(whole(plain)));
    while let Some(piece) = chain.next().expect("a valid chunk") {
        cipher.extend_from_slice(piece);
    }
    whole(&cipher)
}
