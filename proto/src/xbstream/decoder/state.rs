//! What the decoder is reading, and what comes of it.

use bytes::{Buf, Bytes};
use crc32fast::Hasher;

use super::super::foreign::is_text;
use super::super::limits::FILE_END;
use super::super::{DecodeError, Foreign, Inside, Item, Limits, MAGIC, Opening, Quote, SparseRun, StreamPath};
use super::input::Wants;

/// Where a state stands, for its checks and errors.
pub(super) struct Place<'a> {
    /// Where the chunk begins in the stream.
    pub(super) chunk: u64,
    pub(super) limits: &'a Limits,
    /// Bytes after the field at hand, as far as they were fed.
    pub(super) ahead: &'a [u8],
}

/// The field of a chunk that comes next, with all that is known when it does.
#[derive(Debug)]
pub(super) enum State {
    /// At the boundary of two chunks.
    Magic,
    /// Flags, type, length of the path.
    Head,
    /// The path.
    Path { kind: Kind, len: u32 },
    /// Length, offset and CRC of a payload.
    Extent { path: StreamPath, meaning: Meaning },
    /// Either the offset of a seek and the next chunk's magic, or the first 16 of 24 bytes that
    /// describe a sparse chunk.
    SeekOrSparse { path: StreamPath },
    /// The other 8 of the 24.
    SparseExtent { path: StreamPath, first: Bytes },
    /// The next entry of a sparse map, or nothing when it is complete.
    SparseMap(SparseMap),
    /// Length of the second path of a rename.
    NewLength { from: StreamPath },
    /// The second path.
    NewPath { from: StreamPath, len: u32 },
    /// Payload, or nothing when it is complete.
    Body(Body),
    /// The stream is unusable.
    Failed(DecodeError),
}

/// What the type byte says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Payload(Meaning),
    SeekOrSparse,
    Rename,
    Remove,
    End,
}

/// Whose payload it is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Meaning {
    /// Part of a file.
    File(Opening),
    /// Nothing we know; the type byte.
    Ignored(u8),
}

#[derive(Debug)]
pub(super) struct SparseMap {
    path: StreamPath,
    offset: u64,
    len: u64,
    expected: u32,
    /// Entries announced. Memory is taken as they arrive.
    announced: u32,
    runs: Vec<SparseRun>,
    hasher: Hasher,
}

#[derive(Debug)]
pub(super) struct Body {
    path: StreamPath,
    len: u64,
    left: u64,
    expected: u32,
    hasher: Hasher,
}

/// The state after a field, and the item it completed.
type Step = (State, Option<Item>);

impl State {
    /// How many bytes are needed to go on.
    pub(super) fn wants(&self) -> Wants {
        match self {
            State::Magic => Wants::Exactly(MAGIC.len()),
            State::Head => Wants::Exactly(6),
            State::Path { len, .. } | State::NewPath { len, .. } => Wants::Exactly(*len as usize),
            State::Extent { .. } => Wants::Exactly(20),
            State::SeekOrSparse { .. } => Wants::Exactly(16),
            State::SparseExtent { .. } => Wants::Exactly(8),
            State::SparseMap(map) => Wants::Exactly(if map.is_complete() { 0 } else { 8 }),
            State::NewLength { .. } => Wants::Exactly(4),
            State::Body(Body { left: 0, .. }) | State::Failed(_) => Wants::Exactly(0),
            State::Body(body) => Wants::UpTo(body.left),
        }
    }

    /// What the stream ended in, if it ended here.
    pub(super) fn inside(&self) -> Inside {
        match self {
            State::Magic | State::Head | State::Failed(_) => Inside::Header,
            State::Path { .. } => Inside::Path,
            State::Extent { path, .. }
            | State::SeekOrSparse { path }
            | State::SparseExtent { path, .. }
            | State::SparseMap(SparseMap { path, .. })
            | State::NewLength { from: path }
            | State::NewPath { from: path, .. } => Inside::HeaderOf(path.clone()),
            State::Body(body) => Inside::Payload(body.path.clone()),
        }
    }

