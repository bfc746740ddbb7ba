//! What can be wrong with a stream, always with the byte offset in it.

use super::StreamPath;

/// The bytes are not an xbstream.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Placeholder until every case has its own variant.
    #[error("at byte {offset}: wrong magic")]
    Magic {
        /// Offset in the stream, in bytes.
        offset: u64,
    },
}

/// The chunks are well-formed, but not in an order that makes files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// A payload does not continue its file.
    #[error("{path}: chunk at offset {actual} of the file, expected {expected}")]
    OutOfOrder {
        /// The file.
        path: StreamPath,
        /// Where the next payload belongs.
        expected: u64,
        /// Where the chunk says it belongs.
        actual: u64,
    },
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
