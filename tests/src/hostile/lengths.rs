//! Lengths, offsets and sums that cannot be.

use super::{Case, Chunk};

/// The largest payload that is taken.
const LARGEST: u64 = 1 << 40;

pub(super) fn cases() -> Vec<Case> {
    [payloads(), maps(), cuts()].into_iter().flatten().collect()
}

fn payloads() -> Vec<Case> {
    let claim = |len, offset| Chunk::claiming("a", len, offset, b"x");
    let sought = |offset| [Chunk::seek("a", offset).bytes(), Chunk::end("a").bytes()].concat();
    let case = |name: &str, said: &str, chunk: Chunk| Case::refused(name, said, chunk.bytes());
    vec![
        case("payload of a TiB and a byte", "expected at most 1099511627776", claim(LARGEST + 1, 0)),
        case("payload of 2^63 bytes", "expected at most", claim(1 << 63, 0)),
        case("payload of 2^64 - 1 bytes", "expected at most", claim(u64::MAX, 0)),
        case("payload of a TiB that does not come", "ends inside the payload", claim(LARGEST, 0)),
        case("offset of 2^63", "beyond the largest file", claim(1, 1 << 63)),
        case("offset of 2^64 - 1", "beyond the largest file", claim(1, u64::MAX)),
        case("payload over the end of all files", "beyond the largest file", claim(2, i64::MAX as u64)),
        case("offset and length that overflow", "beyond the largest file", claim(LARGEST, u64::MAX - LARGEST + 1)),
        Case::refused("seek to 2^63", "beyond the largest file", sought(1 << 63)),
        Case::refused("seek to 2^64 - 1", "beyond the largest file", sought(u64::MAX)),
    ]
}

fn maps() -> Vec<Case> {
    let case = |name: &str, said: &str, chunk: Chunk| Case::refused(name, said, chunk.bytes());
    let most = u32::MAX;
    let map = |numbers, runs: &[(u32, u32)]| Chunk::mapping("a", numbers, runs, b"abcd");
    vec![
        case("map of 2^32 - 1 runs", "expected at most 2097152", map([most.into(), 4, 0], &[])),
        case("map of one run too many", "expected at most 2097152", map([(1 << 21) + 1, 4, 0], &[])),
        case("map that does not come", "inside the header of a chunk of a", map([1 << 21, 4, 0], &[(0, 4)])),
        case("map that writes more", "the sparse map writes 5 bytes", map([2, 4, 0], &[(0, 2), (4096, 3)])),
        case("map that writes less", "the sparse map writes 3 bytes", map([2, 4, 0], &[(0, 2), (4096, 1)])),
        case("map that writes nothing", "the sparse map writes 0 bytes", map([1, 4, 0], &[(4096, 0)])),
        case("map whose sum is 2^32", "the sparse map writes 4294967300", map([2, 4, 0], &[(0, most), (0, 5)])),
        case("map of nothing", "the sparse map writes 0 bytes", map([0, 4, 0], &[])),
        case("sparse payload too long", "expected at most 1099511627776", map([1, LARGEST + 1, 0], &[(0, 4)])),
        case("map over the end of all files", "beyond the largest file", map([1, 4, i64::MAX as u64 - 4], &[(1, 4)])),
        case("sparse chunk at 2^63", "beyond the largest file", map([1, 4, 1 << 63], &[(0, 4)])),
        case("CRC of a map", "CRC of a payload", map([1, 4, 0], &[(0, 4)]).damaged()),
    ]
}

/// A stream may be cut anywhere in a chunk.
fn cuts() -> Vec<Case> {
    let whole = Chunk::payload("abc", 0, b"content").bytes();
    let sparse = Chunk::sparse("abc", 0, &[(4096, 4), (9, 0)], b"abcd").bytes();
    let rename = Chunk::rename("abc", "cba").bytes();
    let mut cases = Vec::new();
    for (what, chunk) in [("P", whole), ("S", sparse), ("R", rename)] {
        for cut in [3, 9, 13, 15, 17, 21, chunk.len() - 9, chunk.len() - 1] {
            let before = Chunk::file("before", "x");
            let stream = [&before[..], &chunk[..cut.min(chunk.len() - 1)]].concat();
            cases.push(Case::refused(format!("{what} cut at {cut}"), "the stream ends inside", stream));
        }
    }
    cases
}
