//! Watches the frames of a stream as they pass on their way to the peer.
//!
//! Every lane has a [`Tap`]; what the lanes make together, one tree of files, is watched by the
//! [`Watch`] that made the taps.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use xbproto::backup::{BackupFacts, FactsWatch};
use xbproto::failure::Cause;
use xbproto::xbstream::{Completeness, DecodeError, Decoder, Item, Ledger, Limits, Missing, OrderError, StreamPath};

/// How much is required of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Expect {
    /// An xbstream with all that a whole backup consists of.
    #[default]
    Backup,
    /// An xbstream whose files are all complete, whatever they are.
    Xbstream,
    /// Any bytes at all.
    Raw,
}

/// Watches a stream of one or several lanes. Clones watch the same stream.
#[derive(Clone, Debug)]
pub struct Watch {
    expect: Expect,
    tree: Arc<Mutex<Tree>>,
}

/// What all lanes together have brought.
#[derive(Debug, Default)]
struct Tree {
    ledger: Ledger,
    completeness: Completeness,
    /// What the finished lanes had to say of the backup.
    facts: FactsWatch,
}

impl Watch {
    /// Begins to watch a stream.
    pub fn new(expect: Expect) -> Watch {
        Watch { expect, tree: Arc::default() }
    }

    /// The tap of one more lane.
    pub fn tap(&self) -> Tap {
        let decoder = Decoder::new(Limits::default());
        Tap { decoder, watch: self.clone(), current: None, facts: FactsWatch::default() }
    }

    /// To be called when every lane has been finished: is it all there?
    ///
    /// # Errors
    /// [`TapError::Unfinished`], and with [`Expect::Backup`] [`TapError::Missing`].
    pub fn complete(&self) -> Result<(), TapError> {
        let tree = self.tree();
        tree.ledger.finish().map_err(TapError::Unfinished)?;
        match self.expect {
            Expect::Backup => tree.completeness.finish().map_err(TapError::Missing),
            Expect::Xbstream | Expect::Raw => Ok(()),
        }
    }

    /// What the lanes that have been finished say of the backup; nothing of a stream that may be any bytes.
    pub fn facts(&self) -> BackupFacts {
        self.tree().facts.facts()
    }

    fn apply(&self, item: &Item) -> Result<(), OrderError> {
        let mut tree = self.tree();
        tree.ledger.apply(item)?;
        tree.completeness.apply(item);
        Ok(())
    }

    /// A lane that panicked ends the session; until then the others may go on.
    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches one lane. Keeps nothing of its payload but the few files in which a backup says what it is.
#[derive(Debug)]
pub struct Tap {
    decoder: Decoder,
    watch: Watch,
    current: Option<StreamPath>,
    facts: FactsWatch,
}

impl Tap {
    /// Looks at the next bytes of the lane. After an error the lane is of no use any more.
    ///
    /// # Errors
    /// [`TapError::Decode`] or [`TapError::Order`].
    pub fn pass(&mut self, bytes: &Bytes) -> Result<(), TapError> {
        if self.watch.expect == Expect::Raw {
            return Ok(());
        }
        self.decoder.feed(bytes.clone());
        while let Some(item) = self.decoder.next().map_err(TapError::Decode)? {
            // Payload is most of what passes; lanes shall not wait for each other because of it.
            if !matches!(item, Item::Data(_) | Item::Verified) {
                self.watch.apply(&item).map_err(TapError::Order)?;
            }
            self.facts.apply(&item);
            if let Item::Payload { path, .. } | Item::Sparse { path, .. } = item {
                self.current = Some(path);
            }
        }
        Ok(())
    }

    /// To be called at the end of the lane.
    ///
    /// # Errors
    /// [`TapError::Cut`] if that is inside a chunk; or [`TapError::Decode`] if the whole lane was
    /// too short to be told from an xbstream before.
    pub fn finish(&mut self) -> Result<(), TapError> {
        match self.decoder.finish() {
            Err(error @ DecodeError::Truncated { .. }) => return Err(TapError::Cut(error)),
            ended => ended.map_err(TapError::Decode)?,
        }
        self.watch.tree().facts.merge(std::mem::take(&mut self.facts));
        Ok(())
    }

    /// The file whose bytes passed by last, for the progress.
    pub fn current_file(&self) -> Option<StreamPath> {
        self.current.clone()
    }
}

/// A stream that the peer could not use.
///
/// [`Cut`](Self::Cut), [`Unfinished`](Self::Unfinished) and [`Missing`](Self::Missing) say that
/// something lacks at the end. A source that failed explains that better: ask for its verdict
/// first, and if it is bad, that is the cause.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TapError {
    /// The bytes are wrong.
    #[error("{0}{cure}", cure = cure(.0))]
    Decode(DecodeError),
    /// The order of the chunks is wrong.
    #[error(transparent)]
    Order(OrderError),
    /// The stream ended inside a chunk.
    #[error("backup incomplete: {0}")]
    Cut(DecodeError),
    /// The stream ended inside files.
    #[error("backup incomplete: {0}")]
    Unfinished(OrderError),
    /// Files that end a backup are not there.
    #[error("{0}; `--expect xbstream` accepts streams that are no whole backup")]
    Missing(Missing),
}

impl TapError {
    /// What the programs exit for.
    pub fn cause(&self) -> Cause {
        Cause::Integrity
    }
}

