//! `-o FILE`: a new file with its checksum beside it.
//!
//! ```text
//! FILE.partial             the bytes so far
//! FILE.partial.journal     whose they are and how far they are durable, once the sink was told to remember
//! FILE, FILE.sha1          after commit
//! ```
//!
//! The first two are locked as long as this process lives. When it is killed they stay, and the next sink for FILE goes
//! on from them; in every other case nothing stays but what was committed.

mod claim;
mod lane;
mod names;
mod publish;
mod recall;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use xbproto::lane::{LaneDigest, LaneId};
use xbproto::wire::{Hello, Receipt, SessionId};

use self::claim::{Claim, claim};
use self::lane::{FileLane, Reservation};
use self::names::{CHECKSUM_PARTIAL, JOURNAL, Names, PARTIAL};
use self::publish::publish;
use self::recall::{committed, recall};
use super::sync_ahead::{Pace, SyncAhead};
use super::{Interrupter, LaneSink, LaneSum, Opened, Reached, Sink, SinkError, Target};
use crate::disk::{At, DiskError, Output, Ownership, PageCache, free_bytes, give_back, shown};
use crate::journal::{Journal, Presence, Record};
use crate::stop::Stop;

/// How old bytes may get before they are synced, however few they are.
const SYNC_AGE: Duration = Duration::from_millis(200);

/// A new regular file. Dropping it abandons it, unless it was recalled and nothing has been done with it yet.
#[derive(Debug)]
pub struct FileSink {
    names: Names,
    /// The partial file, locked; `None` once it was committed or abandoned.
    partial: Option<Arc<File>>,
    journal: Option<Arc<Journal>>,
    /// The session that the journal tells of.
    session: Option<SessionId>,
    origin: Origin,
    /// What the sender has announced, in bytes.
    size: Option<u64>,
    cache: PageCache,
    /// Once there is a lane.
    ahead: Option<Arc<SyncAhead>>,
    pace: Pace,
    /// Whether the whole of the partial file is durable.
    synced: bool,
    ownership: Ownership,
    stop: Stop,
}

/// Whose what stands on disk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    /// An earlier run's.
    Recalled,
    /// Ours, or ours by now.
    Ours,
}

impl FileSink {
    /// Takes possession of `path`, under which nothing may stand yet, by making and locking its partial file, or goes on
    /// with what a receiver left there that was killed. Of that, what was synced last is read again to see that it is
    /// as it was. `window`, in bytes, is the session's: a quarter of it is synced at a time. `cache` says how it is written.
    ///
    /// # Errors
    /// When `path` or its checksum file exists, when another process is writing it, or when it cannot be made.
    pub fn create(path: &Path, window: u64, cache: PageCache) -> Result<Opened<FileSink>, SinkError> {
        let names = Names::around(path)?;
        let pace = Pace { bytes: (window / 4).max(1), age: SYNC_AGE };
        let (partial, journal, recalled, notices) = match committed(&names)? {
            Some((journal, recalled)) => (None, Some(journal), Some(recalled), Vec::new()),
            None => {
                let Claim { file, journal, notices } = claim(&names)?;
                let recalled = journal.as_ref().map_or(Ok(None), |journal| recall(&file, &names, journal))?;
                (Some(Arc::new(file)), journal, recalled, notices)
            }
        };
        let session = recalled.as_ref().and_then(|recalled| recalled.session.as_ref()).map(|s| s.hello.session);
        let origin = if recalled.is_some() { Origin::Recalled } else { Origin::Ours };
        let sink = FileSink {
            names,
            partial,
            journal: journal.map(Arc::new),
            session,
            origin,
            size: None,
            cache,
            ahead: None,
            pace,
            synced: false,
            ownership: Ownership::default(),
            stop: Stop::default(),
        };
        Ok(Opened { sink, notices, recalled })
    }

    /// The same, but the file and its checksum get this owner and these permissions with their final names: until then,
    /// whoever goes on after us finds the partial file to be his own.
    pub(super) fn owned(mut self, ownership: Ownership) -> FileSink {
        self.ownership = ownership;
        self
    }

    /// Gives the partial file away.
    fn give_away(&self) -> Result<(), DiskError> {
        match &self.partial {
            Some(file) if !self.ownership.is_nothing() => {
                self.ownership.give(file).and_then(|()| file.sync_all()).at("giving away", self.names.path())
            }
            _ => Ok(()),
        }
    }

    fn append(&self, record: Record) -> Result<(), DiskError> {
        self.journal.as_ref().map_or(Ok(()), |journal| journal.append(record))
    }

    /// What makes the one lane durable from `from` on.
    fn sync_ahead(&self, file: &Arc<File>, from: &LaneDigest) -> Result<SyncAhead, DiskError> {
        let (path, journal) = (self.names.beside(PARTIAL), self.journal.clone());
        let keep = move |digest: &LaneDigest| match &journal {
            Some(journal) => journal.append(Record::Progress(LaneId(0), digest.clone())),
            None => Ok(()),
        };
        SyncAhead::start(Arc::clone(file), &path, self.pace, from, keep).at("starting to sync", &path)
    }

