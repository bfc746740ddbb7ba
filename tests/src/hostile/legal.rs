//! Streams that are odd, and legal: a door that is closed to all would refuse the others too.

use std::fs;

use super::formats::{Block, encrypted, lz4_block, lz4_head, qpress_block, qpress_end, qpress_head, zstd};
use super::{Case, Chunk};

pub(super) fn cases() -> Vec<Case> {
    [chunks(), moves(), encoded(), names(), targets()].into_iter().flatten().collect()
}

fn stream(chunks: &[Chunk]) -> Vec<u8> {
    chunks.iter().flat_map(Chunk::bytes).collect()
}

fn chunks() -> Vec<Case> {
    let (x, end) = (Chunk::payload("a", 0, b"x"), Chunk::end("a"));
    let one: &[(&str, &[u8])] = &[("a", b"x")];
    let holes = [&[0; 4096][..], b"ab", &[0; 100], b"cd", &[0; 9]].concat();
    let sparse = Chunk::sparse("a", 0, &[(4096, 2), (100, 2), (9, 0)], b"abcd");
    let empty = Chunk::payload("a", 0, b"");
    vec![
        Case::taken("lone E", &[("a", b"")], stream(std::slice::from_ref(&end))),
        Case::taken("E twice", &[("a", b"")], stream(&[end.clone(), end.clone()])),
        Case::taken(
            "empty chunks",
            one,
            stream(&[empty.clone(), empty.clone(), x.clone(), Chunk::payload("a", 1, b""), end.clone()]),
        ),
        Case::taken(
            "a thousand empty chunks",
            one,
            stream(&[vec![empty; 1000], vec![x.clone(), end.clone()]].concat()),
        ),
        Case::taken("unknown flags", one, stream(&[x.clone().flags(0xF0), end.clone()])),
        Case::taken(
            "what is ignored",
            one,
            stream(&[x.clone(), Chunk::payload("b", 0, b"zz").flags(1).kind(b'x'), end.clone()]),
        ),
        Case::taken("holes", &[("a", &holes)], stream(&[sparse, end.clone()])),
        Case::taken(
            "hole of nothing",
            one,
            stream(&[Chunk::sparse("a", 0, &[(0, 0), (0, 1), (0, 0)], b"x"), end.clone()]),
        ),
        Case::taken("seek to the same place", one, stream(&[Chunk::seek("a", 0), x.clone(), end.clone()])),
        Case::taken(
            "seek back",
            &[("a", b"z")],
            stream(&[x.clone(), Chunk::seek("a", 0), Chunk::payload("a", 0, b"z"), end.clone()]),
        ),
        Case::taken("seek far, and nothing", one, stream(&[x.clone(), Chunk::seek("a", i64::MAX as u64), end.clone()])),
        Case::taken(
            "chunks that interleave",
            &[("a", b"x"), ("b", b"x")],
            stream(&[x, Chunk::payload("b", 0, b"x"), end, Chunk::end("b")]),
        ),
    ]
}

fn moves() -> Vec<Case> {
    let a = || Chunk::file("a", "x");
    let after = |chunk: Chunk| [a(), chunk.bytes()].concat();
    let one: &[(&str, &[u8])] = &[("a", b"x")];
    let replaced = [a(), stream(&[Chunk::payload("a", 0, b"yy").flags(2), Chunk::end("a")])].concat();
    vec![
        Case::taken("R of what did not come", one, after(Chunk::rename("b", "c"))),
        Case::taken("R to itself", one, after(Chunk::rename("a", "./a"))),
        Case::taken(
            "R onto another",
            &[("b", b"x")],
            [Chunk::file("b", "old"), after(Chunk::rename("a", "b"))].concat(),
        ),
        Case::taken("R into a new directory", &[("d/e/b", b"x")], after(Chunk::rename("a", "d/e/b"))),
        Case::taken("D of what did not come", one, after(Chunk::remove("b"))),
        Case::taken("D in a directory that did not come", one, after(Chunk::remove("b/c/*"))),
        Case::taken("D of a directory", one, [Chunk::file("d/e/f", "y"), after(Chunk::remove("d/"))].concat()),
        Case::taken(
            "D of a prefix",
            &[("d/b", b"y")],
            [Chunk::file("d/ab", "y"), Chunk::file("d/b", "y"), Chunk::remove("d/a*").bytes()].concat(),
        ),
        Case::taken(
            "D of all files, but of no directories",
            &[("d/b", b"y")],
            [Chunk::file("d/b", "y"), after(Chunk::remove("./*"))].concat(),
        ),
        Case::taken("D, then again", one, [a(), Chunk::remove("a").bytes(), a()].concat()),
        Case::taken("file that is replaced", &[("a", b"yy")], replaced),
        Case::taken("file that is emptied", &[("a", b"")], [a(), Chunk::end("a").bytes()].concat()),
        Case::taken("D of all, and nothing is left", &[], after(Chunk::remove("a"))),
    ]
}

