//! What must hold for any bytes whatsoever. Called by the fuzzers and by the property tests.

use bytes::Bytes;

use super::encode::{self, EncodeError};
use super::{Completeness, DecodeError, Decoder, Item, Ledger, Limits, Opening, SparseRun, StreamPath};

/// Decodes the bytes as a stream: it never panics, wherever the stream is cut the items and the
/// place of the error are the same, and the ledger keeps its accounts.
///
/// # Panics
///
/// If one of these does not hold.
pub fn decode(stream: &[u8]) {
    let whole = decode_in_pieces(stream, &[stream.len()]);
    assert_eq!(place_of(&whole), place_of(&decode_in_pieces(stream, &[1])));
    assert_eq!(place_of(&whole), place_of(&decode_in_pieces(stream, &[13, 1, 64])));
    let mut ledger = Ledger::default();
    let mut completeness = Completeness::default();
    for item in &whole.0 {
        completeness.apply(item);
        let in_order = ledger.apply(item);
        ledger.check_invariants();
        if in_order.is_err() {
            break;
        }
    }
}

/// Reads the bytes as a list of chunks to make, and decodes what was made: the same comes back.
///
/// # Panics
///
/// If it does not.
pub fn roundtrip(script: &[u8]) {
    let (stream, items) = stream_from(script);
    assert_eq!(decode_in_pieces(&stream, &[stream.len()]), (items.clone(), Ok(())));
    assert_eq!(decode_in_pieces(&stream, &[1]), (items, Ok(())));
}

/// The items of a stream fed in pieces of these lengths, over and over, and how it ended. Pieces
/// of one payload are joined.
pub(super) fn decode_in_pieces(stream: &[u8], lengths: &[usize]) -> (Vec<Item>, Result<(), DecodeError>) {
    let mut decoder = Decoder::new(Limits::default());
    let mut items = Vec::new();
    let mut rest = Bytes::copy_from_slice(stream);
    for len in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        decoder.feed(rest.split_to((*len).clamp(1, rest.len())));
        if let Err(error) = drain(&mut decoder, &mut items) {
            return (items, Err(error));
        }
    }
    (items, decoder.finish())
}

fn drain(decoder: &mut Decoder, items: &mut Vec<Item>) -> Result<(), DecodeError> {
    while let Some(item) = decoder.next()? {
        match (items.last_mut(), item) {
            (Some(Item::Data(before)), Item::Data(next)) => *before = [&before[..], &next[..]].concat().into(),
            (_, item) => items.push(item),
        }
    }
    Ok(())
}

/// What does not depend on how much of the stream was in hand when an error was found.
fn place_of((items, end): &(Vec<Item>, Result<(), DecodeError>)) -> (&[Item], Option<u64>) {
    (items, end.as_ref().err().map(DecodeError::offset))
}

/// A valid stream made up from any bytes, and its items.
pub(super) fn stream_from(script: &[u8]) -> (Vec<u8>, Vec<Item>) {
    let mut script = Script(script);
    let (mut stream, mut items) = (Vec::new(), Vec::new());
    while !script.0.is_empty() {
        let (chunk, made) = script.chunk();
        stream.extend(chunk.expect("scripts make only valid chunks"));
        items.extend(made);
    }
    // A stream cannot end with a seek.
    stream.extend(encode::end(b"last").expect("a short path"));
    items.push(Item::End { path: StreamPath::from("last") });
    (stream, items)
}

/// Bytes that are read as orders; an empty one gives zeros for ever.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn chunk(&mut self) -> (Result<Vec<u8>, EncodeError>, Vec<Item>) {
        let (kind, path) = (self.byte() % 8, self.path());
        let name = path.as_bytes();
        match kind {
            0 => (encode::end(name), vec![Item::End { path }]),
            1 => (encode::remove(name), vec![Item::Remove { path }]),
            2 => {
                let to = self.path();
                (encode::rename(name, to.as_bytes()), vec![Item::Rename { from: path, to }])
            }
            3 => {
                let offset = self.offset();
                (encode::seek(name, offset), vec![Item::Seek { path, offset }])
            }
            4 => self.sparse(path),
            5 => {
                let (kind, data) = (b'a' + self.byte() % 26, self.bytes());
                let begun = Item::Ignored { path: path.clone(), kind, len: data.len() as u64 };
                (encode::ignorable(path.as_bytes(), kind, &data), with_payload(begun, data))
            }
            _ => self.payload(path),
        }
    }

    fn payload(&mut self, path: StreamPath) -> (Result<Vec<u8>, EncodeError>, Vec<Item>) {
        let opening = if self.byte() & 1 == 0 { Opening::New } else { Opening::Rewrite };
        let (offset, data) = (self.offset(), self.bytes());
        let chunk = encode::payload(path.as_bytes(), opening, offset, &data);
        (chunk, with_payload(Item::Payload { path, opening, offset, len: data.len() as u64 }, data))
    }

    fn sparse(&mut self, path: StreamPath) -> (Result<Vec<u8>, EncodeError>, Vec<Item>) {
        let offset = self.offset();
        let pieces: Vec<Vec<u8>> = (0..self.byte() % 4).map(|_| self.bytes()).collect();
        let run = |piece: &Vec<u8>| SparseRun { skip: self.byte().into(), write: piece.len() as u32 };
        let runs: Vec<SparseRun> = pieces.iter().map(run).collect();
        let data = pieces.concat();
        let chunk = encode::sparse(path.as_bytes(), offset, &runs, &data);
        (chunk, with_payload(Item::Sparse { path, offset, len: data.len() as u64, runs }, data))
    }

    fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or_default()
    }

    fn bytes(&mut self) -> Vec<u8> {
        let len = usize::from(self.byte()).min(self.0.len());
        self.0.split_off(..len).unwrap_or_default().to_vec()
    }

    fn offset(&mut self) -> u64 {
        u64::from(self.byte()) << (self.byte() % 56)
    }

    fn path(&mut self) -> StreamPath {
        let mut path = self.bytes();
        path.retain(|byte| *byte != 0);
        path.push(b'p');
        StreamPath(path.into())
    }
}

fn with_payload(begun: Item, data: Vec<u8>) -> Vec<Item> {
    if data.is_empty() {
        return vec![begun, Item::Verified];
    }
    vec![begun, Item::Data(data.into()), Item::Verified]
}
