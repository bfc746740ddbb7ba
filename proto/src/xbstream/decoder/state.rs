//! What the decoder is reading, and what comes of it.

use bytes::{Buf, Bytes};

use super::header;
use super::input::Wants;
use super::payload::{Body, SparseMap};
use super::place::Place;
use crate::xbstream::{DecodeError, Inside, Item, MAGIC, Opening, StreamPath};

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

/// The state after a field, and the item it completed.
pub(super) type Step = (State, Option<Item>);

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
            State::SparseMap(map) => map.wants(),
            State::NewLength { .. } => Wants::Exactly(4),
            State::Body(body) => body.wants(),
            State::Failed(_) => Wants::Exactly(0),
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
            | State::NewLength { from: path }
            | State::NewPath { from: path, .. } => Inside::HeaderOf(path.clone()),
            State::SparseMap(map) => Inside::HeaderOf(map.path().clone()),
            State::Body(body) => Inside::Payload(body.path().clone()),
        }
    }

    /// Takes in the bytes that were wanted.
    pub(super) fn advance(self, field: Bytes, place: &Place<'_>) -> Result<Step, DecodeError> {
        match self {
            State::Magic if field[..] == MAGIC[..] => Ok((State::Head, None)),
            State::Magic => Err(place.no_magic(&field)),
            State::Head => header::read_head(field, place),
            State::Path { kind, .. } => Ok(header::after_path(kind, header::read_path(&field, place)?)),
            State::Extent { path, meaning } => header::read_extent(field, path, meaning, place),
            State::SeekOrSparse { path } if field[8..] == MAGIC[..] => header::read_seek(field, path, place),
            State::SeekOrSparse { path } => Ok((State::SparseExtent { path, first: field }, None)),
            State::SparseExtent { path, first } => header::read_sparse_extent(first.chain(field), path, place),
            State::SparseMap(map) => map.advance(field, place),
            State::NewLength { from } => {
                let len = header::read_path_len(field, place)?;
                Ok((State::NewPath { from, len }, None))
            }
            State::NewPath { from, .. } => {
                let to = header::read_path(&field, place)?;
                Ok((State::Magic, Some(Item::Rename { from, to })))
            }
            State::Body(body) => body.advance(field, place),
            State::Failed(error) => Err(error),
        }
    }
}
