//! Which slot of a spool's file holds what: a ring, oldest first. Nothing here touches the file.

use std::collections::VecDeque;

/// A ring of slots. One writer fills the newest slot and one reader empties the oldest; both may be at work at once,
/// and never in the same slot.
#[derive(Debug)]
pub(super) struct Ring {
    /// How many there are.
    slots: u64,
    /// Bytes in a slot.
    size: usize,
    /// The number of the oldest slot in use, counted from the first ever used.
    first: u64,
    /// The oldest slot, while it is read. It comes before those in `kept`.
    reading: Option<Stored>,
    /// All but the last are full, unless the reader was there before they could be.
    kept: VecDeque<Kept>,
    writing: Option<Place>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Kept {
    len: usize,
    crc: u32,
}

/// Where the next bytes are to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// In the file.
    pub(super) offset: u64,
    /// How many there is room for, of those that were to be written.
    pub(super) len: usize,
    /// The CRC of what stands before them in the slot.
    pub(super) before: u32,
}

/// What is to be read next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    /// In the file, where a slot begins.
    pub(super) offset: u64,
    /// Bytes in the slot.
    pub(super) len: usize,
    /// Their CRC.
    pub(super) crc: u32,
}

impl Ring {
    /// A ring of `slots` free slots, each of `size` bytes.
    pub(super) fn new(slots: u64, size: usize) -> Ring {
        Ring { slots, size, first: 0, reading: None, kept: VecDeque::new(), writing: None }
    }

    /// Finds a place for the first of `len` bytes; `None` when all slots are full. Until
    /// [`written`](Self::written) or [`not_written`](Self::not_written) is called, nobody reads there.
    pub(super) fn place(&mut self, len: usize) -> Option<Place> {
        let used = self.used();
        let (slot, kept) = match self.open_slot().copied() {
            Some(open) => (used - 1, open),
            None if used < self.slots => (used, Kept::default()),
            None => return None,
        };
        let offset = self.offset(slot) + kept.len as u64;
        self.writing = Some(Place { offset, len: len.min(self.size - kept.len), before: kept.crc });
        self.writing
    }

    /// The bytes are in their place, and the slot has this CRC now.
    pub(super) fn written(&mut self, crc: u32) {
        let Some(place) = self.writing.take() else { return };
        match self.open_slot() {
            Some(open) => *open = Kept { len: open.len + place.len, crc },
            None => self.kept.push_back(Kept { len: place.len, crc }),
        }
    }

    /// The bytes could not be written.
    pub(super) fn not_written(&mut self) {
        self.writing = None;
    }

    /// Takes the oldest slot; `None` when there is none that nobody writes to. It is in use until
    /// [`release`](Self::release) is called.
    pub(super) fn take(&mut self) -> Option<Stored> {
        if self.kept.len() == 1 && self.writing.is_some() && self.open_slot().is_some() {
            return None;
        }
        let kept = self.kept.pop_front()?;
        self.reading = Some(Stored { offset: self.offset(0), len: kept.len, crc: kept.crc });
        self.reading
    }

    /// The slot that was taken has been read, and is free.
    pub(super) fn release(&mut self) {
        if self.reading.take().is_some() {
            self.first += 1;
        }
    }

    /// Whether there is nothing to take.
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Whether the file holds nothing that anybody needs, or is about to.
    pub(super) fn is_idle(&self) -> bool {
        self.kept.is_empty() && self.reading.is_none() && self.writing.is_none()
    }

    /// The newest slot, if it has room.
    fn open_slot(&mut self) -> Option<&mut Kept> {
        self.kept.back_mut().filter(|kept| kept.len < self.size)
    }

    fn used(&self) -> u64 {
        self.kept.len() as u64 + u64::from(self.reading.is_some())
    }

    /// Where the slot after so many others in use begins.
    fn offset(&self, slot: u64) -> u64 {
        (self.first + slot) % self.slots * self.size as u64
    }
}
