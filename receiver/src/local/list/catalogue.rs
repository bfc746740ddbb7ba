//! What is in a backup, from the items of its streams. Pure: items in, rows out.
//!
//! What the stream sends again, renames or removes is resolved: there is one row for each file that unpacking would leave.

use std::collections::BTreeMap;

use xbproto::xbstream::{Item, Ledger, OrderError, Selection, SparseRun, StreamPath};

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// Its bytes that are in the stream.
    pub(super) stored: u64,
    /// How long it is once it is unpacked, in bytes: with its holes.
    pub(super) size: u64,
    /// Chunks with payload that it came in.
    pub(super) chunks: u64,
    /// How often it was sent; only the last time counts for everything else.
    pub(super) sent: u64,
    /// The name it was sent under, if it has another now.
    pub(super) sent_as: Option<StreamPath>,
    /// Whether all of it came.
    pub(super) state: State,
}

/// Whether all of a file came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    /// Its end did not come.
    #[default]
    Open,
    /// It did.
    Ended,
}

impl Row {
    /// Bytes of it that are in no chunk, and read as zeros.
    pub(super) fn holes(&self) -> u64 {
        self.size.saturating_sub(self.stored)
    }

    fn add(&mut self, stored: u64, end: u64) {
        self.chunks += 1;
        self.stored = self.stored.saturating_add(stored);
        self.size = self.size.max(end);
    }
}

/// What a backup has, so far.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    ledger: Ledger,
    files: BTreeMap<StreamPath, Row>,
    removed: u64,
}

impl Catalogue {
    /// Takes note of the next item of any of its streams.
    ///
    /// # Errors
    /// When it is not in an order that makes files; the catalogue is as it was before.
    pub(super) fn apply(&mut self, item: &Item) -> Result<(), OrderError> {
        self.ledger.apply(item)?;
        match item {
            Item::Payload { path, offset, len, .. } => {
                // Where nothing is written, a file does not become longer.
                let end = if *len > 0 { offset.saturating_add(*len) } else { 0 };
                self.version(path).add(*len, end);
            }
            Item::Sparse { path, offset, len, runs } => self.version(path).add(*len, end_of(*offset, runs)),
            Item::Seek { path, .. } => drop(self.version(path)),
            Item::End { path } => self.version(path).state = State::Ended,
            Item::Rename { from, to } => self.rename(from, to),
            Item::Remove { path } => self.removed += self.take(Selection::removed_by(path)).len() as u64,
            Item::Ignored { .. } | Item::Data(_) | Item::Verified => {}
        }
        Ok(())
    }

    /// To be called at the end of all streams.
    ///
    /// # Errors
    /// When a file has not ended.
    pub(super) fn finish(&self) -> Result<(), OrderError> {
        self.ledger.finish()
    }

    /// The files, in order of their names.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&StreamPath, &Row)> {
        self.files.iter()
    }

    /// How many files were removed again.
    pub(super) fn removed(&self) -> u64 {
        self.removed
    }

    /// The version of a file that is being sent: a new one after an end.
    fn version(&mut self, path: &StreamPath) -> &mut Row {
        let row = self.files.entry(path.clone()).or_default();
        if row.sent == 0 || row.state == State::Ended {
            *row = Row { sent: row.sent + 1, ..Row::default() };
        }
        row
    }

    fn rename(&mut self, from: &StreamPath, to: &StreamPath) {
        for (name, mut row) in self.take(Selection::Tree(from.as_bytes())) {
            let below = &name.as_bytes()[from.as_bytes().len()..];
            let renamed = StreamPath([to.as_bytes(), below].concat().into());
            row.sent_as = Some(row.sent_as.take().unwrap_or(name)).filter(|sent_as| *sent_as != renamed);
            // What had the name before is gone.
            self.removed += u64::from(self.files.insert(renamed, row).is_some());
        }
    }

    fn take(&mut self, selection: Selection<'_>) -> Vec<(StreamPath, Row)> {
        let files = &self.files;
        let picked = selection.pick(|from| files.range::<[u8], _>(from).map(|(path, _)| path));
        let picked: Vec<StreamPath> = picked.cloned().collect();
        picked.into_iter().filter_map(|path| self.files.remove_entry(&path)).collect()
    }
}

/// Where the last of `runs` ends in the file, be it a hole.
fn end_of(offset: u64, runs: &[SparseRun]) -> u64 {
    runs.iter().fold(offset, |end, run| end.saturating_add(run.skip.into()).saturating_add(run.write.into()))
}

/// All rows together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Total {
    pub(super) files: u64,
    pub(super) size: u64,
    pub(super) stored: u64,
    pub(super) holes: u64,
    pub(super) chunks: u64,
    pub(super) removed: u64,
}

impl Total {
    /// That of a catalogue.
    pub(super) fn of(catalogue: &Catalogue) -> Total {
        let begin = Total { removed: catalogue.removed(), ..Total::default() };
        catalogue.rows().fold(begin, |total, (_, row)| Total {
            files: total.files + 1,
            size: total.size.saturating_add(row.size),
            stored: total.stored.saturating_add(row.stored),
            holes: total.holes.saturating_add(row.holes()),
            chunks: total.chunks + row.chunks,
            removed: total.removed,
        })
    }
}

#[cfg(test)]
mod tests {
    use xbproto::xbstream::Opening;

    use super::*;

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
}
