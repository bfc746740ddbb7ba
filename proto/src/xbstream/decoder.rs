//! The incremental decoder: bytes in, items out.

use bytes::Bytes;

use super::{DecodeError, Item, Limits};

/// Turns the bytes of a stream, cut anywhere, into items.
#[derive(Debug)]
pub struct Decoder {
    _limits: Limits,
}

impl Decoder {
    /// A decoder at the start of a stream.
    pub fn new(limits: Limits) -> Decoder {
        Decoder { _limits: limits }
    }

    /// Hands over the next bytes of the stream. Call [`next`](Self::next) until it gives `None`
    /// before feeding more; only an unfinished header is kept inside.
    pub fn feed(&mut self, _bytes: Bytes) {
        unimplemented!()
    }

    /// The next item, or `None` when more bytes are needed.
    #[expect(clippy::should_implement_trait, reason = "fallible, and None is not the end")]
    pub fn next(&mut self) -> Result<Option<Item>, DecodeError> {
        unimplemented!()
    }

    /// To be called at the end of the stream: an error if it ended inside a chunk.
    pub fn finish(&self) -> Result<(), DecodeError> {
        unimplemented!()
    }

    /// How many bytes of the stream were turned into items.
    pub fn offset(&self) -> u64 {
        unimplemented!()
    }
}
