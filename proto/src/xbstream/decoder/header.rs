//! Reading the fields of a chunk's header.

use bytes::{Buf, Bytes};

use super::payload::{Body, SparseMap};
use super::place::Place;
use super::state::{Kind, Meaning, State, Step};
use crate::xbstream::{DecodeError, Item, Opening, StreamPath};

/// Flags, type and length of the path.
pub(super) fn read_head(mut field: Bytes, place: &Place<'_>) -> Result<Step, DecodeError> {
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

/// The length of a path, at the end of `field`.
pub(super) fn read_path_len(mut field: Bytes, place: &Place<'_>) -> Result<u32, DecodeError> {
    let (len, limit) = (field.get_u32_le(), place.limits.path);
    if !(1..=limit).contains(&len) {
        return Err(DecodeError::PathLength { offset: place.chunk, len, limit });
    }
    Ok(len)
}

/// A path, whole.
pub(super) fn read_path(field: &[u8], place: &Place<'_>) -> Result<StreamPath, DecodeError> {
    let path = StreamPath(field.into());
    if field.contains(&0) {
        return Err(DecodeError::PathNul { offset: place.chunk, path });
    }
    Ok(path)
}

/// Where a chunk goes on after its path.
pub(super) fn after_path(kind: Kind, path: StreamPath) -> Step {
    match kind {
        Kind::Payload(meaning) => (State::Extent { path, meaning }, None),
        Kind::SeekOrSparse => (State::SeekOrSparse { path }, None),
        Kind::Rename => (State::NewLength { from: path }, None),
        Kind::Remove => (State::Magic, Some(Item::Remove { path })),
        Kind::End => (State::Magic, Some(Item::End { path })),
    }
}

/// Length, offset and CRC of a payload.
pub(super) fn read_extent(
    mut field: Bytes,
    path: StreamPath,
    meaning: Meaning,
    place: &Place<'_>,
) -> Result<Step, DecodeError> {
    let (len, offset, expected) = (field.get_u64_le(), field.get_u64_le(), field.get_u32_le());
    place.check_len(&path, len)?;
    let item = match meaning {
        Meaning::File(opening) => {
            place.check_reach(&path, offset, len)?;
            Item::Payload { path: path.clone(), opening, offset, len }
        }
        Meaning::Ignored(kind) => Item::Ignored { path: path.clone(), kind, len },
    };
    Ok((State::Body(Body::new(path, len, expected)), Some(item)))
}

/// The offset of a seek, and the magic after it.
pub(super) fn read_seek(mut field: Bytes, path: StreamPath, place: &Place<'_>) -> Result<Step, DecodeError> {
    let offset = field.get_u64_le();
    place.check_reach(&path, offset, 0)?;
    // The magic of the next chunk is read already.
    Ok((State::Head, Some(Item::Seek { path, offset })))
}

/// Entries of the map, length, offset and CRC of a sparse chunk.
pub(super) fn read_sparse_extent(
    mut field: impl Buf,
    path: StreamPath,
    place: &Place<'_>,
) -> Result<Step, DecodeError> {
    let (announced, len, offset) = (field.get_u32_le(), field.get_u64_le(), field.get_u64_le());
    let expected = field.get_u32_le();
    let limit = place.limits.sparse_runs;
    if announced > limit {
        return Err(DecodeError::SparseRuns { offset: place.chunk, path, runs: announced, limit });
    }
    place.check_len(&path, len)?;
    let body = Body::new(path, len, expected);
    Ok((State::SparseMap(SparseMap::new(body, offset, announced)), None))
}
