//! What items come to.

use xbproto::xbstream::Opening;

use super::*;
use crate::local::list::total::Total;

fn path(name: &str) -> StreamPath {
    StreamPath::from(name)
}

fn payload(name: &str, offset: u64, len: u64) -> Item {
    Item::Payload { path: path(name), opening: Opening::New, offset, len }
}

fn again(name: &str, len: u64) -> Item {
    Item::Payload { path: path(name), opening: Opening::Rewrite, offset: 0, len }
}

fn end(name: &str) -> Item {
    Item::End { path: path(name) }
}

fn rename(from: &str, to: &str) -> Item {
    Item::Rename { from: path(from), to: path(to) }
}

fn remove(name: &str) -> Item {
    Item::Remove { path: path(name) }
}

fn catalogue(items: &[Item]) -> Catalogue {
    let mut catalogue = Catalogue::default();
    items.iter().for_each(|item| catalogue.apply(item).unwrap());
    catalogue
}

/// Name, size, stored bytes, chunks, times sent, and the name it was sent under.
fn rows(items: &[Item]) -> Vec<(String, u64, u64, u64, u64, Option<String>)> {
    let catalogue = catalogue(items);
    let row = |(path, row): (&StreamPath, &Row)| {
        let sent_as = row.sent_as.as_ref().map(StreamPath::to_string);
        (path.to_string(), row.size, row.stored, row.chunks, row.sent, sent_as)
    };
    catalogue.rows().map(row).collect()
}

#[test]
fn sizes_are_those_of_the_unpacked_file_and_of_the_stream() {
    let runs = [(10, 5), (100, 0)].map(|(skip, write)| SparseRun { skip, write }).to_vec();
    let sparse = Item::Sparse { path: path("s"), offset: 0, len: 5, runs };
    let seek = Item::Seek { path: path("k"), offset: 1000 };
    let beyond = Item::Seek { path: path("k"), offset: 9999 };
    let items = [
        payload("p", 0, 7),
        sparse,
        payload("p", 7, 3),
        seek,
        payload("k", 1000, 1),
        beyond,
        end("e"),
        end("s"),
        end("p"),
        end("k"),
    ];
    assert_eq!(
        rows(&items),
        [
            ("e".to_owned(), 0, 0, 0, 1, None),
            ("k".to_owned(), 1001, 1, 1, 1, None),
            ("p".to_owned(), 10, 10, 2, 1, None),
            ("s".to_owned(), 115, 5, 1, 1, None),
        ]
    );
    let total = Total { files: 4, size: 1126, stored: 16, holes: 1110, chunks: 4, removed: 0 };
    assert_eq!(Total::of(&catalogue(&items)), total);
}

#[test]
fn only_the_last_version_counts() {
    let items = [payload("a", 0, 7), end("a"), again("a", 2), end("a"), end("a"), payload("b", 0, 1), end("b")];
    assert_eq!(rows(&items), [("a".to_owned(), 0, 0, 0, 3, None), ("b".to_owned(), 1, 1, 1, 1, None)]);
}

#[test]
fn renames_keep_the_first_name() {
    let items = [payload("d/a", 0, 1), end("d/a"), rename("d/a", "d/b"), rename("d/b", "d/c"), end("x")];
    assert_eq!(
        rows(&items),
        [("d/c".to_owned(), 1, 1, 1, 1, Some("d/a".to_owned())), ("x".to_owned(), 0, 0, 0, 1, None)]
    );
    let back = [end("a"), rename("a", "b"), rename("b", "a")];
    assert_eq!(rows(&back), [("a".to_owned(), 0, 0, 0, 1, None)]);
    let tree = [end("d/a"), end("d/e/f"), rename("d", "x")];
    let names: Vec<String> = rows(&tree).into_iter().map(|row| row.0).collect();
    assert_eq!(names, ["x/a", "x/e/f"]);
}

#[test]
fn what_is_removed_or_renamed_over_is_gone() {
    let removed = |items: &[Item]| (rows(items).len(), catalogue(items).removed());
    assert_eq!(removed(&[end("a"), end("b"), remove("a"), remove("none")]), (1, 1));
    assert_eq!(removed(&[end("d/a1"), end("d/a2"), end("d/b"), end("d/a/x"), remove("d/a*")]), (2, 2));
    assert_eq!(removed(&[end("d/a"), end("d/e/f"), end("dd"), remove("d")]), (1, 2));
    assert_eq!(removed(&[end("a"), end("b"), rename("a", "b")]), (1, 1));
}

#[test]
fn a_file_that_has_not_ended_is_in_it_too() {
    let catalogue = catalogue(&[payload("a", 0, 1)]);
    assert_eq!(catalogue.rows().next().map(|(_, row)| row.state), Some(State::Open));
    assert!(catalogue.finish().is_err());
}

#[test]
fn what_makes_no_files_is_refused_and_changes_nothing() {
    let mut catalogue = catalogue(&[payload("a", 0, 5)]);
    assert!(catalogue.apply(&payload("a", 9, 5)).is_err());
    assert_eq!(Total::of(&catalogue).stored, 5);
}