/// What else to do about a stream that begins with words: it may be meant so, as a dump is.
fn cure(error: &DecodeError) -> &'static str {
    if matches!(error, DecodeError::Text { .. } | DecodeError::Foreign { .. }) {
        "; `xbsend --raw` carries any stream"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use xbproto::xbstream::{Opening, encode};

    use super::*;

    fn file(path: &str) -> Vec<u8> {
        [encode::payload(path.as_bytes(), Opening::New, 0, b"content").unwrap(), encode::end(path.as_bytes()).unwrap()]
            .concat()
    }

    fn backup() -> Vec<u8> {
        ["shop/orders.ibd", "ib_logfile0", "xtrabackup_checkpoints", "xtrabackup_info"].map(file).concat()
    }

    /// Lets `stream` pass in pieces of `piece` bytes, to its end.
    fn watch(expect: Expect, stream: &[u8], piece: usize) -> Result<(), TapError> {
        let watch = Watch::new(expect);
        let mut tap = watch.tap();
        stream.chunks(piece).try_for_each(|bytes| tap.pass(&Bytes::copy_from_slice(bytes)))?;
        tap.finish()?;
        watch.complete()
    }

    #[test]
    fn a_whole_backup_passes_however_it_is_cut() {
        for piece in [1, 7, 64, 1 << 20] {
            watch(Expect::Backup, &backup(), piece).unwrap();
        }
    }

    #[test]
    fn a_backup_cut_anywhere_is_incomplete() {
        for len in 0..backup().len() {
            let error = watch(Expect::Backup, &backup()[..len], 13).unwrap_err();
            assert!(error.to_string().starts_with("backup incomplete: "), "{len}: {error}");
            assert!(!matches!(error, TapError::Decode(_) | TapError::Order(_)), "{len}: {error}");
            assert_eq!(error.cause(), Cause::Integrity);
        }
    }

    #[test]
    fn an_xbstream_need_not_be_a_backup_but_its_files_must_end() {
        watch(Expect::Xbstream, &file("a"), 9).unwrap();
        let error = watch(Expect::Backup, &file("a"), 9).unwrap_err();
        assert!(error.to_string().contains("--expect xbstream"), "{error}");
        let open = encode::payload(b"a", Opening::New, 0, b"content").unwrap();
        let error = watch(Expect::Xbstream, &open, 9).unwrap_err();
        assert!(matches!(error, TapError::Unfinished(_)), "{error}");
    }

    #[test]
    fn what_is_no_xbstream_is_told_about_raw() {
        for stream in [
            &b"\x1f\x8b\x08\0\0\0\0\0\0\x03 gzip"[..],
            b"-- MariaDB dump 10.19",
            b"\x00\x01\x02\x03\x04\x05\x06\x07\x08",
        ] {
            let error = watch(Expect::Backup, stream, 4).unwrap_err();
            assert_eq!(error.to_string().matches("--raw").count(), 1, "{error}");
            watch(Expect::Raw, stream, 4).unwrap();
        }
    }

    #[test]
    fn garbage_between_chunks_stops_at_once() {
        let stream = [&file("a")[..], b"Warning: something"].concat();
        let watch = Watch::new(Expect::Backup);
        let error = watch.tap().pass(&stream.into()).unwrap_err();
        assert!(matches!(error, TapError::Decode(DecodeError::Garbage { .. })), "{error}");
        assert!(!error.to_string().contains("--raw"), "{error}");
    }

    #[test]
    fn a_flipped_bit_is_found() {
        let mut stream = backup();
        stream[50] ^= 1;
        let error = watch(Expect::Backup, &stream, 9).unwrap_err();
        assert!(matches!(error, TapError::Decode(DecodeError::Checksum { .. })), "{error}");
    }

    #[test]
    fn what_the_backup_says_of_itself_is_known_of_all_lanes() {
        let say = |path: &str, text: &str| {
            let payload = encode::payload(path.as_bytes(), Opening::New, 0, text.as_bytes()).unwrap();
            Bytes::from([payload, encode::end(path.as_bytes()).unwrap()].concat())
        };
        let watch = Watch::new(Expect::Backup);
        let (mut left, mut right) = (watch.tap(), watch.tap());
        left.pass(&say("xtrabackup_info", "server_version = 8.0.36")).unwrap();
        right.pass(&say("xtrabackup_checkpoints", "to_lsn = 42")).unwrap();
        left.finish().unwrap();
        right.finish().unwrap();
        let facts = watch.facts();
        assert_eq!((facts.server_version.as_deref(), facts.to_lsn), (Some("8.0.36"), Some(42)));
    }

    #[test]
    fn lanes_make_one_backup() {
        let watch = Watch::new(Expect::Backup);
        let (mut left, mut right) = (watch.tap(), watch.tap());
        left.pass(&[file("ib_logfile0"), file("xtrabackup_info")].concat().into()).unwrap();
        assert!(matches!(watch.complete(), Err(TapError::Missing(_))));
        right.pass(&file("xtrabackup_checkpoints").into()).unwrap();
        assert_eq!(right.current_file(), Some(StreamPath::from("xtrabackup_checkpoints")));
        left.finish().unwrap();
        right.finish().unwrap();
        watch.complete().unwrap();
        let twice = right.pass(&file("ib_logfile0").into()).unwrap_err();
        assert!(matches!(twice, TapError::Order(OrderError::Twice { .. })), "{twice}");
    }
}
