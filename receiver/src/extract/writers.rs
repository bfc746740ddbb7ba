//! The threads that decode and write files, several at a time.
//!
//! What comes for one file is done in order and by one thread at a time; files do not wait for each other. What waits is
//! bounded: whoever brings more waits until there is room. Names are no business of these threads: they have the files open,
//! so renames and removals can go on meanwhile.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use bytes::Bytes;

use super::allowance::Allowance;
use super::content::{Bench, Content, ContentError, Part};
use super::manifest::Manifest;
use super::open_files::OpenFiles;
use super::progress::Progress;
use super::sync::Syncers;
use crate::disk::{DiskError, Pages};
use crate::stop::Stop;

/// How much may wait, in bytes of memory that it keeps in use.
const ROOM: usize = 32 << 20;

/// Bytes of a file shorter than this are copied: they may be a small part of a large buffer that they would keep in use.
const COPIED: usize = 64 << 10;

/// What longer ones may keep in use, in bytes.
const BUFFER: usize = xbproto::lane::MAX_BLOCK;

/// What a part costs beside its bytes.
const PART: usize = 128;

/// A file that is open, as the lanes and the writers know it.
#[derive(Debug)]
pub(super) struct Slot {
    content: Mutex<Option<Content>>,
    /// Locked only while the queue is.
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    parts: Vec<Part>,
    cost: usize,
    turn: Turn,
}

/// Whether a file is in the queue or being worked on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Turn {
    #[default]
    Idle,
    Taken,
}

impl Waiting {
    fn take(&mut self) -> (Vec<Part>, usize) {
        (std::mem::take(&mut self.parts), std::mem::take(&mut self.cost))
    }
}

impl Slot {
    /// A file with nothing waiting.
    pub(super) fn new(content: Content) -> Slot {
        Slot { content: Mutex::new(Some(content)), waiting: Mutex::default() }
    }

    /// Keeps the file open until it is written, whatever its name becomes. Waits for what is being written of it.
    pub(super) fn keep_open(&self) -> Result<(), DiskError> {
        lock(&self.content).as_mut().map_or(Ok(()), Content::keep_open)
    }
}

/// What a lane has for one file and has not handed over.
#[derive(Debug, Default)]
pub(super) struct Batch {
    parts: Vec<Part>,
    cost: usize,
}

impl Batch {
    /// Adds what comes next.
    pub(super) fn add(&mut self, part: Part) {
        let (part, cost) = match part {
            Part::Bytes(bytes) if bytes.len() < COPIED => (Part::Bytes(Bytes::copy_from_slice(&bytes)), bytes.len()),
            Part::Bytes(bytes) => (Part::Bytes(bytes), BUFFER),
            Part::Sparse { offset, runs } => {
                let cost = size_of_val(&runs[..]);
                (Part::Sparse { offset, runs }, cost)
            }
            other => (other, 0),
        };
        self.parts.push(part);
        self.cost += cost + PART;
    }

