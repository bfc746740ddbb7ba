//! How a file is cut into chunks. Pure.

use xbproto::lane::MAX_BLOCK;
use xbproto::xbstream::SparseRun;

use super::holes::Extent;

/// Bytes of data in a chunk: what is read at once. Readers take any length.
const CHUNK: usize = MAX_BLOCK;

/// Holes in a chunk.
const RUNS: usize = 4096;

/// A chunk to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Where in the file it begins, in bytes.
    pub(super) offset: u64,
    /// Holes and data in turn; none if it is all data.
    pub(super) runs: Vec<SparseRun>,
    /// Bytes of data.
    pub(super) len: usize,
}

impl Chunk {
    /// Where its data stands in the file, in order: offset and length in bytes.
    pub(super) fn data(&self) -> impl Iterator<Item = (u64, usize)> {
        let mut at = self.offset;
        let plain = self.runs.is_empty().then_some((self.offset, self.len));
        let pieces = self.runs.iter().map(move |run| {
            let begin = at + u64::from(run.skip);
            at = begin + u64::from(run.write);
            (begin, run.write as usize)
        });
        plain.into_iter().chain(pieces)
    }

    /// Its length in a stream, with a path of so many bytes.
    pub(super) fn encoded_len(&self, path: usize) -> u64 {
        let map = if self.runs.is_empty() { 0 } else { 4 + 8 * self.runs.len() };
        (HEAD + path + PAYLOAD + map + self.len) as u64
    }
}

/// Bytes of every chunk before and behind its path: magic, flags, type, length of the path.
const HEAD: usize = 14;

/// Bytes of a payload before its data: length, offset, CRC.
const PAYLOAD: usize = 20;

/// The length in a stream of the end of a file, with a path of so many bytes.
pub(super) fn end_len(path: usize) -> u64 {
    (HEAD + path) as u64
}

/// Cuts extents into chunks.
#[derive(Debug)]
pub(super) struct Chunks<I> {
    extents: I,
    /// What is left of the last one.
    rest: Extent,
    offset: u64,
}

impl<I> Chunks<I> {
    /// The chunks of a file with these extents.
    pub(super) fn of(extents: I) -> Chunks<I> {
        Chunks { extents, rest: Extent::default(), offset: 0 }
    }
}

impl<E, I: Iterator<Item = Result<Extent, E>>> Chunks<I> {
    /// The next hole and data, as much of it as there is room for; `None` at the end.
    fn next_run(&mut self, room: usize) -> Result<Option<SparseRun>, E> {
        if self.rest == Extent::default() {
            match self.extents.next().transpose()? {
                Some(extent) => self.rest = extent,
                None => return Ok(None),
            }
        }
        let skip = u32::try_from(self.rest.skip).unwrap_or(u32::MAX);
        self.rest.skip -= u64::from(skip);
        let write = if self.rest.skip == 0 { self.rest.write.min(room as u64) as u32 } else { 0 };
        self.rest.write -= u64::from(write);
        Ok(Some(SparseRun { skip, write }))
    }
}

impl<E, I: Iterator<Item = Result<Extent, E>>> Iterator for Chunks<I> {
    type Item = Result<Chunk, E>;

    fn next(&mut self) -> Option<Result<Chunk, E>> {
        let mut chunk = Chunk { offset: self.offset, runs: Vec::new(), len: 0 };
        while chunk.len < CHUNK && chunk.runs.len() < RUNS {
            match self.next_run(CHUNK - chunk.len) {
                Ok(Some(run)) => {
                    self.offset += u64::from(run.skip) + u64::from(run.write);
                    chunk.len += run.write as usize;
                    chunk.runs.push(run);
                }
                Ok(None) => break,
                Err(error) => return Some(Err(error)),
            }
        }
        let (none, dense) = (chunk.runs.is_empty(), chunk.runs.iter().all(|run| run.skip == 0));
        if dense {
            chunk.runs.clear();
        }
        (!none).then_some(Ok(chunk))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;
    use xbproto::xbstream::{Opening, encode};

    use super::*;

    fn chunks(extents: &[(u64, u64)]) -> Vec<Chunk> {
        let extents = extents.iter().map(|&(skip, write)| Ok::<_, Infallible>(Extent { skip, write }));
        Chunks::of(extents).map(|chunk| chunk.unwrap_or_else(|never| match never {})).collect()
    }

    fn run(skip: u32, write: u32) -> SparseRun {
        SparseRun { skip, write }
    }

    #[test]
    fn data_alone_makes_plain_chunks() {
        assert_eq!(chunks(&[]), []);
        let len = CHUNK as u64 + 1;
        let expected =
            [Chunk { offset: 0, runs: vec![], len: CHUNK }, Chunk { offset: CHUNK as u64, runs: vec![], len: 1 }];
        assert_eq!(chunks(&[(0, len)]), expected);
    }

    #[test]
    fn holes_make_sparse_chunks_and_the_rest_stays_plain() {
        let made = chunks(&[(10, 5), (7, CHUNK as u64), (3, 0)]);
        let first = Chunk { offset: 0, runs: vec![run(10, 5), run(7, CHUNK as u32 - 5)], len: CHUNK };
        let second = Chunk { offset: 17 + CHUNK as u64, runs: vec![run(0, 5), run(3, 0)], len: 5 };
        assert_eq!(made, [first, second]);
    }

    #[test]
    fn a_hole_longer_than_a_run_takes_several() {
        let made = chunks(&[(u64::from(u32::MAX) + 5, 1)]);
        assert_eq!(made, [Chunk { offset: 0, runs: vec![run(u32::MAX, 0), run(5, 1)], len: 1 }]);
    }

    proptest! {
        #[test]
        fn every_byte_is_where_it_was(extents in prop::collection::vec((0..3 * CHUNK as u64, 1..3 * CHUNK as u64), 0..6)) {
            let mut expected = Vec::new();
            let mut at = 0;
            for (skip, write) in &extents {
                expected.push((at + skip, *write));
                at += skip + write;
            }
            let mut found: Vec<(u64, u64)> = Vec::new();
            for (offset, len) in chunks(&extents).iter().flat_map(|chunk| chunk.data().collect::<Vec<_>>()) {
                match found.last_mut() {
                    Some((begin, total)) if *begin + *total == offset => *total += len as u64,
                    _ => found.push((offset, len as u64)),
                }
            }
            let merged = expected.into_iter().fold(Vec::<(u64, u64)>::new(), |mut all, (begin, len)| {
                match all.last_mut() {
                    Some((from, total)) if *from + *total == begin => *total += len,
                    _ => all.push((begin, len)),
                }
                all
            });
            prop_assert_eq!(found, merged);
        }

        #[test]
        fn the_length_is_what_the_encoder_makes(skip in 0..10_u64, write in 1..10_000_u64, path in "[a-z]{1,40}") {
            for chunk in chunks(&[(skip, write)]) {
                let data = vec![0; chunk.len];
                let encoded = match chunk.runs.is_empty() {
                    true => encode::payload(path.as_bytes(), Opening::New, chunk.offset, &data),
                    false => encode::sparse(path.as_bytes(), chunk.offset, &chunk.runs, &data),
                };
                prop_assert_eq!(encoded.unwrap().len() as u64, chunk.encoded_len(path.len()));
            }
            prop_assert_eq!(encode::end(path.as_bytes()).unwrap().len() as u64, end_len(path.len()));
        }
    }
}
