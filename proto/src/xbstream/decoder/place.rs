//! Where in the stream a field was read, and the checks and errors that need to know it.

use crate::xbstream::foreign::is_text;
use crate::xbstream::limits::FILE_END;
use crate::xbstream::{DecodeError, Foreign, Inside, Limits, MAGIC, Quote, StreamPath};

/// Where a state stands, for its checks and errors.
pub(super) struct Place<'a> {
    /// Where the chunk begins in the stream.
    pub(super) chunk: u64,
    pub(super) limits: &'a Limits,
    /// Bytes after the field at hand, as far as they were fed.
    pub(super) ahead: &'a [u8],
}

impl Place<'_> {
    /// Whether a payload may be as long as this.
    pub(super) fn check_len(&self, path: &StreamPath, len: u64) -> Result<(), DecodeError> {
        let limit = self.limits.payload;
        if len > limit {
            return Err(DecodeError::PayloadLength { offset: self.chunk, path: path.clone(), len, limit });
        }
        Ok(())
    }

    /// Whether a file may reach `len` bytes beyond `at`.
    pub(super) fn check_reach(&self, path: &StreamPath, at: u64, len: u64) -> Result<(), DecodeError> {
        match at.checked_add(len) {
            Some(end) if end <= FILE_END => Ok(()),
            _ => Err(DecodeError::BeyondFile { offset: self.chunk, path: path.clone(), at, len }),
        }
    }

    /// What is wrong with a chunk that begins like this instead of with the magic.
    pub(super) fn no_magic(&self, begins: &[u8]) -> DecodeError {
        no_magic(&[begins, self.ahead].concat(), self.chunk)
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
    let format = Foreign::recognise(found);
    let quote = Quote::new(before_magic(found));
    match offset {
        0 if format == Foreign::Unknown && is_text(quote.as_bytes()) => DecodeError::Text { quote },
        0 => DecodeError::Foreign { format, quote },
        _ => DecodeError::Garbage { offset, quote },
    }
}

/// A message is often followed by the stream it should not be in; only the message is of interest.
fn before_magic(found: &[u8]) -> &[u8] {
    let stream = found.windows(MAGIC.len()).position(|bytes| bytes == MAGIC);
    &found[..stream.unwrap_or(found.len())]
}
