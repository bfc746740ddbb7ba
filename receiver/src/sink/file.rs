//! `-o FILE`: a new file with its checksum beside it.
//!
//! ```text
//! FILE.partial             the bytes so far
//! FILE.partial.journal     whose they are and how far they are durable, once the sink was told to remember
//! FILE, FILE.sha1          after commit
//! ```
//!
//! A backup of several streams is kept as `FILE.0`, `FILE.1` and so on, each with what belongs to it but the journal:
//! there is one, of all of them.
//!
//! The first two are locked as long as this process lives. When it is killed they stay, and the next sink for FILE goes
//! on from them; in every other case nothing stays but what was committed.

mod claim;
mod lane;
mod names;
mod open;
mod publish;
mod recall;
mod several;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::sync::Arc;

use xbproto::lane::{LaneDigest, LaneId};
use xbproto::wire::{Hello, Receipt, SessionId};

pub use self::names::part_path;

use self::lane::{FileLane, Reservation};
use self::names::{CHECKSUM_PARTIAL, JOURNAL, Names, PARTIAL};
use self::publish::{Whole, publish};
use self::several::Part;
use super::sync_ahead::{Pace, SyncAhead};
use super::{Admission, Interrupter, LaneSink, LaneSum, Reached, Sink, SinkError, Target};
use crate::disk::{At, DiskError, Output, Ownership, PageCache, free_bytes, give_back, shown};
use crate::journal::{Journal, Presence, Record};
use crate::stop::Stop;

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
    /// The files of several streams, once their number is known; none, if the partial file is that of the only stream.
    parts: Vec<Part>,
    /// Kept locked until the session is over, when there are several.
    guard: Option<Arc<File>>,
    /// Those of the lanes there are, in order.
    ahead: Vec<Arc<SyncAhead>>,
    pace: Pace,
    /// Whether the whole of the partial file is durable.
    synced: bool,
    /// What the file and its checksum get with their final names.
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
    fn append(&self, record: Record) -> Result<(), DiskError> {
        self.journal.as_ref().map_or(Ok(()), |journal| journal.append(record))
    }

    /// What makes a lane durable from `from` on.
    fn sync_ahead(
        &self,
        lane: LaneId,
        names: &Names,
        file: &Arc<File>,
        from: &LaneDigest,
    ) -> Result<SyncAhead, DiskError> {
        let (path, journal) = (names.beside(PARTIAL), self.journal.clone());
        let keep = move |digest: &LaneDigest| match &journal {
            Some(journal) => journal.append(Record::Progress(lane, digest.clone())),
            None => Ok(()),
        };
        // Each has its share of the window.
        let pace = Pace { bytes: (self.pace.bytes / self.parts.len().max(1) as u64).max(1), ..self.pace };
        SyncAhead::start(Arc::clone(file), &path, pace, from, keep).at("starting to sync", &path)
    }

    /// The partial files, in order of their lanes, and their names; none once they are committed or abandoned.
    fn files(&self) -> Vec<(&Names, &Arc<File>)> {
        match (&self.partial, self.parts.as_slice()) {
            (None, _) => Vec::new(),
            (Some(file), []) => vec![(&self.names, file)],
            (Some(_), parts) => parts.iter().filter_map(|part| Some((&part.names, part.file.as_ref()?))).collect(),
        }
    }

    /// Makes the files of several streams.
    fn divide(&mut self, lanes: u16) -> Result<(), SinkError> {
        self.parts = several::make(&self.names, lanes)?;
        self.guard = self.partial.clone();
        Ok(())
    }

    /// The space for all of the backup, if its size is known: to be taken first, so that a disk that is too small shows before hours
    /// have passed, and the file lies there in few pieces. Without that, direct I/O has to find space for each write, which
    /// makes it a tenth slower: not worth to reserve in steps for a size that is not known.
    ///
    /// It takes seconds for hundreds of gigabytes, so it is left to the lane's thread.
    fn reservation(&self, from: u64) -> Option<Reservation> {
        // How much of it is whose is not known when there are several.
        let size = self.size.filter(|_| self.parts.is_empty())?;
        let Target { describe: target, free } = self.target();
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
        for ahead in self.ahead.drain(..) {
            ahead.stop()?;
        }
        // The journal first: it must never tell of more than there is.
        self.journal.as_ref().map_or(Ok(()), |journal| journal.forget_session())?;
        file.set_len(0).at("cutting", self.names.beside(PARTIAL))?;
        several::remove(&std::mem::take(&mut self.parts));
        self.guard = None;
        (self.session, self.origin, self.synced) = (None, Origin::Ours, false);
        Ok(())
    }

    fn start(&mut self, hello: &Hello) -> Result<(), SinkError> {
        match self.session {
            Some(session) if session == hello.session => {}
            Some(_) => return Err(self.out_of_turn("start")),
            None => {
                self.append(Record::Session(hello.clone()))?;
                if hello.lanes > 1 {
                    self.divide(hello.lanes)?;
                }
            }
        }
        (self.session, self.origin, self.size) = (Some(hello.session), Origin::Ours, hello.size);
        Ok(())
    }

    fn lane(&mut self, lane: LaneId, from: &LaneDigest) -> Result<Box<dyn LaneSink>, SinkError> {
        let (files, index) = (self.files(), usize::from(lane.0));
        let (names, file) = match (files.get(index), files.len()) {
            (Some((names, file)), _) if index == self.ahead.len() => (*names, Arc::clone(file)),
            (None, 1..) => return Err(SinkError::OneLane { lane, target: self.target().describe }),
            _ => return Err(self.out_of_turn("lane")),
        };
        let ahead = Arc::new(self.sync_ahead(lane, names, &file, from)?);
        let reservation = self.reservation(from.len());
        let output = Output::new(file, from.len(), self.cache).at("reading", names.beside(PARTIAL))?;
        let writer = FileLane::new(output, names.path(), Arc::clone(&ahead), reservation);
        self.ahead.push(ahead);
        Ok(Box::new(writer))
    }

    fn admission(&self) -> Admission {
        let path = self.names.path().to_owned();
        Admission::new(move |hello| match hello.lanes {
            // That one was claimed.
            1 => Ok(()),
            lanes => several::refuse_existing(&Names::around(&path)?, lanes),
        })
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        if self.partial.is_none() {
            return Err(self.out_of_turn("sync"));
        }
        if self.synced {
            return Ok(());
        }
        // Before the last sync, so that an error is not told to a sync that nobody asks any more.
        let rests = self.ahead.iter().map(|ahead| ahead.stop()).collect::<Result<Vec<_>, _>>()?;
        for (names, file) in self.files() {
            if self.stop.is_raised() {
                return Err(SinkError::Interrupted { target: self.target().describe });
            }
            give_back(file).at("cutting", names.path())?;
            file.sync_all().at("syncing", names.path())?;
        }
        for (lane, rest) in (0..).map(LaneId).zip(rests) {
            rest.map_or(Ok(()), |digest| self.append(Record::Progress(lane, digest)))?;
        }
        self.synced = true;
        Ok(())
    }

    fn commit(&mut self, sums: &[LaneSum]) -> Result<Reached, SinkError> {
        self.sync()?;
        let files = self.files().into_iter().zip(sums);
        let files: Vec<_> = files.map(|((names, file), sum)| Whole { names, file, sum: sum.sum }).collect();
        if files.len() != sums.len() || files.len() != self.files().len() {
            return Err(self.out_of_turn("commit"));
        }
        self.append(Record::Committing(sums.to_vec()))?;
        publish(&files, &self.ownership)?;
        self.partial = None;
        let receipt = Receipt::of(Reached::Synced, sums.to_vec());
        // It has its name, whatever happens now; a run that finds only the record before this one sees that too.
        let _ = self.append(Record::Committed(receipt));
        Ok(Reached::Synced)
    }

    fn abandon(&mut self) {
        if self.partial.take().is_some() {
            // Nothing can be done about a failure; the next run replaces what is left.
            several::remove(&self.parts);
            for suffix in [PARTIAL, CHECKSUM_PARTIAL] {
                let _ = self.names.remove(suffix);
            }
            self.close();
        }
    }

    fn left(&self) -> String {
        let all = std::iter::once(&self.names).chain(self.parts.iter().map(|part| &part.names));
        let paths = all.flat_map(|names| [PARTIAL, JOURNAL, CHECKSUM_PARTIAL].map(|suffix| names.beside(suffix)));
        match paths.into_iter().find(|path| path.symlink_metadata().is_ok()) {
            Some(path) => format!("{}, which the next run replaces", shown(&path)),
            None => "nothing".to_owned(),
        }
    }

    fn close(&mut self) {
        if self.partial.is_none()
            && let Some(journal) = self.journal.take()
        {
            if self.guard.take().is_some() {
                let _ = self.names.remove(PARTIAL);
            }
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
