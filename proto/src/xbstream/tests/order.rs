//! The order of files: each rule of the ledger, with the words of its errors.

use super::path;
use crate::xbstream::{Item, Ledger, Opening, OrderError, SparseRun};

fn write(name: &str, offset: u64, len: u64) -> Item {
    Item::Payload { path: path(name), opening: Opening::New, offset, len }
}

fn rewrite(name: &str, len: u64) -> Item {
    Item::Payload { path: path(name), opening: Opening::Rewrite, offset: 0, len }
}

fn end(name: &str) -> Item {
    Item::End { path: path(name) }
}

fn seek(name: &str, offset: u64) -> Item {
    Item::Seek { path: path(name), offset }
}

fn rename(from: &str, to: &str) -> Item {
    Item::Rename { from: path(from), to: path(to) }
}

fn remove(name: &str) -> Item {
    Item::Remove { path: path(name) }
}

fn follow(items: &[Item]) -> Result<Ledger, OrderError> {
    let mut ledger = Ledger::default();
    items.iter().try_for_each(|item| ledger.apply(item))?;
    Ok(ledger)
}

fn refused(items: &[Item]) -> String {
    let (last, before) = items.split_last().expect("at least one item");
    let mut ledger = follow(before).expect("only the last item is wrong");
    ledger.apply(last).expect_err("an item to be refused").to_string()
}

/// Which of these names are taken, found out by beginning them once more.
fn closed<'a>(items: &[Item], names: &[&'a str]) -> Vec<&'a str> {
    let ledger = follow(items).expect("items in order");
    assert_eq!(ledger.finish(), Ok(()));
    let taken = |name: &&&str| follow(&[items, &[write(name, 0, 1)]].concat()).is_err();
    let names: Vec<&str> = names.iter().filter(taken).copied().collect();
    assert_eq!(ledger.closed_files(), names.len() as u64);
    names
}

#[test]
fn files_interleave() {
    let ledger = follow(&[write("a", 0, 3), write("b", 0, 1), write("a", 3, 2), end("b"), write("c", 0, 0)]);
    let mut ledger = ledger.expect("items in order");
    assert_eq!(ledger.open_files(), [path("a"), path("c")]);
    assert_eq!(ledger.closed_files(), 1);
    let open = "the stream ended with 2 incomplete files: a, c";
    assert_eq!(ledger.finish().expect_err("two are open").to_string(), open);
    ledger.apply(&end("a")).expect("an open file");
    let open = "the stream ended with 1 incomplete file: c";
    assert_eq!(ledger.finish().expect_err("one is open").to_string(), open);
}

#[test]
fn many_incomplete_files_are_counted() {
    let items: Vec<Item> = (0..7).map(|n| write(&format!("f{n}"), 0, 1)).collect();
    let error = follow(&items).expect("items in order").finish().expect_err("all are open");
    assert_eq!(error.to_string(), "the stream ended with 7 incomplete files: f0, f1, f2, f3, f4, …");
}

#[test]
fn payload_must_continue_its_file() {
    let gap = "a: chunk at offset 5 of the file, expected 3: a part of the stream is missing";
    assert_eq!(refused(&[write("a", 0, 3), write("a", 5, 1)]), gap);
    let start = "a: chunk at offset 1 of the file, expected 0: a part of the stream is missing";
    assert_eq!(refused(&[write("a", 1, 1)]), start);
}

#[test]
fn holes_count() {
    let runs = vec![SparseRun { skip: 2, write: 3 }, SparseRun { skip: 4, write: 0 }];
    let sparse = Item::Sparse { path: path("a"), offset: 1, len: 3, runs };
    assert!(follow(&[write("a", 0, 1), sparse.clone(), write("a", 10, 1)]).is_ok());
    assert!(follow(&[write("a", 0, 1), sparse, write("a", 4, 1)]).is_err());
}

#[test]
fn seek_sets_the_offset_and_opens() {
    assert!(follow(&[write("a", 0, 9), seek("a", 2), write("a", 2, 1), end("a")]).is_ok());
    assert!(follow(&[seek("a", 4), write("a", 4, 1), end("a")]).is_ok());
    assert!(follow(&[seek("a", 4), write("a", 0, 1)]).is_err());
}

#[test]
fn a_file_comes_once() {
    let twice = "a appears twice: it was complete already; are these two backups in one stream?";
    for again in [write("a", 0, 1), seek("a", 0)] {
        assert_eq!(refused(&[end("a"), again]), twice);
    }
}