fn encoded() -> Vec<Case> {
    let frame = zstd(0x38, &[Block::Raw(b"ab"), Block::Repeated(b'c', 3)]);
    let lz4 = [lz4_head(0x60, 0x40, None), lz4_block(true, b"ab"), vec![0; 4]].concat();
    let qp = [qpress_head(64, b'F', 1, b"x"), qpress_block(0x46, 12, 3, b"abc"), qpress_end(0)].concat();
    let case = |name: &str, path: &str, plain: &[u8], content: &[u8]| {
        let case = Case::taken(name, &[("a", plain)], Chunk::file(path, content)).with(["--decompress"]);
        case.with(["--decrypt", "AES128", "--encrypt-key-file", "key"])
    };
    vec![
        case("many frames", "a.zst", &b"abccc".repeat(500), &frame.repeat(500)),
        case(
            "frames to skip",
            "a.zst",
            b"abccc",
            &[b"\x50\x2A\x4D\x18\x02\0\0\0zz", &frame[..], b"\x5F\x2A\x4D\x18\0\0\0\0"].concat(),
        ),
        case("window of 128 MiB", "a.zst", b"x", &zstd(0x88, &[Block::Raw(b"x")])),
        case("empty file that is zstd", "a.zst", b"", b""),
        case("many LZ4 frames", "a.lz4", b"abab", &lz4.repeat(2)),
        case("archive", "a.qp", b"abc", &qp),
        case("archive of nothing", "a.qp", b"", &[qpress_head(0, b'F', 0, b""), qpress_end(0)].concat()),
        case("encrypted", "a.xbcrypt", b"secret", &encrypted(b"secret")),
        case("compressed, then encrypted", "a.zst.xbcrypt", b"abccc", &encrypted(&frame)),
        Case::taken(
            "exactly the limit",
            &[("a", &[0; 1 << 17])],
            Chunk::file("a.zst", zstd(0x38, &[Block::Repeated(0, 1 << 17)])),
        )
        .with(["--decompress", "--unpacked-limit", "131072"]),
        Case::taken("bombs that are not decoded", &[("a.zst", b"junk")], Chunk::file("a.zst", "junk")),
    ]
}

fn names() -> Vec<Case> {
    let long = format!("{}/{}", "d".repeat(255), "n".repeat(255));
    let deep = format!("{}a", "d/".repeat(255));
    let raw = |name: &str| Chunk::file(name, "raw");
    let both = |name: &str, path: &str| Case::taken(name, &[(path, b"raw")], raw(path)).with(["--decompress"]);
    vec![
        Case::taken("spelled otherwise", &[("a/b", b"raw")], raw("./a//./b")),
        Case::taken("name of 511 bytes", &[(&long, b"raw")], raw(&long)),
        Case::taken("255 directories", &[(&deep, b"raw")], raw(&deep)),
        Case::taken("dots that lead nowhere", &[("..a/...", b"raw")], raw("..a/...")),
        Case::taken("staging folder further down", &[("d/.xbrecv-1", b"raw")], raw("d/.xbrecv-1")),
        Case::taken("not UTF-8", &[("\u{FFFD}\u{FFFD}", b"raw")], Chunk::file(b"\xFF\xFE", "raw")),
        Case::taken("newline and escape", &[("a\n\x1B[31m", b"raw")], raw("a\n\x1B[31m")),
        Case::taken("options", &[("--from", b"raw"), ("-rf", b"raw")], [raw("-rf"), raw("--from")].concat()),
        both("nothing but a suffix", ".zst"),
        both("nothing but a suffix, further down", "d/.qp"),
        both("suffix of a directory", "a.zst/b.qp/c"),
        both("suffix in capitals", "a.ZST"),
        both("encryption that is not undone", "a.zst.xbcrypt"),
        Case::taken("suffix twice", &[("a.zst", b"x")], Chunk::file("a.zst.zst", zstd(0x38, &[Block::Raw(b"x")])))
            .with(["--decompress"]),
    ]
}

fn targets() -> Vec<Case> {
    let stream = Chunk::file("db/new", "x");
    let files: &[(&str, &[u8])] = &[("db/new", b"x"), ("db/old", b"y")];
    let foreign =
        [stream.clone(), Chunk::remove("db/old").bytes(), Chunk::rename("db/old", "db/older").bytes()].concat();
    let case = |name: &str, stream: Vec<u8>| {
        Case::taken(name, files, stream).into(|out| {
            fs::create_dir(out.join("db")).expect("a folder");
            fs::write(out.join("db/old"), "y").expect("space");
        })
    };
    vec![case("directory that has others", stream), case("D and R of what is foreign", foreign)]
}
