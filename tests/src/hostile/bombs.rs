//! Small files that become large ones, against a limit, and files whose decoders hold much.

use super::formats::{
    bomb_of_zstd, encrypted, lz4_block, lz4_head, lz4_repeats, qpress_block, qpress_end, qpress_head,
};
use super::{Case, Chunk, zstd_window};

/// Memory for the decoders of all files together, for one that is refused, and for the rest, in MiB.
const WITH_DECODERS: u64 = 1024 + 130 + 192;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        limited("bomb of zstd, a TiB", "a.zst", &bomb_of_zstd(1 << 40)).with(["--unpacked-limit", "1g"]),
        limited("bomb of zstd, one large block", "a.zst", &bomb_of_zstd(64 << 20)).with(["--unpacked-limit", "1m"]),
        limited("bomb of LZ4", "a.lz4", &bomb_of_lz4()).with(["--unpacked-limit", "64m"]),
        limited("bomb of qpress", "a.qp", &bomb_of_qpress()).with(["--unpacked-limit", "64m"]),
        limited("bomb of zstd, encrypted", "a.zst.xbcrypt", &encrypted(&bomb_of_zstd(16 << 30))).with([
            "--unpacked-limit",
            "64m",
            "--decrypt",
            "AES128",
            "--encrypt-key-file",
            "key",
        ]),
        limited("one byte too many", "a.zst", &bomb_of_zstd(1 << 20)).with(["--unpacked-limit", "1048575"]),
    ];
    cases.extend([many_small(), many_windows()]);
    cases
}

fn limited(name: &str, path: &str, content: &[u8]) -> Case {
    let case = Case::refused(name, "which is the limit (--unpacked-limit)", Chunk::file(path, content));
    case.by_the_destination().with(["--decompress"])
}

/// 8 GiB in blocks of 4 MiB.
fn bomb_of_lz4() -> Vec<u8> {
    let block = lz4_block(false, &lz4_repeats((4 << 20) / 255 - 1));
    [&lz4_head(0x60, 0x70, None)[..], &block.repeat(2048), &[0; 4]].concat()
}

/// 4 GiB in blocks of 64 KiB.
fn bomb_of_qpress() -> Vec<u8> {
    const CONTENT: u32 = 3 + 255 * 256;
    let mut body = Vec::new();
    let mut matches = 256;
    while matches > 0 {
        let first = body.is_empty();
        let now = matches.min(if first { 28 } else { 31 });
        let literals = if first { 3 } else { 0 };
        body.extend((((1_u32 << now) - 1) << literals | 1 << (now + literals)).to_le_bytes());
        body.extend(&b"000"[..literals]);
        // The position where three zeros stand, and a length of 255 in a byte of its own.
        let hash = ((0x30_3030_u32 >> 12) ^ 0x30_3030) & 0xFFF;
        let reference = ((hash << 4) as u16).to_le_bytes();
        body.extend([reference[0], reference[1], 255].repeat(now));
        matches -= now;
    }
    let block = qpress_block(0x47, 9 + body.len() as u32, CONTENT, &body);
    [qpress_head(64 << 10, b'F', 1, b"a"), block.repeat(1 << 16), qpress_end(0)].concat()
}

/// The limit is for all files together.
fn many_small() -> Case {
    let file = |number: u32| Chunk::file(format!("d/{number}.zst"), bomb_of_zstd(1 << 20));
    let stream: Vec<u8> = (0..100).flat_map(file).collect();
    let case = Case::refused("many small ones", "decoded files take more than 64.0 MiB", stream);
    case.by_the_destination().with(["--decompress", "--unpacked-limit", "64m"])
}

/// Each alone is within its limits. What comes before the end of the first is more than may wait to be written, so that
/// all of them are under way by then.
fn many_windows() -> Case {
    let begin = |number: u32| Chunk::payload(format!("d/{number}.zst"), 0, &zstd_window()).bytes();
    let stream: Vec<u8> = (0..100).flat_map(begin).chain(Chunk::file("large", vec![0; 40 << 20])).collect();
    let said = "takes more than 1.0 GiB of memory";
    Case::refused("many large windows", said, stream)
        .by_the_destination()
        .with(["--decompress", "--parallel", "1"])
        .within(WITH_DECODERS)
}
