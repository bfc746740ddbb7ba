//! Chunks that make no file in the order in which they come, and bytes that are no chunks.

use super::{Case, Chunk};

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = [offsets(), twice(), conflicts(), damage()].into_iter().flatten().collect();
    cases.push(many());
    cases
}

fn stream<const N: usize>(chunks: [Chunk; N]) -> Vec<u8> {
    chunks.iter().flat_map(Chunk::bytes).collect()
}

fn offsets() -> Vec<Case> {
    let (first, end) = (Chunk::payload("a", 0, b"abcd"), Chunk::end("a"));
    let second = |offset| Chunk::payload("a", offset, b"efgh");
    let case = |name: &str, said: &str, chunks: [Chunk; 3]| Case::refused(name, said, stream(chunks));
    let sparse = Chunk::sparse("a", 3, &[(1, 1)], b"x");
    vec![
        case("gap", "offset 5 of the file, expected 4", [first.clone(), second(5), end.clone()]),
        case("overlap", "offset 3 of the file, expected 4", [first.clone(), second(3), end.clone()]),
        case("again from the start", "offset 0 of the file, expected 4", [first.clone(), second(0), end.clone()]),
        case("sparse overlap", "offset 3 of the file, expected 4", [first.clone(), sparse, end.clone()]),
        case("not where it was sought", "expected 9", [Chunk::seek("a", 9), second(0), end.clone()]),
        Case::refused("begins late", "offset 4 of the file, expected 0", stream([second(4), end.clone()])),
        Case::refused("never ends", "1 incomplete file: a", stream([first.clone()])),
        Case::refused("sought and never ends", "1 incomplete file: a", stream([Chunk::seek("a", 7), Chunk::end("b")])),
        Case::refused(
            "one of many never ends",
            "1 incomplete file: b",
            stream([first, Chunk::payload("b", 0, b""), end]),
        ),
    ]
}

fn twice() -> Vec<Case> {
    let again = |name: &str, chunk: Chunk| {
        let stream = [Chunk::file("a", "x"), chunk.bytes(), Chunk::end("a").bytes()].concat();
        Case::refused(name, "a appears twice", stream)
    };
    vec![
        again("file twice", Chunk::payload("a", 0, b"y")),
        again("file twice, spelled otherwise", Chunk::payload(".//a", 0, b"y")),
        again("file twice, sparse", Chunk::sparse("a", 0, &[(0, 1)], b"y")),
        again("file goes on after its end", Chunk::payload("a", 1, b"y")),
        again("sought after its end", Chunk::seek("a", 0)),
        again("flags of a rewrite that are none", Chunk::payload("a", 0, b"y").flags(3)),
    ]
}

/// Names of which one is a file, and must be a directory for another.
fn conflicts() -> Vec<Case> {
    let (flat, deep) = (Chunk::file("a", "x"), Chunk::file("a/b/c", "x"));
    let said = "as a file and as a directory";
    let case = |name: &str, parts: [&[u8]; 2]| Case::refused(name, said, parts.concat());
    vec![
        case("file, then directory", [&flat, &deep]),
        case("directory, then file", [&deep, &flat]),
        case("directory, then empty file", [&deep, &Chunk::end("a").bytes()]),
        case("directory, then file that replaces", [&deep, &stream([Chunk::payload("a", 0, b"x").flags(2)])]),
        case("directory, then file by a seek", [&deep, &stream([Chunk::seek("a", 0), Chunk::end("a")])]),
        case("open file, then directory", [&Chunk::payload("a", 0, b"x").bytes(), &deep]),
    ]
}

/// Files that never end.
fn many() -> Case {
    let begun = (0..70_000).flat_map(|number| Chunk::payload(format!("d{}/{number}", number % 3), 0, b"").bytes());
    Case::refused("many files that never end", "65536 files are under way already", begun.collect::<Vec<_>>())
}

fn damage() -> Vec<Case> {
    let file = Chunk::file("a", "content");
    let after = |bytes: &[u8]| [&file[..], bytes].concat();
    let found = "expected the next chunk";
    let unknown = |kind, flags| Chunk::payload("a", 0, b"x").kind(kind).flags(flags).bytes();
    vec![
        Case::refused("CRC", "CRC of a payload", Chunk::payload("a", 0, b"content").damaged().bytes()),
        Case::refused("unknown type", "unknown chunk type 0x58", unknown(b'X', 0)),
        Case::refused("unknown type with other flags", "unknown chunk type 0x00", unknown(0, 0xFE)),
        Case::refused("zeros behind the end", found, after(&[0; 512])),
        Case::refused("text behind the end", found, after(b"completed OK!\n")),
        Case::refused("another magic", found, after(b"XBSTCK02\0E\x01\0\0\0b")),
        Case::refused("one byte behind the end", "", after(b"X")),
        Case::refused("text", "text on stdout", &b"Warning: something happened\n"[..]),
        Case::refused("gzip", "gzip", &b"\x1f\x8b\x08\0\0\0\0\0\0\x03more than that"[..]),
        Case::refused("zstd", "zstd", &b"\x28\xb5\x2f\xfd\0\x88\x01\0\0more than that"[..]),
        Case::refused("zeros", "", vec![0; 1 << 20]),
        Case::refused("ones", "", vec![0xFF; 1 << 20]),
    ]
}
