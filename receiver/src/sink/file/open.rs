//! From a path to a sink: a new one, or one that goes on with what an earlier receiver has left.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::claim::{Claim, claim};
use super::names::Names;
use super::recall::{committed, recall};
use super::several::{self, Kept};
use super::{FileSink, Origin};
use crate::disk::{Ownership, PageCache};
use crate::journal::{Journal, Recalled};
use crate::sink::sync_ahead::Pace;
use crate::sink::{Opened, SinkError};
use crate::stop::Stop;

/// How old bytes may get before they are synced, however few they are.
const SYNC_AGE: Duration = Duration::from_millis(200);

impl FileSink {
    /// Takes possession of `path`, under which nothing may stand yet, by making and locking its partial file, or goes on
    /// with what a receiver left there that was killed. Of that, what was synced last is read again to see that it is
    /// as it was. `window`, in bytes, is the session's: a quarter of it is synced at a time. `cache` says how it is written.
    /// The file and its checksum get this `ownership` with their final names.
    ///
    /// # Errors
    /// When `path` or its checksum file exists, when another process is writing it, or when it cannot be made.
    pub fn create(
        path: &Path,
        window: u64,
        cache: PageCache,
        ownership: Ownership,
    ) -> Result<Opened<FileSink>, SinkError> {
        let names = Names::around(path)?;
        let pace = Pace { bytes: (window / 4).max(1), age: SYNC_AGE };
        let (partial, journal, kept, notices) = match committed(&names, &ownership)? {
            Some((journal, recalled)) => (None, Some(journal), Some(recalled.into()), Vec::new()),
            None => {
                let Claim { file, journal, notices } = claim(&names)?;
                let kept = journal.as_ref().map_or(Ok(None), |journal| keep(&file, &names, journal, &ownership))?;
                (Some(Arc::new(file)), journal, kept, notices)
            }
        };
        let (recalled, parts) = kept.map_or((None, Vec::new()), |kept| (Some(kept.recalled), kept.parts));
        let several = recalled.as_ref().and_then(|r| r.session.as_ref()).is_some_and(|s| s.hello.lanes > 1);
        let guard = if several { partial.clone() } else { None };
        let committed = recalled.as_ref().is_some_and(|recalled| recalled.committed.is_some());
        let partial = if committed { None } else { partial };
        let session = recalled.as_ref().and_then(|recalled| recalled.session.as_ref()).map(|s| s.hello.session);
        let origin = if recalled.is_some() { Origin::Recalled } else { Origin::Ours };
        let (journal, stop) = (journal.map(Arc::new), Stop::default());
        let (size, ahead, synced) = (None, Vec::new(), false);
        let sink = FileSink {
            names,
            partial,
            journal,
            session,
            origin,
            size,
            cache,
            parts,
            guard,
            ahead,
            pace,
            synced,
            ownership,
            stop,
        };
        Ok(Opened { sink, notices, recalled })
    }
}

/// What is recalled of one stream, or of several.
fn keep(file: &File, names: &Names, journal: &Journal, ownership: &Ownership) -> Result<Option<Kept>, SinkError> {
    match journal.says().session {
        Some(session) if session.hello.lanes > 1 => several::recall(names, journal, &session, ownership),
        _ => Ok(recall(file, names, journal)?.map(Kept::from)),
    }
}

impl From<Recalled> for Kept {
    fn from(recalled: Recalled) -> Kept {
        Kept { recalled, parts: Vec::new() }
    }
}
