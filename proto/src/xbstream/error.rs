//! What can be wrong with a stream, always with the byte offset in it.

use std::fmt;

use super::{Foreign, Quote, StreamPath};

/// The bytes are not an xbstream. Except for [`Truncated`](Self::Truncated), `offset` is where the
/// chunk begins, in bytes from the start of the stream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The stream begins with words.
    #[error(
        "text on stdout before the first chunk: {quote} at byte 0: the tool or its wrapper wrote to stdout, \
         let it write messages to stderr"
    )]
    Text {
        /// What it says.
        quote: Quote,
    },
    /// The stream begins with another format.
    #[error("at byte 0: {format}, {quote}, expected an xbstream (\"XBSTCK01\")")]
    Foreign {
        /// Which one.
        format: Foreign,
        /// Its first bytes.
        quote: Quote,
    },
    /// Something else stands where the next chunk should begin.
    #[error(
        "at byte {offset}: expected the next chunk (\"XBSTCK01\"), found {quote}: \
         the stream is damaged, or something else was written into it"
    )]
    Garbage {
        /// Where the chunk should begin.
        offset: u64,
        /// What is there instead.
        quote: Quote,
    },
    /// A type this program does not know, without the flag that lets readers pass over it.
    #[error(
        "at byte {offset}: unknown chunk type 0x{kind:02x} ('{}'), expected P, E, S, R or D: \
         the stream is damaged, or made by a newer tool",
        kind.escape_ascii()
    )]
    UnknownType {
        /// Where the chunk begins.
        offset: u64,
        /// Its type byte.
        kind: u8,
    },
    /// An empty path, or one that no reader takes.
    #[error("at byte {offset}: path of {len} bytes, expected 1 to {limit}: the stream is damaged")]
    PathLength {
        /// Where the chunk begins.
        offset: u64,
        /// Length of the path in bytes, as announced.
        len: u32,
        /// The longest path allowed.
        limit: u32,
    },
    /// A path with a NUL in it, which no file system can hold.
    #[error("at byte {offset}: the path \"{path}\" contains a NUL byte: the stream is damaged")]
    PathNul {
        /// Where the chunk begins.
        offset: u64,
        /// The path.
        path: StreamPath,
    },
    /// A payload larger than any writer makes.
    #[error("at byte {offset}: {path}: payload of {len} bytes, expected at most {limit}: the stream is damaged")]
    PayloadLength {
        /// Where the chunk begins.
        offset: u64,
        /// The file.
        path: StreamPath,
        /// Length of the payload in bytes, as announced.
        len: u64,
        /// The longest payload allowed.
        limit: u64,
    },
    /// A sparse map larger than any writer makes.
    #[error("at byte {offset}: {path}: sparse map of {runs} entries, expected at most {limit}: the stream is damaged")]
    SparseRuns {
        /// Where the chunk begins.
        offset: u64,
        /// The file.
        path: StreamPath,
        /// Entries, as announced.
        runs: u32,
        /// Most entries allowed.
        limit: u32,
    },
    /// A sparse map that does not fit its payload.
    #[error(
        "at byte {offset}: {path}: the sparse map writes {mapped} bytes, expected the payload's {len}: \
         the stream is damaged"
    )]
    SparseSum {
        /// Where the chunk begins.
        offset: u64,
        /// The file.
        path: StreamPath,
        /// What the map's entries add up to, in bytes.
        mapped: u64,
        /// Length of the payload in bytes.
        len: u64,
    },
    /// A place in a file that no file has.
    #[error(
        "at byte {offset}: {path}: {len} bytes at offset {at} of the file reach beyond the largest file (2^63 - 1): \
         the stream is damaged"
    )]
    BeyondFile {
        /// Where the chunk begins.
        offset: u64,
        /// The file.
        path: StreamPath,
        /// Offset in the file, in bytes.
        at: u64,
        /// Bytes from there, holes included.
        len: u64,
    },
    /// The payload is not what was written.
    #[error(
        "at byte {offset}: {path}: CRC of a payload of {len} bytes is {actual:08x}, expected {expected:08x}: \
         the data was damaged on its way or by its writer"
    )]
    Checksum {
        /// Where the chunk begins.
        offset: u64,
        /// The file.
        path: StreamPath,
        /// Length of the payload in bytes.
        len: u64,
        /// CRC in the chunk's header.
        expected: u32,
        /// CRC of the bytes that came.
        actual: u32,
    },
    /// The stream ends inside a chunk.
    #[error(
        "at byte {offset}: the stream ends inside {inside}, at least {missing} bytes missing: its writer ended early"
    )]
    Truncated {
        /// Where the stream ends.
        offset: u64,
        /// What was being read.
        inside: Inside,
        /// Bytes missing to complete that.
        missing: u64,
    },
}

