//! Which files have something to be done, whose turn it is, and how much may wait.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::slot::{Batch, Slot, Turn};
use crate::extract::files::content::ContentError;
use crate::lock::lock;

/// How much may wait, in bytes of memory that it keeps in use.
const ROOM: usize = 32 << 20;

/// The files that have something to be done. The first error is kept, and final: what comes after it is thrown away.
#[derive(Debug)]
pub(super) struct WorkQueue {
    state: Mutex<State>,
    /// Signalled when a file has something to be done, or nothing more comes.
    work: Condvar,
    /// Signalled when there is more room.
    room: Condvar,
    /// How many files may wait: each is open.
    files: usize,
}

#[derive(Debug, Default)]
struct State {
    ready: VecDeque<Arc<Slot>>,
    /// Files whose turn it is or will be.
    files: usize,
    cost: usize,
    closed: Closed,
    failed: Option<ContentError>,
    /// Writers that wait for work, and lanes that wait for room: waking nobody is a system call too.
    idle: usize,
    blocked: usize,
}

/// Whether more may come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Closed {
    #[default]
    Open,
    Closed,
}

impl WorkQueue {
    /// An empty one, in which so many files may wait.
    pub(super) fn new(files: usize) -> WorkQueue {
        WorkQueue { state: Mutex::default(), work: Condvar::new(), room: Condvar::new(), files }
    }

    /// Lets what has come for a file wait for its turn. Waits itself while too much is waiting.
    pub(super) fn push(&self, slot: &Arc<Slot>, batch: Batch) {
        let mut state = self.state();
        while !state.has_room(batch.cost, self.files) {
            state.blocked += 1;
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.blocked -= 1;
        }
        if state.is_over() {
            return;
        }
        state.cost += batch.cost;
        let mut waiting = slot.waiting();
        waiting.batch.append(batch);
        if waiting.turn == Turn::None {
            waiting.turn = Turn::Scheduled;
            state.files += 1;
            state.ready.push_back(Arc::clone(slot));
            if state.idle > 0 {
                self.work.notify_one();
            }
        }
    }

    /// The next file that has something to be done, and what that is; `None` when nothing more comes.
    pub(super) fn next(&self) -> Option<(Arc<Slot>, Batch)> {
        let mut state = self.state();
        loop {
            match (state.ready.pop_front(), state.closed) {
                (Some(slot), _) => {
                    let mut batch = std::mem::take(&mut slot.waiting().batch);
                    if state.failed.is_some() {
                        batch.parts.clear();
                    }
                    return Some((slot, batch));
                }
                (None, Closed::Closed) => return None,
                (None, Closed::Open) => {
                    state.idle += 1;
                    state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                    state.idle -= 1;
                }
            }
        }
    }

    /// What cost so much is done for a file. If more has come for it, it waits for its next turn.
    pub(super) fn done(&self, slot: Arc<Slot>, cost: usize, result: Result<(), ContentError>) {
        let mut state = self.state();
        state.cost -= cost;
        if let Err(error) = result {
            state.failed.get_or_insert(error);
        }
        let mut waiting = slot.waiting();
        if waiting.batch.is_empty() {
            waiting.turn = Turn::None;
            state.files -= 1;
        } else {
            drop(waiting);
            state.ready.push_back(slot);
        }
        if state.blocked > 0 {
            self.room.notify_all();
        }
    }

    /// Keeps an error that belongs to no file.
    pub(super) fn fail(&self, error: ContentError) {
        self.state().failed.get_or_insert(error);
        self.room.notify_all();
    }

    /// Whether all that has come is done, and well: otherwise there will be news.
    pub(super) fn is_done(&self) -> bool {
        let state = self.state();
        state.files == 0 && state.failed.is_none()
    }

    /// The first error so far.
    pub(super) fn check(&self) -> Result<(), ContentError> {
        self.state().failed.clone().map_or(Ok(()), Err)
    }

    /// Nothing more comes.
    pub(super) fn close(&self) {
        self.state().closed = Closed::Closed;
        self.work.notify_all();
        self.room.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    /// Whether more may wait that costs so much. Nobody waits when nothing is waiting, or for what is thrown away.
    fn has_room(&self, cost: usize, files: usize) -> bool {
        let fits = self.cost + cost <= ROOM && self.files < files;
        fits || self.files == 0 || self.is_over()
    }

    fn is_over(&self) -> bool {
        self.failed.is_some() || self.closed == Closed::Closed
    }
}
