//! What compression has come to.

use std::ops::RangeInclusive;

use xbproto::cli::Compressed;

use super::Effort;

/// Bytes that were handed to the links.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    original: u64,
    encoded: u64,
    /// The original bytes by what they were given, in its order.
    levels: Vec<(Effort, u64)>,
}

/// What a level must have had of all bytes to be spoken of: one part of so many.
const NOTABLE: u64 = 20;

impl Tally {
    /// Counts a block of `original` bytes that travels as `encoded` ones.
    pub(super) fn count(&mut self, effort: Effort, original: u64, encoded: u64) {
        self.original += original;
        self.encoded += encoded;
        match self.levels.binary_search_by_key(&effort, |(level, _)| *level) {
            Ok(index) => self.levels[index].1 += original,
            Err(index) => self.levels.insert(index, (effort, original)),
        }
    }

    /// For the report.
    pub(super) fn compressed(&self) -> Compressed {
        Compressed { original: self.original, encoded: self.encoded, levels: self.levels() }
    }

    /// The levels that are worth speaking of.
    fn levels(&self) -> Option<RangeInclusive<i32>> {
        let notable = self.levels.iter().filter(|(_, bytes)| bytes * NOTABLE >= self.original);
        let mut levels = notable.filter_map(|(effort, _)| match effort {
            Effort::Zstd(level) => Some(*level),
            Effort::Stored => None,
        });
        let lowest = levels.next()?;
        Some(lowest..=levels.next_back().unwrap_or(lowest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_that_had_little_are_not_spoken_of() {
        let mut tally = Tally::default();
        assert_eq!(tally.compressed().levels, None);
        tally.count(Effort::Stored, 1000, 1000);
        assert_eq!(tally.compressed().levels, None);
        tally.count(Effort::Zstd(3), 1000, 400);
        tally.count(Effort::Zstd(1), 1000, 500);
        tally.count(Effort::Zstd(12), 100, 30);
        assert_eq!(tally.compressed(), Compressed { original: 3100, encoded: 1930, levels: Some(1..=3) });
    }
}
