//! Holes that are read before they are believed.
//!
//! A file system that calls a hole what has data (some do so while that is not written yet) would have zeros sent in its
//! place, and every digest would agree with them.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::holes::Extent;

/// How much of a hole is read at once, in bytes.
const PIECE: usize = 256 << 10;

static ZEROS: [u8; PIECE] = [0; PIECE];

/// The extents of a file, of which every hole was read: where one is not zeros throughout, that piece of it is data.
#[derive(Debug)]
pub(super) struct Proven<'a, I> {
    file: &'a File,
    reported: I,
    /// How far the file was looked at.
    at: u64,
    /// What is left of the last extent that was reported; its hole is still to be read.
    rest: Extent,
    piece: Vec<u8>,
}

impl<'a, I: Iterator<Item = io::Result<Extent>>> Proven<'a, I> {
    /// Those of `file`, which are `reported` from its beginning on.
    pub(super) fn of(file: &'a File, reported: I) -> Proven<'a, I> {
        Proven { file, reported, at: 0, rest: Extent::default(), piece: Vec::new() }
    }

    /// The hole that is left as far as it is one, and the data behind it.
    fn proven(&mut self) -> io::Result<Extent> {
        self.piece.resize(PIECE, 0);
        let Extent { skip: hole, write } = self.rest;
        let mut skip = 0;
        while skip < hole {
            let len = usize::try_from(hole - skip).unwrap_or(PIECE).min(PIECE);
            self.file.read_exact_at(&mut self.piece[..len], self.at + skip)?;
            if self.piece[..len] != ZEROS[..len] {
                self.rest.skip = hole - skip - len as u64;
                return Ok(Extent { skip, write: len as u64 });
            }
            skip += len as u64;
        }
        self.rest = Extent::default();
        Ok(Extent { skip, write })
    }
}

impl<I: Iterator<Item = io::Result<Extent>>> Iterator for Proven<'_, I> {
    type Item = io::Result<Extent>;

    /// Fails also when the file ends within a hole: it has become shorter.
    fn next(&mut self) -> Option<io::Result<Extent>> {
        if self.rest == Extent::default() {
            match self.reported.next()? {
                Ok(extent) => self.rest = extent,
                Err(error) => return Some(Err(error)),
            }
        }
        let extent = match self.rest.skip {
            0 => Ok(std::mem::take(&mut self.rest)),
            _ => self.proven(),
        };
        Some(extent.inspect(|extent| self.at += extent.skip + extent.write))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: u64 = PIECE as u64;

    fn proven(file: &File, reported: &[(u64, u64)]) -> Vec<(u64, u64)> {
        let reported = reported.iter().map(|&(skip, write)| Ok(Extent { skip, write }));
        Proven::of(file, reported).map(Result::unwrap).map(|extent| (extent.skip, extent.write)).collect()
    }

    /// A file of so many bytes, zeros but for these.
    fn file(len: u64, nonzero: &[u64]) -> File {
        let file = tempfile::tempfile().unwrap();
        file.set_len(len).unwrap();
        nonzero.iter().for_each(|at| file.write_all_at(&[1], *at).unwrap());
        file
    }

    #[test]
    fn holes_that_are_zeros_stay_what_was_reported() {
        let reported = [(3 * P + 5, 7), (0, 9), (P, 0)];
        assert_eq!(proven(&file(4 * P + 21, &[3 * P + 5]), &reported), reported);
        assert_eq!(proven(&file(0, &[]), &[]), []);
    }

    #[test]
    fn what_has_data_is_data_whatever_was_reported() {
        let wrong = file(5 * P, &[2 * P - 1, 2 * P, 5 * P - 1]);
        assert_eq!(proven(&wrong, &[(5 * P, 0)]), [(P, P), (0, P), (P, P)]);
        let behind = file(P + 20, &[0]);
        assert_eq!(proven(&behind, &[(10, P), (10, 0)]), [(0, 10), (0, P), (10, 0)]);
    }

    #[test]
    fn a_file_that_ends_within_a_hole_is_an_error() {
        let file = file(10, &[]);
        let mut extents = Proven::of(&file, std::iter::once(Ok(Extent { skip: 11, write: 0 })));
        assert_eq!(extents.next().unwrap().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
