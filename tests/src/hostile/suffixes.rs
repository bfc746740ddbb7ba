//! Names that come to something else once they are decoded.

use super::formats::{Block, encrypted, zstd};
use super::{Case, Chunk};

pub(super) fn cases() -> Vec<Case> {
    [unsafe_names(), one_name()].into_iter().flatten().collect()
}

fn case(name: impl Into<String>, said: &str, stream: Vec<u8>) -> Case {
    Case::refused(name, said, stream).with(["--decompress", "--decrypt", "AES128", "--encrypt-key-file", "key"])
}

fn zst(path: &str) -> Vec<u8> {
    Chunk::file(path, zstd(0x38, &[Block::Raw(b"content")]))
}

/// What is left without the suffix leads elsewhere.
fn unsafe_names() -> Vec<Case> {
    let names = [
        ("...zst", "it leads upwards"),
        ("...lz4", "it leads upwards"),
        ("...qp", "it leads upwards"),
        ("...xbcrypt", "it leads upwards"),
        ("...zst.xbcrypt", "it leads upwards"),
        ("a/...zst", "it leads upwards"),
        ("..zst", "it names nothing"),
        ("a/..zst", "cannot end in a slash"),
        (".xbrecv-0123456789abcdef.zst", "this program's own"),
    ];
    let file = |(name, said): (&str, &str)| {
        [
            case(format!("file {name}"), said, zst(name)),
            case(format!("R from {name}"), said, Chunk::rename(name, "b").bytes()),
            case(format!("R to {name}"), said, [Chunk::file("a", "x"), Chunk::rename("a", name).bytes()].concat()),
        ]
    };
    let mut cases: Vec<_> = names.into_iter().flat_map(file).collect();
    cases.push(case("D of ...zst", "it leads upwards", Chunk::remove("...zst").bytes()));
    cases
}

/// Two files that would be one.
fn one_name() -> Vec<Case> {
    let said = "both would be a once they are decoded";
    let crypt = Chunk::file("a.xbcrypt", encrypted(b"content"));
    let both = |name: &str, said: &str, parts: [Vec<u8>; 2]| case(name, said, parts.concat());
    let plain = || Chunk::file("a", "x");
    vec![
        both("plain, then zstd", said, [plain(), zst("a.zst")]),
        both("zstd, then plain", said, [zst("a.zst"), plain()]),
        both("zstd, then encrypted", said, [zst("a.zst"), crypt]),
        both("zstd, then LZ4", said, [zst("a.zst"), Chunk::file("a.lz4", "")]),
        both("zstd, spelled otherwise", "a appears twice", [zst("a.zst"), zst("./a.zst")]),
        both("open, then zstd", said, [Chunk::payload("a", 0, b"x").bytes(), zst("a.zst")]),
        both("zstd, then an empty file", said, [zst("a.zst"), Chunk::end("a").bytes()]),
        both("zstd, then below it", "as a file and as a directory", [zst("a.zst"), Chunk::file("a/b", "x")]),
        both("zstd, then one that replaces", said, [zst("a.zst"), Chunk::payload("a", 0, b"x").flags(2).bytes()]),
    ]
}