    /// Takes in the bytes that were wanted.
    pub(super) fn advance(self, field: Bytes, place: &Place<'_>) -> Result<Step, DecodeError> {
        match self {
            State::Magic if field[..] == MAGIC[..] => Ok((State::Head, None)),
            State::Magic => Err(no_magic(&[&field, place.ahead].concat(), place.chunk)),
            State::Head => read_head(field, place),
            State::Path { kind, .. } => Ok(after_path(kind, read_path(&field, place)?)),
            State::Extent { path, meaning } => read_extent(field, path, meaning, place),
            State::SeekOrSparse { path } if field[8..] == MAGIC[..] => read_seek(field, path, place),
            State::SeekOrSparse { path } => Ok((State::SparseExtent { path, first: field }, None)),
            State::SparseExtent { path, first } => read_sparse_extent(first.chain(field), path, place),
            State::SparseMap(map) => map.advance(field, place),
            State::NewLength { from } => {
                let len = read_path_len(field, place)?;
                Ok((State::NewPath { from, len }, None))
            }
            State::NewPath { from, .. } => {
                let to = read_path(&field, place)?;
                Ok((State::Magic, Some(Item::Rename { from, to })))
            }
            State::Body(body) => body.advance(field, place),
            State::Failed(error) => Err(error),
        }
    }
}

/// Whether a stream may end with `held` bytes after its last whole chunk at `offset`.
pub(super) fn check_end(held: &[u8], offset: u64) -> Result<(), DecodeError> {
    if held.is_empty() {
        return Ok(());
    }
    if !MAGIC.starts_with(held) {
        return Err(no_magic(held, offset));
    }
    let (held, magic) = (held.len() as u64, MAGIC.len() as u64);
    Err(DecodeError::Truncated { offset: offset + held, inside: Inside::Header, missing: magic - held })
}

fn no_magic(found: &[u8], offset: u64) -> DecodeError {
    let quote = Quote::new(found);
    let format = Foreign::recognise(found);
    match offset {
        0 if format == Foreign::Unknown && is_text(quote.as_bytes()) => DecodeError::Text { quote },
        0 => DecodeError::Foreign { format, quote },
        _ => DecodeError::Garbage { offset, quote },
    }
}

fn read_head(mut field: Bytes, place: &Place<'_>) -> Result<Step, DecodeError> {
    const IGNORABLE: u8 = 0x01;
    const REWRITE: u8 = 0x02;
    let (flags, kind) = (field.get_u8(), field.get_u8());
    let kind = match kind {
        // Exactly this value, as MariaDB's reader has it; other bits mean nothing.
        b'P' if flags == REWRITE => Kind::Payload(Meaning::File(Opening::Rewrite)),
        b'P' => Kind::Payload(Meaning::File(Opening::New)),
        b'S' => Kind::SeekOrSparse,
        b'R' => Kind::Rename,
        b'D' => Kind::Remove,
        b'E' => Kind::End,
        kind if flags & IGNORABLE != 0 => Kind::Payload(Meaning::Ignored(kind)),
        kind => return Err(DecodeError::UnknownType { offset: place.chunk, kind }),
    };
    let len = read_path_len(field, place)?;
    Ok((State::Path { kind, len }, None))
}

fn read_path_len(mut field: Bytes, place: &Place<'_>) -> Result<u32, DecodeError> {
    let (len, limit) = (field.get_u32_le(), place.limits.path);
    match len {
        len if (1..=limit).contains(&len) => Ok(len),
        len => Err(DecodeError::PathLength { offset: place.chunk, len, limit }),
    }
}

fn read_path(field: &[u8], place: &Place<'_>) -> Result<StreamPath, DecodeError> {
    let path = StreamPath(field.into());
    match field.contains(&0) {
        true => Err(DecodeError::PathNul { offset: place.chunk, path }),
        false => Ok(path),
    }
}

fn after_path(kind: Kind, path: StreamPath) -> Step {
    match kind {
        Kind::Payload(meaning) => (State::Extent { path, meaning }, None),
        Kind::SeekOrSparse => (State::SeekOrSparse { path }, None),
        Kind::Rename => (State::NewLength { from: path }, None),
        Kind::Remove => (State::Magic, Some(Item::Remove { path })),
        Kind::End => (State::Magic, Some(Item::End { path })),
    }
}

