//! Whether the streams of a backup are whole: the order of the files, their ends, what a backup closes with.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use xbproto::xbstream::{Completeness, Item, Ledger, StreamPath};

use super::LocalError;
use super::decoding::View;
use crate::args::Whole;

/// Watches the streams of one backup. Clones watch the same ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch(Arc<Mutex<Seen>>);

/// What all streams together have brought.
#[derive(Debug, Default)]
struct Seen {
    ledger: Ledger,
    completeness: Completeness,
    chunks: u64,
    current: Option<StreamPath>,
}

impl Watch {
    /// The watcher of one more stream, called so in errors.
    pub(super) fn stream(&self, name: &str) -> Watcher {
        Watcher { name: name.to_owned(), watch: self.clone() }
    }

    /// To be called when every stream has ended: is it all there?
    ///
    /// # Errors
    /// When files are open, or, where a backup is expected, missing.
    pub(super) fn complete(&self, expect: Whole) -> Result<(), LocalError> {
        let seen = self.seen();
        seen.ledger.finish().map_err(LocalError::Unfinished)?;
        match expect {
            Whole::Backup => seen.completeness.finish().map_err(LocalError::Missing),
            Whole::Xbstream => Ok(()),
        }
    }

    /// Files that have ended, without those that were removed.
    pub(super) fn files(&self) -> u64 {
        self.seen().ledger.closed_files()
    }

    /// Chunks whose CRC was right.
    pub(super) fn chunks(&self) -> u64 {
        self.seen().chunks
    }

    /// The file a chunk came for last, safe to show on a terminal.
    pub(super) fn current_file(&self) -> Option<String> {
        self.seen().current.as_ref().map(StreamPath::to_string)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches one stream.
#[derive(Debug)]
pub(super) struct Watcher {
    name: String,
    watch: Watch,
}

impl View for Watcher {
    fn look(&mut self, item: &Item) -> Result<(), LocalError> {
        // Payload is most of what passes; streams shall not wait for each other because of it.
        if matches!(item, Item::Data(_)) {
            return Ok(());
        }
        let mut seen = self.watch.seen();
        let ordered = seen.ledger.apply(item);
        ordered.map_err(|error| LocalError::Stream { name: self.name.clone(), error: error.into() })?;
        seen.completeness.apply(item);
        match item {
            Item::Payload { path, .. } | Item::Sparse { path, .. } => seen.current = Some(path.clone()),
            Item::Verified => seen.chunks += 1,
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use xbproto::xbstream::{Opening, encode};

    use super::*;
    use crate::local::decoding::Decoding;
    use crate::local::flow::Consumer;

    fn file(path: &str) -> Vec<u8> {
        let path = path.as_bytes();
        [encode::payload(path, Opening::New, 0, b"content").unwrap(), encode::end(path).unwrap()].concat()
    }

    fn pass(watch: &Watch, name: &str, stream: Vec<u8>) -> Result<(), LocalError> {
        let mut decoding = Decoding::new(name, vec![Box::new(watch.stream(name))]);
        decoding.take(&Bytes::from(stream))?;
        decoding.end()
    }

    #[test]
    fn streams_make_one_backup() {
        let watch = Watch::default();
        pass(&watch, "0", [file("ib_logfile0"), file("xtrabackup_info")].concat()).unwrap();
        watch.complete(Whole::Xbstream).unwrap();
        let error = watch.complete(Whole::Backup).unwrap_err().to_string();
        assert!(error.contains("no checkpoints") && error.contains("--expect xbstream"), "{error}");
        pass(&watch, "1", file("xtrabackup_checkpoints")).unwrap();
        watch.complete(Whole::Backup).unwrap();
        assert_eq!((watch.files(), watch.chunks()), (3, 3));
        assert_eq!(watch.current_file().as_deref(), Some("xtrabackup_checkpoints"));
        let twice = pass(&watch, "2", file("ib_logfile0")).unwrap_err();
        assert_eq!(
            twice.to_string(),
            "2: ib_logfile0 appears twice: it was complete already; are these two backups in one stream?"
        );
    }

    #[test]
    fn a_file_without_an_end_is_none() {
        let watch = Watch::default();
        pass(&watch, "0", encode::payload(b"a", Opening::New, 0, b"content").unwrap()).unwrap();
        assert!(matches!(watch.complete(Whole::Xbstream), Err(LocalError::Unfinished(_))));
    }
}
