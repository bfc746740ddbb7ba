//! Files that are not what their suffixes say: zstd, LZ4 and xbcrypt.

use super::formats::{Block, KEY, encrypted, lz4_block, lz4_head, lz4_repeats, xbcrypt_1, zstd};
use super::{Case, Chunk};

pub(super) fn cases() -> Vec<Case> {
    [of_zstd(), of_lz4(), of_xbcrypt(), places()].into_iter().flatten().collect()
}

/// A file with this suffix and content, refused with its name in the message.
fn case(name: &str, path: &str, said: &str, content: &[u8]) -> Case {
    let case = Case::refused(name, &format!("{path}: {said}"), Chunk::file(path, content)).with(["--decompress"]);
    case.with(["--decrypt", "AES128", "--encrypt-key-file", "key"])
}

fn of_zstd() -> Vec<Case> {
    let zst = |name: &str, said: &str, content: &[u8]| case(name, "a.zst", &format!("zstd, {said}"), content);
    let valid = zstd(0x38, &[Block::Raw(b"content"), Block::Repeated(0, 1000)]);
    let behind = |more: &[u8]| [&valid[..], more].concat();
    let large = zstd(0x38, &[Block::Repeated(0, (128 << 10) + 1)]);
    let declared = [&[0x28, 0xB5, 0x2F, 0xFD, 0x20, 9][..], &zstd(0, &[Block::Raw(b"content")])[6..]].concat();
    vec![
        zst("plain text for zstd", "at byte 0: expected a zstd frame", b"plain text"),
        zst("zstd that is cut", "at byte 19: the file ends inside", &valid[..valid.len() - 1]),
        zst("zstd magic that is cut", "at byte 21: the file ends inside", &behind(&[0x28])),
        zst("zstd with text behind", "at byte 20: expected a zstd frame", &behind(b"text")),
        zst("zstd window of 256 MiB", "at byte 0: a frame has a window", &zstd(0x90, &[Block::Raw(b"x")])),
        zst("zstd window of 2 TiB", "at byte 0: a frame has a window", &zstd(0xF8, &[Block::Raw(b"x")])),
        zst(
            "zstd with a dictionary",
            "at byte 0: a frame that needs a dictionary",
            b"\x28\xB5\x2F\xFD\x01\x38\x07\x09\0\0x",
        ),
        zst("zstd block that is too large", "at byte 0: a zstd frame cannot", &large),
        zst("zstd block of the reserved type", "at byte 0: a zstd frame cannot", b"\x28\xB5\x2F\xFD\0\x38\x0F\0\0xx"),
        zst("zstd that declares another length", "at byte 0: a zstd frame cannot", &declared),
        zst("zstd frame to skip that does not come", "", b"\x50\x2A\x4D\x18\xFF\xFF\xFF\xFFabc"),
    ]
}

fn of_lz4() -> Vec<Case> {
    let lz4 = |name: &str, said: &str, content: &[u8]| case(name, "a.lz4", &format!("lz4, {said}"), content);
    let frame = |blocks: &[u8]| [&lz4_head(0x60, 0x40, None)[..], blocks, &[0; 4]].concat();
    let sized = |len| [&lz4_head(0x68, 0x40, Some(len))[..], &lz4_block(true, b"content"), &[0; 4]].concat();
    let summed = [&lz4_head(0x64, 0x40, None)[..], &lz4_block(true, b"content"), &[0; 4], b"sums"].concat();
    let block_sum = [&lz4_head(0x70, 0x40, None)[..], &lz4_block(true, b"content"), b"sums", &[0; 4]].concat();
    let mut check = frame(&[]);
    check[6] ^= 1;
    vec![
        lz4("plain text for LZ4", "at byte 0: expected an LZ4 frame", b"plain text"),
        lz4("LZ4 block of 2 GiB", "at byte 7: the length of a block", &frame(&(u32::MAX >> 1).to_le_bytes())),
        lz4("LZ4 block of 16 MiB and a byte", "at byte 7: the length", &frame(&((16_u32 << 20) + 1).to_le_bytes())),
        lz4("LZ4 block that does not come", "at byte", &frame(&(15_u32 << 20).to_le_bytes())[..11]),
        lz4(
            "LZ4 reference before its start",
            "at byte 7: a block cannot",
            &frame(&lz4_block(false, &[0x0F, 9, 0, 255, 0])),
        ),
        lz4("LZ4 reference to itself", "at byte 7: a block cannot", &frame(&lz4_block(false, &[0x1F, 0, 0, 0, 9, 0]))),
        lz4(
            "LZ4 literals that do not come",
            "at byte 7: a block cannot",
            &frame(&lz4_block(false, &[0xF0, 255, 255, 9])),
        ),
        lz4(
            "LZ4 block of more than 16 MiB",
            "at byte 7: a block cannot",
            &frame(&lz4_block(false, &lz4_repeats(66_000))),
        ),
        lz4("LZ4 with less than it declares", "at byte", &sized(8)),
        lz4("LZ4 with more than it declares", "at byte 15: the length of a block", &sized(6)),
        lz4("LZ4 that declares 2^64 - 1", "at byte", &sized(u64::MAX)),
        lz4("LZ4 sum of the content", "at byte 18: the checksum of a frame's content", &summed),
        lz4("LZ4 sum of a block", "at byte 7: the checksum of a block", &block_sum),
        lz4("LZ4 sum of the header", "at byte 0: the checksum of the header", &check),
        lz4("LZ4 with a dictionary", "at byte 0: a frame that needs a dictionary", &lz4_head(0x61, 0x40, None)),
        lz4("LZ4 of version 2", "at byte 0: the version", &lz4_head(0xA0, 0x40, None)),
        lz4("LZ4 with an unknown code", "at byte 0: the code", &lz4_head(0x60, 0x30, None)),
        lz4("LZ4 with text behind", "at byte 11: expected an LZ4 frame", &[&frame(&[])[..], b"text"].concat()),
    ]
}

