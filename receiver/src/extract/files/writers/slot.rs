//! A file as the lanes and the writers know it, and what a lane has for it.

use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;

use crate::disk::DiskError;
use crate::extract::files::content::{Content, Part};
use crate::lock::lock;

/// Bytes of a file shorter than this are copied: they may be a small part of a large buffer that they would keep in use.
const COPIED: usize = 64 << 10;

/// What longer ones may keep in use, in bytes.
const BUFFER: usize = xbproto::lane::MAX_BLOCK;

/// What a part costs beside its bytes.
const PART: usize = 128;

/// A file that has begun. Its content is gone once it was finished, or is wanted by nobody.
#[derive(Debug)]
pub(in crate::extract) struct Slot {
    content: Mutex<Option<Content>>,
    /// Locked only while the queue is.
    waiting: Mutex<Waiting>,
}

/// What waits to be done for a file.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) batch: Batch,
    pub(super) turn: Turn,
}

/// Whether a file is in the queue or being worked on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Turn {
    #[default]
    None,
    Scheduled,
}

impl Slot {
    /// A file with nothing waiting.
    pub(in crate::extract) fn new(content: Content) -> Slot {
        Slot { content: Mutex::new(Some(content)), waiting: Mutex::default() }
    }

    /// Keeps the file open until it is written, whatever its name becomes. Waits for what is being written of it.
    pub(in crate::extract) fn keep_open(&self) -> Result<(), DiskError> {
        self.content().as_mut().map_or(Ok(()), Content::keep_open)
    }

    pub(super) fn content(&self) -> MutexGuard<'_, Option<Content>> {
        lock(&self.content)
    }

    pub(super) fn waiting(&self) -> MutexGuard<'_, Waiting> {
        lock(&self.waiting)
    }
}

/// What has come for one file, in order, and what it costs to keep.
#[derive(Debug, Default)]
pub(in crate::extract) struct Batch {
    pub(super) parts: Vec<Part>,
    /// In bytes of memory.
    pub(super) cost: usize,
}

impl Batch {
    /// Adds what comes next.
    pub(in crate::extract) fn add(&mut self, part: Part) {
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

    /// Adds what comes after all of it.
    pub(super) fn append(&mut self, later: Batch) {
        self.parts.extend(later.parts);
        self.cost += later.cost;
    }

    /// Whether it is worth a thread's while.
    pub(in crate::extract) fn is_large(&self) -> bool {
        self.cost >= COPIED
    }

    /// Whether nothing is in it.
    pub(in crate::extract) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}
