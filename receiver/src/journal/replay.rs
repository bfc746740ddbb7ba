//! What a journal comes to: its records, one after another, as far as they can be believed.
//!
//! A journal begins with [`MAGIC`]; its [`Record`]s follow. A host that dies leaves the last of them torn, so the first
//! one that is damaged, or contradicts those before it, ends the journal. What is believed may be less than what is on
//! disk, and is never more.

use xbproto::lane::{LaneDigest, LaneId};
use xbproto::wire::{Hello, LaneSum, Receipt};

use super::record::{Presence, Record};

/// What every journal begins with; the digit is the version of the format.
pub(super) const MAGIC: &[u8] = b"xbrecv journal 2\n";

/// What a journal says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replayed {
    /// Who the receiver was, if it says so.
    pub(crate) presence: Option<Presence>,
    /// The session that began last.
    pub(crate) session: Option<Session>,
}

/// What a journal says of a session.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// What its sender proposed.
    pub(crate) hello: Hello,
    /// How far each lane is, in order of the lanes.
    pub(crate) lanes: Vec<Marks>,
    /// What was to get its final name, once that was so.
    pub(crate) committing: Option<Vec<LaneSum>>,
    /// What was said of it once it had that name.
    pub(crate) committed: Option<Receipt>,
}

/// The two last points up to which a lane was durable; at the start of the lane if there were fewer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marks {
    /// The last but one.
    pub(crate) earlier: LaneDigest,
    /// The last.
    pub(crate) last: LaneDigest,
}

/// What the journal `bytes` says, and how many of its bytes are believed. Whatever they are, they say something, if
/// only nothing.
pub(crate) fn replay(bytes: &[u8]) -> (Replayed, usize) {
    let mut replayed = Replayed::default();
    let Some(mut rest) = bytes.strip_prefix(MAGIC) else { return (replayed, 0) };
    while let Some((record, following)) = Record::decode(rest)
        && replayed.take_in(record).is_ok()
    {
        rest = following;
    }
    (replayed, bytes.len() - rest.len())
}

/// A record contradicts those before it; it changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contradiction;

impl Replayed {
    /// Goes on with the next record.
    pub(crate) fn take_in(&mut self, record: Record) -> Result<(), Contradiction> {
        match record {
            Record::Presence(presence) => self.presence = Some(presence),
            Record::Session(hello) => self.session = Some(Session::new(hello)),
            Record::Progress(lane, digest) => self.session_mut()?.progress(lane, digest)?,
            Record::Committing(sums) => {
                let session = self.session_with(sums.len())?;
                session.committing = Some(sums);
            }
            Record::Committed(receipt) => {
                let session = self.session_with(receipt.lanes.len())?;
                session.committed = Some(receipt);
            }
        }
        Ok(())
    }

    /// The shortest journal that says the same.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let records = self.records().into_iter().flat_map(|record| record.encode());
        MAGIC.iter().copied().chain(records).collect()
    }

    fn records(&self) -> Vec<Record> {
        let presence = self.presence.clone().map(Record::Presence);
        presence.into_iter().chain(self.session.iter().flat_map(Session::records)).collect()
    }

    fn session_mut(&mut self) -> Result<&mut Session, Contradiction> {
        self.session.as_mut().ok_or(Contradiction)
    }

    fn session_with(&mut self, lanes: usize) -> Result<&mut Session, Contradiction> {
        self.session.as_mut().filter(|session| session.lanes.len() == lanes).ok_or(Contradiction)
    }
}

impl Session {
    fn new(hello: Hello) -> Session {
        let lanes = vec![Marks::default(); hello.lanes.into()];
        Session { hello, lanes, committing: None, committed: None }
    }

    /// A lane only ever grows.
    fn progress(&mut self, lane: LaneId, digest: LaneDigest) -> Result<(), Contradiction> {
        let marks = self.lanes.get_mut(usize::from(lane.0)).ok_or(Contradiction)?;
        if digest.len() <= marks.last.len() {
            return Err(Contradiction);
        }
        marks.earlier = std::mem::replace(&mut marks.last, digest);
        Ok(())
    }

    fn records(&self) -> Vec<Record> {
        let mut records = vec![Record::Session(self.hello.clone())];
        for (lane, marks) in (0..).map(LaneId).zip(&self.lanes) {
            let passed = [&marks.earlier, &marks.last].into_iter().filter(|digest| !digest.is_empty());
            records.extend(passed.map(|digest| Record::Progress(lane, digest.clone())));
        }
        records.extend(self.committing.clone().map(Record::Committing));
        records.extend(self.committed.clone().map(Record::Committed));
        records
    }
}