#[test]
fn a_file_may_be_rewritten() {
    let items = [write("a", 0, 5), end("a"), rewrite("a", 2), write("a", 2, 1), end("a")];
    assert_eq!(closed(&items, &["a"]), ["a"]);
    assert_eq!(closed(&[rewrite("a", 2), end("a")], &["a"]), ["a"]);
}

#[test]
fn an_empty_file_may_come_again() {
    assert_eq!(closed(&[write("a", 0, 5), end("a"), end("a"), end("a")], &["a"]), ["a"]);
}

#[test]
fn rename_moves_a_name() {
    let items = [end("d/a"), rename("d/a", "d/b")];
    assert_eq!(closed(&items, &["d/a", "d/b"]), ["d/b"]);
    assert_eq!(closed(&[end("a"), rename("a", "a")], &["a"]), ["a"]);
}

#[test]
fn rename_replaces_its_target() {
    assert_eq!(closed(&[end("a"), end("b"), rename("a", "b")], &["a", "b"]), ["b"]);
}

#[test]
fn rename_of_a_directory_moves_all_below() {
    let items = [end("d/a"), end("d/x/b"), end("d.frm"), end("d2/a"), rename("d", "e")];
    let names = ["d/a", "d/x/b", "e/a", "e/x/b", "d.frm", "d2/a"];
    assert_eq!(closed(&items, &names), ["e/a", "e/x/b", "d.frm", "d2/a"]);
}

#[test]
fn missing_names_are_ignored() {
    assert_eq!(closed(&[rename("a", "b"), remove("c"), remove("d*"), end("b")], &["a", "b", "c"]), ["b"]);
    assert_eq!(closed(&[end("b"), rename("a", "b")], &["a", "b"]), ["b"]);
}

#[test]
fn remove_takes_a_file_or_a_directory() {
    let files = [end("d"), end("d/a"), end("d/x/b"), end("d.frm"), end("d0"), end("dd/a")];
    let names = ["d.frm", "d0", "dd/a"];
    assert_eq!(closed(&[&files[..], &[remove("d")]].concat(), &["d", "d/a", "d/x/b", "d.frm", "d0", "dd/a"]), names);
    assert_eq!(closed(&[end("d.frm"), remove("d.frm"), end("d.frm")], &["d.frm"]), ["d.frm"]);
}

#[test]
fn remove_by_prefix_stays_in_its_directory() {
    let files = [end("d/t#P#p0.MAD"), end("d/t#P#p1.MAD"), end("d/t#P#"), end("d/t#P#x/deep"), end("d/t.frm")];
    let names = ["d/t#P#p0.MAD", "d/t#P#p1.MAD", "d/t#P#", "d/t#P#x/deep", "d/t.frm"];
    assert_eq!(closed(&[&files[..], &[remove("d/t#P#*")]].concat(), &names), ["d/t#P#x/deep", "d/t.frm"]);
    assert_eq!(closed(&[end("a"), end("d/a"), remove("*")], &["a", "d/a"]), ["d/a"]);
}

#[test]
fn open_files_are_neither_renamed_nor_removed() {
    let refusal = |name: &str, open: &str| {
        format!("{name}: the stream wants to rename or remove it while {open} is not complete yet")
    };
    let open = write("d/a", 0, 1);
    for (item, name) in [
        (rename("d/a", "b"), "d/a"),
        (rename("b", "d/a"), "d/a"),
        (rename("d", "e"), "d"),
        (rename("e", "d"), "d"),
        (remove("d/a"), "d/a"),
        (remove("d"), "d"),
        (remove("d/*"), "d/*"),
    ] {
        assert_eq!(refused(&[open.clone(), end("b"), item]), refusal(name, "d/a"));
    }
    for harmless in [remove("*"), remove("d/a/*"), remove("d/ab"), rename("d/a.frm", "d/b"), remove("d/A*")] {
        assert!(follow(&[open.clone(), harmless]).is_ok());
    }
}

#[test]
fn a_removed_name_is_free_again() {
    assert!(follow(&[end("a"), remove("a"), write("a", 0, 1), end("a")]).is_ok());
    assert!(follow(&[end("a"), rename("a", "b"), write("a", 0, 1), end("a")]).is_ok());
}

#[test]
fn what_is_ignored_has_no_order() {
    let ignored = Item::Ignored { path: path("a"), kind: b'X', len: 3 };
    assert_eq!(closed(&[end("a"), ignored], &["a"]), ["a"]);
}
