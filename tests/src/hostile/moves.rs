//! Renames and removals of what is open, foreign, or no file.

use super::{Case, Chunk};

pub(super) fn cases() -> Vec<Case> {
    [of_open_files(), of_directories()].into_iter().flatten().collect()
}

/// Nothing may happen to the name of a file that is under way, nor to that of a directory that it is in.
fn of_open_files() -> Vec<Case> {
    let open = [Chunk::file("other", "y"), Chunk::payload("db/a", 0, b"x").bytes()].concat();
    let case = |name: &str, chunk: Chunk| {
        let stream = [&open[..], &chunk.bytes(), &Chunk::end("db/a").bytes()].concat();
        Case::refused(name, "is not complete yet", stream)
    };
    vec![
        case("R of an open file", Chunk::rename("db/a", "b")),
        case("R onto an open file", Chunk::rename("other", "db/a")),
        case("R of an open file to itself", Chunk::rename("db/a", "db/a")),
        case("R of the directory of an open file", Chunk::rename("db", "other2")),
        case("R onto the directory of an open file", Chunk::rename("other", "db")),
        case("D of an open file", Chunk::remove("db/a")),
        case("D of an open file, spelled otherwise", Chunk::remove("./db//a/")),
        case("D of the directory of an open file", Chunk::remove("db")),
        case("D of many, one of them open", Chunk::remove("db/*")),
        case("D of many that begin so, one of them open", Chunk::remove("db/a*")),
    ]
}

fn of_directories() -> Vec<Case> {
    let (deep, flat) = (Chunk::file("db/a", "x"), Chunk::file("other", "y"));
    let case =
        |name: &str, said: &str, chunk: Chunk| Case::refused(name, said, [&deep[..], &flat, &chunk.bytes()].concat());
    let both = "as a file and as a directory";
    vec![
        case("R of a directory", "renames a directory", Chunk::rename("db", "db2")),
        case("R onto a directory", both, Chunk::rename("other", "db")),
        case("R below a file", both, Chunk::rename("db/a", "other/a")),
        case("R of what would be below a file", both, Chunk::rename("other/a", "b")),
        case("D of what would be below a file", both, Chunk::remove("other/a")),
        case("D of many below a file", both, Chunk::remove("other/*")),
        case("R of a directory into itself", "renames a directory", Chunk::rename("db", "db/a/b")),
        case("D of everything", "it names nothing", Chunk::remove("./")),
    ]
}
