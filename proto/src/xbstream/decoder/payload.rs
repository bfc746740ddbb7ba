//! What a CRC covers: payload, and the sparse map before it.

use bytes::{Buf, Bytes};
use crc32fast::Hasher;

use super::input::Wants;
use super::place::Place;
use super::state::{State, Step};
use crate::xbstream::{DecodeError, Item, SparseRun, StreamPath};

/// A sparse map that is arriving.
#[derive(Debug)]
pub(super) struct SparseMap {
    /// The payload to come, with the CRC so far.
    body: Body,
    offset: u64,
    /// Entries announced. Memory is taken as they arrive.
    announced: u32,
    runs: Vec<SparseRun>,
}

impl SparseMap {
    /// The map of so many entries before `body`, which belongs at `offset` of the file.
    pub(super) fn new(body: Body, offset: u64, announced: u32) -> SparseMap {
        SparseMap { body, offset, announced, runs: Vec::new() }
    }

    pub(super) fn path(&self) -> &StreamPath {
        &self.body.path
    }

    /// The next entry, or nothing when all are there.
    pub(super) fn wants(&self) -> Wants {
        Wants::Exactly(if self.is_complete() { 0 } else { 8 })
    }

    pub(super) fn advance(mut self, mut entry: Bytes, place: &Place<'_>) -> Result<Step, DecodeError> {
        if self.is_complete() {
            return self.complete(place);
        }
        self.body.hasher.update(&entry);
        self.runs.push(SparseRun { skip: entry.get_u32_le(), write: entry.get_u32_le() });
        Ok((State::SparseMap(self), None))
    }

    fn is_complete(&self) -> bool {
        self.runs.len() == self.announced as usize
    }

    fn complete(self, place: &Place<'_>) -> Result<Step, DecodeError> {
        let SparseMap { body, offset, runs, .. } = self;
        let (path, len) = (body.path.clone(), body.len);
        // Fewer than 2^32 entries, each below 2^32: the sums cannot overflow.
        let mapped = runs.iter().map(|run| u64::from(run.write)).sum();
        let skipped: u64 = runs.iter().map(|run| u64::from(run.skip)).sum();
        if mapped != len {
            return Err(DecodeError::SparseSum { offset: place.chunk, path, mapped, len });
        }
        place.check_reach(&path, offset, len.saturating_add(skipped))?;
        Ok((State::Body(body), Some(Item::Sparse { path, offset, len, runs })))
    }
}

/// A payload that is passing through.
#[derive(Debug)]
pub(super) struct Body {
    path: StreamPath,
    len: u64,
    left: u64,
    expected: u32,
    hasher: Hasher,
}

impl Body {
    /// `len` bytes of payload to come; with a map before it, if there is one, its CRC is `expected`.
    pub(super) fn new(path: StreamPath, len: u64, expected: u32) -> Body {
        Body { path, len, left: len, expected, hasher: Hasher::new() }
    }

    pub(super) fn path(&self) -> &StreamPath {
        &self.path
    }

    /// As much as is left, or nothing when all has passed.
    pub(super) fn wants(&self) -> Wants {
        match self.left {
            0 => Wants::Exactly(0),
            left => Wants::UpTo(left),
        }
    }

    pub(super) fn advance(mut self, bytes: Bytes, place: &Place<'_>) -> Result<Step, DecodeError> {
        if self.left == 0 {
            return self.complete(place);
        }
        self.hasher.update(&bytes);
        self.left -= bytes.len() as u64;
        Ok((State::Body(self), Some(Item::Data(bytes))))
    }

    fn complete(self, place: &Place<'_>) -> Result<Step, DecodeError> {
        let Body { path, len, expected, hasher, .. } = self;
        let actual = hasher.finalize();
        if actual != expected {
            return Err(DecodeError::Checksum { offset: place.chunk, path, len, expected, actual });
        }
        Ok((State::Magic, Some(Item::Verified)))
    }
}
