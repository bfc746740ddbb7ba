//! What compression on the wire has come to.

use std::fmt;
use std::ops::RangeInclusive;

use crate::quantity::ByteSize;

/// Blocks before and after compression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compressed {
    /// Bytes of the blocks that links were given, once more after an outage included. What goes again over another link
    /// travels as it is, and does not count.
    pub original: u64,
    /// What travelled of them.
    pub encoded: u64,
    /// From which to which level of zstd most of them were given; none if they were sent as they are.
    pub levels: Option<RangeInclusive<i32>>,
}

impl Compressed {
    /// How many original bytes one that travelled stands for.
    pub fn ratio(&self) -> f64 {
        self.original as f64 / self.encoded.max(1) as f64
    }

    /// The levels in words.
    pub(super) fn effort(&self) -> String {
        match &self.levels {
            None => "stored".to_owned(),
            Some(levels) if levels.start() == levels.end() => format!("level {}", levels.start()),
            Some(levels) => format!("levels {} to {}", levels.start(), levels.end()),
        }
    }
}

impl fmt::Display for Compressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (original, encoded) = (ByteSize(self.original), ByteSize(self.encoded));
        write!(f, "compressed {original} to {encoded} ({:.1}x, {})", self.ratio(), self.effort())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_much_smaller_and_how() {
        let compressed = |encoded, levels| Compressed { original: 1331 << 20, encoded, levels }.to_string();
        assert_eq!(compressed(590 << 20, Some(3..=3)), "compressed 1.3 GiB to 590.0 MiB (2.3x, level 3)");
        assert_eq!(compressed(590 << 20, Some(-1..=9)), "compressed 1.3 GiB to 590.0 MiB (2.3x, levels -1 to 9)");
        assert_eq!(compressed(1331 << 20, None), "compressed 1.3 GiB to 1.3 GiB (1.0x, stored)");
    }
}
