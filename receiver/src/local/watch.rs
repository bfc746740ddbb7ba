//! Whether the streams of a backup are whole, and can be unpacked: names and order of the files, their ends, what a backup
//! closes with.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use xbproto::lane::LaneId;
use xbproto::stage::Stages;
use xbproto::xbstream::{Item, StreamPath};

use super::LocalError;
use super::decoding::View;
use crate::args::Whole;
use crate::extract::Inventory;

/// Watches the streams of one backup. Clones watch the same ones.
#[derive(Clone, Debug)]
pub(super) struct Watch(Arc<Mutex<Seen>>);

/// What all streams together have brought.
#[derive(Debug)]
struct Seen {
    inventory: Inventory,
    chunks: u64,
    current: Option<StreamPath>,
}

impl Watch {
    /// Nothing so far; files have the names that they get where `stages` are undone.
    pub(super) fn new(stages: Stages) -> Watch {
        Watch(Arc::new(Mutex::new(Seen { inventory: Inventory::new(stages), chunks: 0, current: None })))
    }

    /// The watcher of one more stream, called so in errors.
    pub(super) fn stream(&self, name: &str, lane: LaneId) -> Watcher {
        Watcher { name: name.to_owned(), lane, watch: self.clone() }
    }

    /// To be called when every stream has ended: is it all there?
    ///
    /// # Errors
    /// When files are open, or, where a backup is expected, missing.
    pub(super) fn complete(&self, expect: Whole) -> Result<(), LocalError> {
        let seen = self.seen();
        seen.inventory.finish().map_err(LocalError::Unfinished)?;
        match expect {
            Whole::Backup => seen.inventory.check_complete().map_err(LocalError::Missing),
            Whole::Xbstream => Ok(()),
        }
    }

    /// Files that have ended, without those that were removed.
    pub(super) fn files(&self) -> u64 {
        self.seen().inventory.closed_files()
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
    lane: LaneId,
    watch: Watch,
}

impl View for Watcher {
    fn look(&mut self, item: &Item) -> Result<(), LocalError> {
        // Payload is most of what passes; streams shall not wait for each other because of it.
        if matches!(item, Item::Data(_)) {
            return Ok(());
        }
        let mut seen = self.watch.seen();
        let noted = seen.inventory.note(self.lane, item);
        noted.map_err(|error| LocalError::refused(self.name.clone(), error))?;
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

    /// Lets the stream pass that is called by its number.
    fn pass(watch: &Watch, name: &str, stream: Vec<u8>) -> Result<(), LocalError> {
        let lane = LaneId(name.parse().unwrap());
        let mut decoding = Decoding::new(name, vec![Box::new(watch.stream(name, lane))]);
        decoding.take(&Bytes::from(stream))?;
        decoding.end()
    }

    #[test]
    fn streams_make_one_backup() {
        let watch = Watch::new(Stages::default());
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
        let watch = Watch::new(Stages::default());
        pass(&watch, "0", encode::payload(b"a", Opening::New, 0, b"content").unwrap()).unwrap();
        assert!(matches!(watch.complete(Whole::Xbstream), Err(LocalError::Unfinished(_))));
    }

    #[test]
    fn what_cannot_be_unpacked_is_refused() {
        let (open, ended) = (encode::payload(b"a", Opening::New, 0, b"x").unwrap(), encode::end(b"a").unwrap());
        for (streams, words) in [
            (vec![file("../a")], "0: refusing the path \"../a\" of the stream: it leads upwards"),
            (vec![open, ended], "1: a: part of it came on lane 0, part on lane 1"),
            (vec![file("a"), file("a/b")], "1: a/b: the stream has this name twice, or as a file and as a directory"),
        ] {
            let watch = Watch::new(Stages::default());
            let mut passed = streams.into_iter().zip(["0", "1"]).map(|(stream, name)| pass(&watch, name, stream));
            let error = passed.find_map(Result::err).unwrap();
            assert!(error.to_string().starts_with(words), "{error}");
            assert_eq!(error.cause(), xbproto::failure::Cause::Integrity);
        }
    }

    #[test]
    fn two_files_that_would_be_one_are_refused() {
        let watch = Watch::new(Stages { decompress: xbproto::stage::Decompress::Yes, decrypt: None });
        let error = pass(&watch, "0", [file("a"), file("a.zst")].concat()).unwrap_err().to_string();
        assert!(error.contains("both would be a once they are decoded"), "{error}");
    }
}