    /// The space for all of the backup, if its size is known: to be taken first, so that a disk that is too small shows before hours
    /// have passed, and the file lies there in few pieces. Without that, direct I/O has to find space for each write, which
    /// makes it a tenth slower: not worth to reserve in steps for a size that is not known.
    ///
    /// It takes seconds for hundreds of gigabytes, so it is left to the lane's thread.
    fn reservation(&self, from: u64) -> Option<Reservation> {
        let (size, Target { describe: target, free }) = (self.size?, self.target());
        // If there is too little, the sender was told so, and gives up by itself.
        let fits = free.is_none_or(|free| free >= size.saturating_sub(from));
        fits.then_some(Reservation { target, size, free })
    }

    fn out_of_turn(&self, call: &'static str) -> SinkError {
        SinkError::OutOfTurn { target: self.target().describe, call }
    }
}

impl Sink for FileSink {
    fn remember(&mut self, presence: &Presence) -> Result<(), SinkError> {
        if self.journal.is_some() {
            return Ok(self.append(Record::Presence(presence.clone()))?);
        }
        let path = self.names.beside(JOURNAL);
        let journal = Journal::create(self.names.dir(), &path, presence).map_err(|error| match error.error.kind() {
            std::io::ErrorKind::AlreadyExists => SinkError::Exists { path },
            _ => error.into(),
        })?;
        self.journal = Some(Arc::new(journal));
        Ok(())
    }

    fn forget(&mut self) -> Result<(), SinkError> {
        let file = self.partial.as_ref().ok_or_else(|| self.out_of_turn("forget"))?;
        if let Some(ahead) = self.ahead.take() {
            ahead.stop()?;
        }
        // The journal first: it must never tell of more than there is.
        self.journal.as_ref().map_or(Ok(()), |journal| journal.forget_session())?;
        file.set_len(0).at("cutting", self.names.beside(PARTIAL))?;
        (self.session, self.origin, self.synced) = (None, Origin::Ours, false);
        Ok(())
    }

    fn start(&mut self, hello: &Hello) -> Result<(), SinkError> {
        match self.session {
            Some(session) if session == hello.session => {}
            Some(_) => return Err(self.out_of_turn("start")),
            None => self.append(Record::Session(hello.clone()))?,
        }
        (self.session, self.origin, self.size) = (Some(hello.session), Origin::Ours, hello.size);
        Ok(())
    }

    fn lane(&mut self, lane: LaneId, from: &LaneDigest) -> Result<Box<dyn LaneSink>, SinkError> {
        if lane != LaneId(0) {
            return Err(SinkError::OneLane { lane, target: self.target().describe });
        }
        let file = self.partial.clone().ok_or_else(|| self.out_of_turn("lane"))?;
        let ahead = Arc::new(self.sync_ahead(&file, from)?);
        self.ahead = Some(Arc::clone(&ahead));
        let reservation = self.reservation(from.len());
        let output = Output::new(file, from.len(), self.cache).at("reading", self.names.beside(PARTIAL))?;
        Ok(Box::new(FileLane::new(output, self.names.path(), ahead, reservation)))
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        let file = self.partial.as_ref().ok_or_else(|| self.out_of_turn("sync"))?;
        if self.synced {
            return Ok(());
        }
        // Before the last sync, so that an error is not told to a sync that nobody asks any more.
        let rest = self.ahead.as_ref().map_or(Ok(None), |ahead| ahead.stop())?;
        if self.stop.is_raised() {
            return Err(SinkError::Interrupted { target: self.target().describe });
        }
        give_back(file).at("cutting", self.names.path())?;
        file.sync_all().at("syncing", self.names.path())?;
        rest.map_or(Ok(()), |digest| self.append(Record::Progress(LaneId(0), digest)))?;
        self.synced = true;
        Ok(())
    }

    fn commit(&mut self, sums: &[LaneSum]) -> Result<Reached, SinkError> {
        let [sum] = sums else { return Err(self.out_of_turn("commit")) };
        self.sync()?;
        self.append(Record::Committing(sums.to_vec()))?;
        self.give_away()?;
        publish(&self.names, sum.sum, &self.ownership)?;
        self.partial = None;
        let receipt = Receipt::of(Reached::Synced, sums.to_vec());
        // It has its name, whatever happens now; a run that finds only the record before this one sees that too.
        let _ = self.append(Record::Committed(receipt));
        Ok(Reached::Synced)
    }

    fn abandon(&mut self) {
        if self.partial.take().is_some() {
            // Nothing can be done about a failure; the next run replaces what is left.
            for suffix in [PARTIAL, CHECKSUM_PARTIAL] {
                let _ = self.names.remove(suffix);
            }
            self.close();
        }
    }

    fn left(&self) -> String {
        let left = |suffix: &&str| self.names.beside(suffix).symlink_metadata().is_ok();
        let left = [PARTIAL, JOURNAL, CHECKSUM_PARTIAL].iter().find(|suffix| left(suffix));
        match left {
            Some(suffix) => format!("{}, which the next run replaces", shown(&self.names.beside(suffix))),
            None => "nothing".to_owned(),
        }
    }

    fn close(&mut self) {
        if self.partial.is_none()
            && let Some(journal) = self.journal.take()
        {
            // If this fails, the next run finds it and sees that its backup is committed.
            let _ = journal.remove();
        }
    }

    fn interrupter(&self) -> Interrupter {
        let stop = self.stop.clone();
        Interrupter::new(move || stop.raise())
    }

    fn target(&self) -> Target {
        let describe = format!("file {}", shown(self.names.path()));
        Target { describe, free: free_bytes(self.names.dir()) }
    }
}

impl Drop for FileSink {
    fn drop(&mut self) {
        if self.origin == Origin::Ours {
            self.abandon();
            self.close();
        }
    }
}
