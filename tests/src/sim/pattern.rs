//! The bytes of a lane: made up, but always the same.

use xbproto::lane::LaneId;

use super::Rng;

/// A prime, so that nothing that moves in powers of two comes to the same bytes.
const PERIOD: usize = 65_521;

/// The endless content of a lane; how much of it there is, its source says.
#[derive(Clone, Debug)]
pub struct Pattern(Vec<u8>);

impl Pattern {
    /// The content of a lane in the simulation of `seed`.
    pub fn new(seed: u64, lane: LaneId) -> Pattern {
        let mut rng = Rng::new(seed, 1 << 32 | u64::from(lane.0));
        let mut bytes: Vec<u8> = (0..PERIOD.div_ceil(8)).flat_map(|_| rng.number().to_be_bytes()).collect();
        bytes.truncate(PERIOD);
        Pattern(bytes)
    }

    /// Some of the bytes from `offset` on: at least one, at most `most`.
    pub fn at(&self, offset: u64, most: usize) -> &[u8] {
        let rest = &self.0[(offset % PERIOD as u64) as usize..];
        &rest[..rest.len().min(most)]
    }

    /// Whether `bytes` are those from `offset` on.
    pub fn holds(&self, mut offset: u64, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            let expected = self.at(offset, bytes.len());
            let (head, rest) = bytes.split_at(expected.len());
            if head != expected {
                return false;
            }
            offset += head.len() as u64;
            bytes = rest;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_in_the_wrong_place_is_seen() {
        let pattern = Pattern::new(1, LaneId(0));
        let mut bytes = Vec::new();
        while bytes.len() < 200_000 {
            bytes.extend_from_slice(pattern.at(5 + bytes.len() as u64, 10_000));
        }
        assert!(pattern.holds(5, &bytes));
        assert!(!pattern.holds(6, &bytes));
        assert!(!Pattern::new(1, LaneId(1)).holds(5, &bytes));
        bytes[150_000] ^= 1;
        assert!(!pattern.holds(5, &bytes));
    }
}