fn read_extent(mut field: Bytes, path: StreamPath, meaning: Meaning, place: &Place<'_>) -> Result<Step, DecodeError> {
    let (len, offset, expected) = (field.get_u64_le(), field.get_u64_le(), field.get_u32_le());
    place.check_len(&path, len)?;
    let item = match meaning {
        Meaning::File(opening) => {
            place.check_end(&path, offset, len)?;
            Item::Payload { path: path.clone(), opening, offset, len }
        }
        Meaning::Ignored(kind) => Item::Ignored { path: path.clone(), kind, len },
    };
    let body = Body { path, len, left: len, expected, hasher: Hasher::new() };
    Ok((State::Body(body), Some(item)))
}

fn read_seek(mut field: Bytes, path: StreamPath, place: &Place<'_>) -> Result<Step, DecodeError> {
    let offset = field.get_u64_le();
    place.check_end(&path, offset, 0)?;
    // The magic of the next chunk is read already.
    Ok((State::Head, Some(Item::Seek { path, offset })))
}

fn read_sparse_extent(mut field: impl Buf, path: StreamPath, place: &Place<'_>) -> Result<Step, DecodeError> {
    let (announced, len, offset) = (field.get_u32_le(), field.get_u64_le(), field.get_u64_le());
    let expected = field.get_u32_le();
    let limit = place.limits.sparse_runs;
    if announced > limit {
        return Err(DecodeError::SparseRuns { offset: place.chunk, path, runs: announced, limit });
    }
    place.check_len(&path, len)?;
    let map = SparseMap { path, offset, len, expected, announced, runs: Vec::new(), hasher: Hasher::new() };
    Ok((State::SparseMap(map), None))
}

impl SparseMap {
    fn is_complete(&self) -> bool {
        self.runs.len() == self.announced as usize
    }

    fn advance(mut self, mut entry: Bytes, place: &Place<'_>) -> Result<Step, DecodeError> {
        if self.is_complete() {
            return self.complete(place);
        }
        self.hasher.update(&entry);
        self.runs.push(SparseRun { skip: entry.get_u32_le(), write: entry.get_u32_le() });
        Ok((State::SparseMap(self), None))
    }

    fn complete(self, place: &Place<'_>) -> Result<Step, DecodeError> {
        let SparseMap { path, offset, len, expected, runs, hasher, .. } = self;
        // At most 2^32 entries below 2^32: the sums cannot overflow.
        let mapped = runs.iter().map(|run| u64::from(run.write)).sum();
        let skipped: u64 = runs.iter().map(|run| u64::from(run.skip)).sum();
        if mapped != len {
            return Err(DecodeError::SparseSum { offset: place.chunk, path, mapped, len });
        }
        place.check_end(&path, offset, len.saturating_add(skipped))?;
        let body = Body { path: path.clone(), len, left: len, expected, hasher };
        Ok((State::Body(body), Some(Item::Sparse { path, offset, len, runs })))
    }
}

impl Body {
    fn advance(mut self, bytes: Bytes, place: &Place<'_>) -> Result<Step, DecodeError> {
        if self.left == 0 {
            return self.complete(place);
        }
        self.hasher.update(&bytes);
        self.left -= bytes.len() as u64;
        Ok((State::Body(self), Some(Item::Data(bytes))))
    }

    fn complete(self, place: &Place<'_>) -> Result<Step, DecodeError> {
        let Body { path, len, expected, hasher, .. } = self;
        match hasher.finalize() {
            actual if actual == expected => Ok((State::Magic, Some(Item::Verified))),
            actual => Err(DecodeError::Checksum { offset: place.chunk, path, len, expected, actual }),
        }
    }
}

impl Place<'_> {
    fn check_len(&self, path: &StreamPath, len: u64) -> Result<(), DecodeError> {
        let limit = self.limits.payload;
        match len > limit {
            true => Err(DecodeError::PayloadLength { offset: self.chunk, path: path.clone(), len, limit }),
            false => Ok(()),
        }
    }

    fn check_end(&self, path: &StreamPath, at: u64, len: u64) -> Result<(), DecodeError> {
        match at.checked_add(len) {
            Some(end) if end <= FILE_END => Ok(()),
            _ => Err(DecodeError::BeyondFile { offset: self.chunk, path: path.clone(), at, len }),
        }
    }
}
