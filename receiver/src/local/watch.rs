//! Whether the streams of a backup are whole: chunks, their CRCs, the order of the files, what a backup closes with.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use xbproto::xbstream::{Completeness, Decoder, Item, Ledger, Limits, StreamError};

use super::LocalError;
use super::flow::Consumer;
use crate::args::Whole;

/// Watches the streams of one backup. Clones watch the same ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch(Arc<Mutex<Seen>>);

/// What all streams together have brought.
#[derive(Debug, Default)]
struct Seen {
    ledger: Ledger,
    completeness: Completeness,
}

impl Watch {
    /// The watcher of one more stream, called so in errors.
    pub(super) fn stream(&self, name: &str) -> Watcher {
        Watcher { name: name.to_owned(), decoder: Decoder::new(Limits::default()), watch: self.clone() }
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

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches one stream, and keeps nothing of its payload.
#[derive(Debug)]
pub(super) struct Watcher {
    name: String,
    decoder: Decoder,
    watch: Watch,
}

impl Watcher {
    fn malformed(&self, error: impl Into<StreamError>) -> LocalError {
        LocalError::Stream { name: self.name.clone(), error: error.into() }
    }

    fn apply(&self, item: &Item) -> Result<(), LocalError> {
        let mut seen = self.watch.seen();
        seen.ledger.apply(item).map_err(|error| self.malformed(error))?;
        seen.completeness.apply(item);
        Ok(())
    }
}

impl Consumer for Watcher {
    fn take(&mut self, bytes: &Bytes) -> Result<(), LocalError> {
        self.decoder.feed(bytes.clone());
        while let Some(item) = self.decoder.next().map_err(|error| self.malformed(error))? {
            // Payload is most of what passes; streams shall not wait for each other because of it.
            if !matches!(item, Item::Data(_) | Item::Verified) {
                self.apply(&item)?;
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), LocalError> {
        self.decoder.finish().map_err(|error| self.malformed(error))
    }
}
