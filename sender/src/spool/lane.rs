//! What the two ends of a lane's queue share: the one puts bytes in, the other takes them out, each on its thread.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::ReadBuf;
use tokio::sync::Notify;
use tokio::time::timeout;
use xbproto::cli::{Event, Reporter};

use super::queue::{Put, Queue, Spill, Take};
use super::ring::{Place, Stored};
use super::store::{Full, Store};
use super::{SLOT, SpoolError, SpoolGauge};

/// How long to wait for something to come out before trying again: a disk may get space by itself.
const RETRY: Duration = Duration::from_secs(1);

/// A queue and its file.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) dir: PathBuf,
    pub(super) store: Store,
    pub(super) gauge: Arc<SpoolGauge>,
    pub(super) reporter: Reporter,
    state: Mutex<State>,
    /// Rung when something has come out.
    out: Notify,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    /// Whoever waits for something to come out.
    reader: Option<Waker>,
    /// To be told when the file has run empty.
    farewell: Option<Event>,
}

impl Lane {
    pub(super) fn new(dir: PathBuf, store: Store, queue: Queue, gauge: Arc<SpoolGauge>, reporter: Reporter) -> Lane {
        let state = Mutex::new(State { queue, reader: None, farewell: None });
        Lane { dir, store, gauge, reporter, state, out: Notify::new() }
    }

    /// Puts the first of some bytes into memory, or finds a place for them, where [`write`](Self::write) puts them.
    pub(super) fn put(&self, bytes: &[u8], spill: Spill) -> Put {
        self.change(|state| state.queue.put(bytes, spill))
    }

    /// Writes `bytes` in their place.
    pub(super) fn write(&self, place: Place, bytes: &[u8]) -> Result<(), Full> {
        let written = self.store.write(place, bytes);
        self.change(|state| match &written {
            Ok(crc) => {
                self.gauge.add(place.len);
                state.queue.ring.written(*crc);
            }
            Err(_) => {
                state.queue.ring.not_written();
                self.settle(state);
            }
        });
        written.map(|_| ())
    }

    /// Has `event` told when the file has run empty.
    pub(super) fn tell_when_empty(&self, event: Event) {
        self.change(|state| state.farewell = Some(event));
    }

    /// Waits until something has come out, or for a while.
    pub(super) async fn wait_for_room(&self) {
        let _ = timeout(RETRY, self.out.notified()).await;
    }

    /// Nothing more will be put.
    pub(super) fn end(&self) {
        self.change(|state| state.queue.end());
    }

    /// Takes what comes next; when that is nothing, the reader is woken as soon as it is something.
    pub(super) fn take(&self, cx: &Context<'_>, buf: &mut ReadBuf<'_>) -> Take {
        let mut state = self.state();
        let taken = state.queue.take(buf);
        match taken {
            Take::Nothing => state.reader = Some(cx.waker().clone()),
            Take::Memory => self.out.notify_one(),
            Take::Disk(_) | Take::End => {}
        }
        taken
    }

    /// Reads what was to be taken from the file, and frees its slot.
    pub(super) fn read(&self, stored: Stored) -> Result<Bytes, SpoolError> {
        let bytes = self.store.read(stored)?;
        self.store.give_back(stored.offset, SLOT);
        let farewell = self.change(|state| {
            self.gauge.remove(stored.len);
            state.queue.ring.release();
            self.settle(state)
        });
        self.out.notify_one();
        if let Some(event) = farewell {
            self.reporter.tell(event);
        }
        Ok(bytes)
    }

    /// Gives back the file's space if nothing is in it: within the lock, so that nobody begins to write meanwhile.
    fn settle(&self, state: &mut State) -> Option<Event> {
        if !state.queue.ring.is_idle() {
            return None;
        }
        self.store.clear();
        state.farewell.take()
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let (changed, reader) = {
            let mut state = self.state();
            (change(&mut state), state.reader.take())
        };
        if let Some(reader) = reader {
            reader.wake();
        }
        changed
    }

    /// A thread that panicked has ended its lane, and the session with it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