impl DecodeError {
    /// Where in the stream, in bytes from its start.
    pub fn offset(&self) -> u64 {
        match self {
            DecodeError::Text { .. } | DecodeError::Foreign { .. } => 0,
            DecodeError::Garbage { offset, .. }
            | DecodeError::UnknownType { offset, .. }
            | DecodeError::PathLength { offset, .. }
            | DecodeError::PathNul { offset, .. }
            | DecodeError::PayloadLength { offset, .. }
            | DecodeError::SparseRuns { offset, .. }
            | DecodeError::SparseSum { offset, .. }
            | DecodeError::BeyondFile { offset, .. }
            | DecodeError::Checksum { offset, .. }
            | DecodeError::Truncated { offset, .. } => *offset,
        }
    }
}

/// The part of a chunk in which a stream ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inside {
    /// Before the path.
    Header,
    /// The path.
    Path,
    /// Between the path and the payload: sizes, offsets, sparse map, new name.
    HeaderOf(StreamPath),
    /// The payload.
    Payload(StreamPath),
}

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Inside::Header => write!(f, "the header of a chunk"),
            Inside::Path => write!(f, "the path of a chunk"),
            Inside::HeaderOf(path) => write!(f, "the header of a chunk of {path}"),
            Inside::Payload(path) => write!(f, "the payload of a chunk of {path}"),
        }
    }
}

/// The chunks are well-formed, but not in an order that makes files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// A payload does not continue its file.
    #[error("{path}: chunk at offset {actual} of the file, expected {expected}: a part of the stream is missing")]
    OutOfOrder {
        /// The file.
        path: StreamPath,
        /// Where the next payload belongs.
        expected: u64,
        /// Where the chunk says it belongs.
        actual: u64,
    },
    /// A file that was ended begins or ends again.
    #[error("{path} appears twice: it was complete already; are these two backups in one stream?")]
    Twice {
        /// The file.
        path: StreamPath,
    },
    /// A rename or remove hits a file that is still being written.
    #[error("{name}: the stream wants to rename or remove it while {open} is not complete yet")]
    StillOpen {
        /// What was to be renamed or removed, or the new name.
        name: StreamPath,
        /// The open file: the same, or one inside it.
        open: StreamPath,
    },
    /// The stream is over before its files are.
    #[error("the stream ended with {count} incomplete {}: {}", files(*count), listed(first, *count))]
    Unfinished {
        /// The first of them, at most five.
        first: Vec<StreamPath>,
        /// How many there are.
        count: u64,
    },
    /// More names than this program keeps in memory.
    #[error("{path}: the names of the files in this stream take more than {limit} bytes")]
    TooManyNames {
        /// The first that did not fit.
        path: StreamPath,
        /// The limit, in bytes.
        limit: usize,
    },
}

fn files(count: u64) -> &'static str {
    if count == 1 { "file" } else { "files" }
}

fn listed(first: &[StreamPath], count: u64) -> String {
    let names: Vec<String> = first.iter().map(StreamPath::to_string).collect();
    let more = if count > first.len() as u64 { ", …" } else { "" };
    names.join(", ") + more
}

/// Anything that makes a stream unusable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The bytes are wrong.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The order is wrong.
    #[error(transparent)]
    Order(#[from] OrderError),
}
