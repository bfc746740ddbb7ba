//! Where in its file each byte of a chunk belongs. Pure.

use std::vec::IntoIter;

use xbproto::xbstream::SparseRun;

/// The places of the payload bytes of one chunk, in order.
#[derive(Debug)]
pub(in crate::extract) struct Placing {
    /// Where the next byte goes.
    position: u64,
    /// Bytes until the next hole.
    left: u64,
    runs: IntoIter<SparseRun>,
}

impl Placing {
    /// `len` bytes from `offset` on.
    pub(in crate::extract) fn solid(offset: u64, len: u64) -> Placing {
        Placing { position: offset, left: len, runs: Vec::new().into_iter() }
    }

    /// Holes and bytes in turn, from `offset` on.
    pub(in crate::extract) fn sparse(offset: u64, runs: Vec<SparseRun>) -> Placing {
        Placing { position: offset, left: 0, runs: runs.into_iter() }
    }

    /// Splits off as many of `bytes` as belong together, with the offset of the first in the file; `None` when all are
    /// placed. The decoder has checked that the runs add up to the payload.
    pub(in crate::extract) fn next<'b>(&mut self, bytes: &mut &'b [u8]) -> Option<(u64, &'b [u8])> {
        while self.left == 0 && !bytes.is_empty() {
            let run = self.runs.next()?;
            self.position += u64::from(run.skip);
            self.left = u64::from(run.write);
        }
        let (now, later) = bytes.split_at(bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX)));
        *bytes = later;
        let at = self.position;
        self.position += now.len() as u64;
        self.left -= now.len() as u64;
        (!now.is_empty()).then_some((at, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(mut placing: Placing, pieces: &[&[u8]]) -> Vec<(u64, String)> {
        let mut all = Vec::new();
        for piece in pieces {
            let mut bytes = *piece;
            while let Some((at, now)) = placing.next(&mut bytes) {
                all.push((at, String::from_utf8(now.to_vec()).unwrap()));
            }
            assert!(bytes.is_empty());
        }
        all
    }

    #[test]
    fn a_payload_goes_on_where_it_was() {
        let placed = places(Placing::solid(7, 5), &[b"ab", b"", b"cde"]);
        assert_eq!(placed, [(7, "ab".into()), (9, "cde".into())]);
    }

    #[test]
    fn holes_are_passed_over() {
        let runs = [(3, 2), (0, 1), (4, 0), (1, 2)].map(|(skip, write)| SparseRun { skip, write });
        let placed = places(Placing::sparse(10, runs.to_vec()), &[b"a", b"bcde"]);
        assert_eq!(placed, [(13, "a".into()), (14, "b".into()), (15, "c".into()), (21, "de".into())]);
    }
}
