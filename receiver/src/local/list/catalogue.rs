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

#[cfg(test)]
mod tests;
