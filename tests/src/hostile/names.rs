//! Names that lead elsewhere, or nowhere.

use super::{Case, Chunk};

/// Every name that is refused, in every chunk that can have one.
pub(super) fn cases() -> Vec<Case> {
    let long = "n".repeat(256);
    let names: [(&str, &[u8], &str); 17] = [
        ("absolute", b"/tmp/xbrecv-hostile", "it is absolute"),
        ("two slashes", b"//tmp/xbrecv-hostile", "it is absolute"),
        ("root", b"/", "it is absolute"),
        ("up", b"..", "it leads upwards"),
        ("canary", b"../canary/file", "it leads upwards"),
        ("canary, from the staged tree", b"../../../canary/file", "it leads upwards"),
        ("down and up", b"a/../../canary/file", "it leads upwards"),
        ("down and up to the same", b"a/../b", "it leads upwards"),
        ("dots at the end", b"a/..", "it leads upwards"),
        ("dots after what means nothing", b".//./..//canary/file", "it leads upwards"),
        ("here", b".", "it names nothing"),
        ("here, as a directory", b"./", "it names nothing"),
        ("only dots and slashes", b"././/.", "it names nothing"),
        ("staging folder", b".xbrecv-0123456789abcdef/tree/a", "this program's own"),
        ("staging folder, spelled otherwise", b".//.xbrecv-0123456789abcdef/commit", "this program's own"),
        ("name of 256 bytes", long.as_bytes(), "more than 255 bytes"),
        ("NUL", b"a\0b", "a NUL byte"),
    ];
    let with_chunks = names.into_iter().flat_map(|(what, name, said)| {
        chunks(name).into_iter().map(move |(kind, stream)| Case::refused(format!("{what}, in {kind}"), said, stream))
    });
    with_chunks.chain(removals_of_many()).chain(files_in_a_directorys_spelling()).chain(lengths()).collect()
}

/// The chunks that name a file, before which one has come.
fn chunks(name: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let all = [
        ("P", Chunk::payload(name, 0, b"x")),
        ("P that replaces", Chunk::payload(name, 0, b"x").flags(2)),
        ("E", Chunk::end(name)),
        ("S, sparse", Chunk::sparse(name, 0, &[(4096, 1)], b"x")),
        ("what is ignored", Chunk::payload(name, 0, b"x").flags(1).kind(b'x')),
        ("R from", Chunk::rename(name, "b")),
        ("R to", Chunk::rename("a", name)),
        ("D", Chunk::remove(name)),
    ];
    let mut all: Vec<_> = all.map(|(kind, chunk)| (kind, [Chunk::file("a", "x"), chunk.bytes()].concat())).into();
    let sought = [Chunk::file("a", "x"), Chunk::seek(name, 0).bytes(), Chunk::end("b").bytes()].concat();
    all.push(("S, seek", sought));
    all
}

fn removals_of_many() -> Vec<Case> {
    let names =
        ["/tmp/*", "../*", "../canary/f*", "../../../canary/*", "a/../../canary/*", ".xbrecv-0123456789abcdef/*"];
    let case = |name: &&str| {
        let stream = [Chunk::file("a", "x"), Chunk::remove(name).bytes()].concat();
        Case::refused(format!("D of {name}"), "refusing the path", stream)
    };
    names.iter().map(case).collect()
}

/// Directories are made by the files in them, and cannot be named but to be removed.
fn files_in_a_directorys_spelling() -> Vec<Case> {
    let names = ["a/", "a/.", "a//", "./a/./"];
    let case = |name: &&str| {
        let stream = [Chunk::payload(*name, 0, b"x"), Chunk::end(*name)].map(|chunk| chunk.bytes()).concat();
        Case::refused(format!("file {name}"), "cannot end in a slash", stream)
    };
    names.iter().map(case).collect()
}

fn lengths() -> Vec<Case> {
    let case = |name: &str, chunk: Chunk| Case::refused(name, "expected 1 to 511", chunk.bytes());
    let long = "d/".repeat(255);
    vec![
        case("no name", Chunk::payload("", 0, b"x")),
        case("no name to end", Chunk::end("")),
        case("no name to remove", Chunk::remove("")),
        case("no new name", Chunk::rename("a", "")),
        case("name of 512 bytes", Chunk::payload(format!("{long}ab"), 0, b"x")),
        case("new name of 512 bytes", Chunk::rename("a", format!("{long}ab"))),
        case("name of 4 GiB", Chunk::payload("a", 0, b"x").path_len(u32::MAX)),
        case("new name of 4 GiB", Chunk::renaming("a", u32::MAX, "b")),
    ]
}
