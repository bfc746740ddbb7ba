//! What happened in a simulation, and when.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use xbproto::failure::Party;
use xbproto::lane::LaneId;
use xbproto::session::{Received, Sent};

use super::Fate;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A datagram was sent.
    Datagram {
        /// By whom.
        from: Party,
        /// Its bytes of UDP payload.
        len: usize,
        /// What becomes of it.
        fate: Fate,
    },
    /// The source has given the bytes of a lane up to this offset.
    Given(LaneId, u64),
    /// The bytes of a lane up to this offset are in the sink.
    Written(LaneId, u64),
    /// What the sink has of a lane is durable up to this offset.
    Durable(LaneId, u64),
    /// The lane was closed at the sink.
    Finished(LaneId),
    /// The sink has made everything durable.
    Synced,
    /// The sink has given everything its final name.
    Committed,
    /// The sink has thrown away what it had.
    Abandoned,
    /// The session is over for the sender.
    SenderEnded(Sent),
    /// The session is over for the receiver.
    ReceiverEnded(Received),
}

/// An event and its time from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Duration,
    /// What.
    pub event: Event,
}

/// Takes events from everywhere in the simulation. Clones write the same log.
#[derive(Clone, Debug)]
pub struct Log {
    start: Instant,
    entries: Arc<Mutex<Vec<Entry>>>,
}

impl Log {
    /// An empty log that starts now.
    pub fn start() -> Log {
        Log { start: Instant::now(), entries: Arc::default() }
    }

    /// The time from the start.
    pub fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// The moment that is `time` from the start.
    pub fn moment(&self, time: Duration) -> Instant {
        self.start + time
    }

    /// Notes what happens now.
    pub fn note(&self, event: Event) {
        let at = self.now();
        self.lock().push(Entry { at, event });
    }

    /// Everything noted so far.
    pub fn take(&self) -> Vec<Entry> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
