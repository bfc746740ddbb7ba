//! Several streams of one backup that exclude each other. Which of them is first is not known.

use super::{Case, Chunk};

pub(super) fn cases() -> Vec<Case> {
    let whole = |path: &str| Chunk::file(path, "content");
    let open = |path: &str| Chunk::payload(path, 0, b"content").bytes();
    let first = |path: &str| [whole("first"), open(path)].concat();
    vec![
        Case::refused("one file on two streams", "a", whole("a")).and(whole("a")),
        Case::refused("one file, spelled otherwise", "a", whole("a")).and(whole(".//a")),
        Case::refused("half of a file on each", "a", first("a")).and(Chunk::end("a").bytes()),
        Case::refused("file and directory", "as a file and as a directory", whole("a")).and(whole("a/b")),
        Case::refused("deep and deeper", "as a file and as a directory", whole("a/b/c")).and(whole("a/b/c/d")),
        Case::refused("one never ends", "a", first("a")).and(whole("b")),
        Case::refused("one is no stream", "", whole("a")).and(&b"no stream at all"[..]),
        Case::refused("one is cut", "the stream ends inside", whole("a")).and(&open("b")[..20]),
        Case::refused("one leads elsewhere", "it leads upwards", whole("a")).and(whole("../canary/file")),
        Case::refused("one name once decoded", "", whole("a")).and(Chunk::file("a.zst", "")).with(["--decompress"]),
        Case::refused("all on many streams", "a", whole("a")).and(whole("a")).and(whole("a")).and(whole("a")),
    ]
}