    /// Whether it is worth a thread's while.
    pub(super) fn is_large(&self) -> bool {
        self.cost >= COPIED
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

/// What the writers share with their files.
#[derive(Debug)]
pub(super) struct Shop {
    pub(super) syncers: Syncers,
    pub(super) progress: Progress,
    pub(super) allowance: Allowance,
    pub(super) manifest: Option<Manifest>,
    pub(super) open: Arc<OpenFiles>,
    /// Set once a file was decrypted that holds no proof of the key.
    pub(super) any_key: AtomicBool,
    /// Raised when nobody wants the files any more.
    pub(super) stop: Stop,
}

/// The threads. The first error is kept, and final.
#[derive(Debug)]
pub(super) struct Writers {
    floor: Arc<Floor>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Floor {
    shop: Arc<Shop>,
    queue: Mutex<Queue>,
    /// Signalled when a file has something to do, or nothing more comes.
    work: Condvar,
    /// Signalled when there is more room.
    room: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    ready: VecDeque<Arc<Slot>>,
    /// Files whose turn it is or will be.
    files: usize,
    cost: usize,
    closed: Closed,
    failed: Option<ContentError>,
}

/// Whether more may come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Closed {
    #[default]
    Open,
    Closed,
}

impl Queue {
    /// Whether more may wait that costs so much. Nobody waits when nothing is waiting, or everything is over anyway.
    fn has_room(&self, cost: usize, files: usize) -> bool {
        let fits = self.cost + cost <= ROOM && self.files < files;
        fits || self.files == 0 || self.failed.is_some()
    }
}

impl Writers {
    /// Starts `count` threads.
    pub(super) fn start(count: usize, shop: Arc<Shop>) -> io::Result<Writers> {
        let (work, room) = (Condvar::new(), Condvar::new());
        let floor = Arc::new(Floor { shop, queue: Mutex::default(), work, room });
        let start_one = |number| {
            let floor = Arc::clone(&floor);
            thread::Builder::new().name(format!("write-{number}")).spawn(move || floor.run())
        };
        let threads: io::Result<Vec<_>> = (0..count.max(1)).map(start_one).collect();
        Ok(Writers { threads: Mutex::new(threads?), floor })
    }

    /// Hands over what has come for a file. Waits while too much is waiting.
    pub(super) fn push(&self, slot: &Arc<Slot>, batch: Batch) {
        let mut queue = self.floor.lock();
        while !queue.has_room(batch.cost, self.floor.shop.open.at_work()) {
            queue = self.floor.room.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        queue.cost += batch.cost;
        let mut waiting = lock(&slot.waiting);
        waiting.parts.extend(batch.parts);
        waiting.cost += batch.cost;
        if waiting.turn == Turn::Idle {
            waiting.turn = Turn::Taken;
            queue.files += 1;
            queue.ready.push_back(Arc::clone(slot));
            self.floor.work.notify_one();
        }
    }

    /// The first error so far.
    pub(super) fn check(&self) -> Result<(), ContentError> {
        self.floor.lock().failed.clone().map_or(Ok(()), Err)
    }

    /// Waits until everything is written, or thrown away because of the stop, and ends the threads.
    pub(super) fn finish(&self) -> Result<(), ContentError> {
        self.floor.lock().closed = Closed::Closed;
        self.floor.work.notify_all();
        let threads = std::mem::take(&mut *lock(&self.threads));
        for thread in threads {
            let _ = thread.join();
        }
        self.check()
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        self.floor.shop.stop.raise();
        let _ = self.finish();
    }
}

impl Floor {
    fn run(&self) {
        let _alarm = Alarm(self);
        let mut spare = None;
        while let Some((slot, parts, cost)) = self.next() {
            let done = self.work_on(&slot, parts, &mut spare);
            self.settle(slot, cost, done);
        }
    }

    /// The next file that has something to do, what that is, and what it costs; `None` when nothing more comes.
    fn next(&self) -> Option<(Arc<Slot>, Vec<Part>, usize)> {
        let mut queue = self.lock();
        loop {
            match (queue.ready.pop_front(), queue.closed) {
                (Some(slot), _) => {
                    let (mut parts, cost) = lock(&slot.waiting).take();
                    if queue.failed.is_some() {
                        // Nobody will want it; and a file that has failed takes no more.
                        parts.clear();
                    }
                    return Some((slot, parts, cost));
                }
                (None, Closed::Closed) => return None,
                (None, Closed::Open) => queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    fn work_on(&self, slot: &Slot, parts: Vec<Part>, spare: &mut Option<Pages>) -> Result<(), ContentError> {
        let Shop { syncers, progress, allowance, manifest, any_key, stop, .. } = &*self.shop;
        let mut bench = Bench { spare, progress, allowance, manifest: manifest.as_ref(), any_key, stop };
        let mut content = lock(&slot.content);
        for part in parts {
            if stop.is_raised() {
                *content = None;
            }
            match part {
                Part::End { extent } => {
                    if let Some(content) = content.take() {
                        syncers.push(content.finish(extent, &mut bench)?);
                    }
                }
                part => content.as_mut().map_or(Ok(()), |content| content.take(part, &mut bench))?,
            }
        }
        Ok(())
    }

    /// Makes room again, keeps the first error, and lets the file wait for its next turn if more has come for it.
    fn settle(&self, slot: Arc<Slot>, cost: usize, done: Result<(), ContentError>) {
        let mut queue = self.lock();
        queue.cost -= cost;
        if let Err(error) = done {
            queue.failed.get_or_insert(error);
        }
        let mut waiting = lock(&slot.waiting);
        if waiting.parts.is_empty() {
            waiting.turn = Turn::Idle;
            queue.files -= 1;
        } else {
            drop(waiting);
            queue.ready.push_back(slot);
        }
        self.room.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }
}

/// Goes off when a thread panics: nobody may wait for room that it does not make.
struct Alarm<'a>(&'a Floor);

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.lock().failed.get_or_insert(ContentError::Panicked);
            self.0.room.notify_all();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
