//! What is queued of a lane and in which order: first what is in memory, then what is on the disk.

use std::collections::VecDeque;

use bytes::BufMut;

use super::ring::{Place, Ring, Stored};

/// The bytes of a lane between source and window. They go by memory until they spill over to the disk, and then all go
/// there until it has run empty: so they keep their order.
#[derive(Debug)]
pub(super) struct Queue {
    memory: VecDeque<u8>,
    /// The most bytes that may be in memory.
    most: usize,
    pub(super) ring: Ring,
    /// Nothing comes any more.
    ended: bool,
}

/// Whether bytes may begin to go to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spill {
    /// The window has room, so memory is about to have some.
    NotYet,
    /// The window is full.
    Now,
}

/// Where bytes are put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// So many of them are in memory.
    Memory(usize),
    /// They are to be written there.
    Disk(Place),
    /// There is no room in memory, and they shall not go to the disk yet.
    Later,
    /// There is no room at all.
    Full,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Take {
    /// It was in memory and is taken.
    Memory,
    /// It is to be read there.
    Disk(Stored),
    /// Nothing yet.
    Nothing,
    /// Nothing any more.
    End,
}

impl Queue {
    /// An empty queue with `most` bytes of memory and a ring of free slots.
    pub(super) fn new(most: usize, ring: Ring) -> Queue {
        Queue { memory: VecDeque::with_capacity(most), most, ring, ended: false }
    }

    /// Puts the first of some bytes, or finds a place for them.
    pub(super) fn put(&mut self, bytes: &[u8], spill: Spill) -> Put {
        let room = self.most - self.memory.len();
        match (self.ring.is_empty(), spill) {
            (true, _) if room > 0 => {
                let len = bytes.len().min(room);
                self.memory.extend(&bytes[..len]);
                Put::Memory(len)
            }
            (true, Spill::NotYet) => Put::Later,
            _ => self.ring.place(bytes.len()).map_or(Put::Full, Put::Disk),
        }
    }

    /// Nothing more will be put.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// Takes what comes next: out of memory into `room`, which must not be full.
    pub(super) fn take(&mut self, room: &mut impl BufMut) -> Take {
        if !self.memory.is_empty() {
            let (oldest, _) = self.memory.as_slices();
            let len = oldest.len().min(room.remaining_mut());
            room.put_slice(&oldest[..len]);
            self.memory.drain(..len);
            return Take::Memory;
        }
        match self.ring.take() {
            Some(stored) => Take::Disk(stored),
            None if self.ended && self.ring.is_empty() => Take::End,
            None => Take::Nothing,
        }
    }
}

#[cfg(test)]
mod tests;
