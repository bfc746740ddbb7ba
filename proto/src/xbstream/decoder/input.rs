//! The bytes that were fed and not yet read, handed out field by field.

use std::mem;

use bytes::{Bytes, BytesMut};

/// How many bytes the reader can use next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    /// A field of this length, in one piece.
    Exactly(usize),
    /// As many as there are, but not more than this.
    UpTo(u64),
}

impl Wants {
    /// The number, whichever it means.
    pub(super) fn most(self) -> u64 {
        match self {
            Wants::Exactly(len) => len as u64,
            Wants::UpTo(len) => len,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Input {
    /// The beginning of a field whose end was not fed yet.
    held: BytesMut,
    /// What follows it.
    fresh: Bytes,
    position: u64,
}

impl Input {
    /// Appends bytes. Copies them only if the caller did not wait until all was read.
    pub(super) fn feed(&mut self, bytes: Bytes) {
        self.fresh = if self.fresh.is_empty() { bytes } else { [mem::take(&mut self.fresh), bytes].concat().into() };
    }

    /// What is wanted, or `None` if it has to be fed first; then the same is to be asked again.
    pub(super) fn take(&mut self, wants: Wants) -> Option<Bytes> {
        let taken = match wants {
            Wants::Exactly(len) => self.take_field(len)?,
            Wants::UpTo(_) if self.fresh.is_empty() => return None,
            Wants::UpTo(most) => {
                let len = usize::try_from(most).map_or(self.fresh.len(), |most| most.min(self.fresh.len()));
                self.fresh.split_to(len)
            }
        };
        self.position += taken.len() as u64;
        Some(taken)
    }

    /// How many bytes were taken since the start.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The part that is there of a field that was asked for.
    pub(super) fn held(&self) -> &[u8] {
        &self.held
    }

    /// What was fed beyond the last field taken.
    pub(super) fn ahead(&self) -> &[u8] {
        &self.fresh
    }

    fn take_field(&mut self, len: usize) -> Option<Bytes> {
        if self.held.is_empty() && self.fresh.len() >= len {
            return Some(self.fresh.split_to(len));
        }
        let missing = len.saturating_sub(self.held.len()).min(self.fresh.len());
        self.held.extend_from_slice(&self.fresh.split_to(missing));
        (self.held.len() == len).then(|| self.held.split().freeze())
    }
}
