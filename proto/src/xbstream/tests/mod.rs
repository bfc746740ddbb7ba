//! Tests of the parts together, by topic.

mod chunks;
mod errors;
mod order;
mod properties;
mod vectors;

use bytes::Bytes;

use super::encode::EncodeError;
use super::{DecodeError, Decoder, Item, Limits, StreamPath};

/// All items of a whole stream.
fn decode(stream: &[u8]) -> Result<Vec<Item>, DecodeError> {
    let mut decoder = Decoder::new(Limits::default());
    decoder.feed(Bytes::copy_from_slice(stream));
    let mut items = Vec::new();
    while let Some(item) = decoder.next()? {
        items.push(item);
    }
    decoder.finish()?;
    Ok(items)
}

/// A chunk that is known to be valid.
fn chunk(encoded: Result<Vec<u8>, EncodeError>) -> Vec<u8> {
    encoded.expect("a valid chunk")
}

/// Bytes from hexadecimal digits, white space ignored.
fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<char> = digits.chars().filter(|c| !c.is_whitespace()).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).expect("hexadecimal digits");
    digits.chunks(2).map(byte).collect()
}

fn path(name: &str) -> StreamPath {
    StreamPath::from(name)
}