fn of_xbcrypt() -> Vec<Case> {
    let crypt = |name: &str, said: &str, content: &[u8]| case(name, "a.xbcrypt", &format!("xbcrypt, {said}"), content);
    let (valid, most) = (encrypted(b"content"), (64 << 20) + 1);
    let mut sum = valid.clone();
    *sum.last_mut().expect("a body") ^= 1;
    let second = |kind: &[u8]| [&valid[..], kind].concat();
    let third =
        |len: u64| [b"XBCRYP03", &xbcrypt_1(0, len, len, &[0; 40])[8..36], &16_u64.to_le_bytes(), &[0; 64]].concat();
    vec![
        crypt("plain text for xbcrypt", "at byte 0: expected the header", b"plain text"),
        crypt("xbcrypt of version 4", "at byte 0: expected the header", b"XBCRYP04\0\0\0\0\0\0\0\0"),
        crypt("xbcrypt with the reserved field", "at byte 0: the reserved field", &xbcrypt_1(1, 1, 1, b"x")),
        crypt("xbcrypt chunk of 64 MiB and a byte", "at byte 0: the encrypted length", &xbcrypt_1(0, most, most, b"x")),
        crypt("xbcrypt chunk of 2^64 - 1", "at byte 0: the encrypted length", &xbcrypt_1(0, u64::MAX, u64::MAX, b"x")),
        crypt("xbcrypt chunk that does not come", "at byte", &xbcrypt_1(0, most - 1, most - 1, b"x")),
        crypt("xbcrypt with two lengths", "at byte 0: the original length", &xbcrypt_1(0, 2, 1, b"x")),
        crypt("xbcrypt sum", "at byte 0: the checksum of a chunk", &sum),
        crypt(
            "xbcrypt of two versions",
            "at byte 43: the version",
            &second(b"XBCRYP02\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0____\0\0\0\0\0\0\0\0x"),
        ),
        crypt("xbcrypt without room for its hash", "at byte 0: the encrypted length", &third(31)),
        crypt("xbcrypt with a wrong key", "at byte 0: the SHA-256", &keyless()),
        crypt("xbcrypt with text behind", "at byte 43: expected the header", &second(b"plain text")),
    ]
}

/// A chunk of version 3 whose hash is wrong.
fn keyless() -> Vec<u8> {
    let body = [7; 40];
    let numbers = [0_u64, 40, 40].map(u64::to_le_bytes).concat();
    let iv = [&16_u64.to_le_bytes()[..], &KEY[..]].concat();
    [&b"XBCRYP03"[..], &numbers, &crc32fast::hash(&body).to_le_bytes(), &iv, &body].concat()
}

/// An encoded file comes from its first byte to its last.
fn places() -> Vec<Case> {
    let content = zstd(0x38, &[Block::Raw(b"content")]);
    let whole = |chunks: &[Chunk]| chunks.iter().flat_map(Chunk::bytes).collect::<Vec<_>>();
    let case = |name: &str, chunks: &[Chunk]| {
        Case::refused(name, "a.zst: this chunk leaves a hole", whole(chunks)).with(["--decompress"])
    };
    let (first, end) = (Chunk::payload("a.zst", 0, &content), Chunk::end("a.zst"));
    vec![
        case("hole in an encoded file", &[Chunk::sparse("a.zst", 0, &[(4096, 16)], &content), end.clone()]),
        case("sparse chunk without a hole", &[Chunk::sparse("a.zst", 0, &[(0, 16)], &content), end.clone()]),
        case(
            "seek in an encoded file",
            &[first.clone(), Chunk::seek("a.zst", 99), Chunk::payload("a.zst", 99, &content), end.clone()],
        ),
        case(
            "seek back in an encoded file",
            &[first, Chunk::seek("a.zst", 0), Chunk::payload("a.zst", 0, &content), end],
        ),
    ]
}
