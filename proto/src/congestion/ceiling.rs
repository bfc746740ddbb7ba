//! What heavy loss, or a router's word, takes away.
//!
//! Some loss is chance, and a window made smaller does not mend it. More than a few percent means a queue that
//! overflows: somebody else fills it, or the path has become slower than it was in the rounds remembered.

use super::round::Finished;

/// Loss up to here is taken for chance.
const CHANCE: f64 = 0.05;

/// Fewer bytes say nothing of a share of lost ones: in about two hundred packets, one percent is not five by chance.
const TELLING: u64 = 256 << 10;

/// What is left of the flight in which too much was lost.
const LESS: f64 = 0.85;

/// A bound grows by this part of itself in a round without heavy loss.
const BACK: u64 = 16;

/// An upper bound of what may be in flight, while there is reason for one.
#[derive(Clone, Debug, Default)]
pub struct Ceiling {
    bytes: Option<u64>,
    lost: u64,
    delivered: u64,
}

impl Ceiling {
    /// The bound in bytes.
    pub fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// A round is over in which at most `flight` bytes were under way; `product` is what it has shown that the path
    /// holds without a queue, and no bound is lower. Returns whether too much was lost.
    pub fn round(&mut self, round: &Finished, flight: u64, product: u64) -> bool {
        self.lost += round.lost;
        self.delivered += round.delivered;
        if self.lost + self.delivered < TELLING && round.marks == 0 {
            return false;
        }
        let heavy = round.marks > 0 || self.lost as f64 > CHANCE * (self.lost + self.delivered) as f64;
        (self.lost, self.delivered) = (0, 0);
        match (heavy, self.bytes) {
            (true, _) => self.bytes = Some(self.lowered(flight).max(product)),
            // A flight that was much smaller has not shown that more would fit.
            (false, Some(bytes)) if flight >= bytes / 2 => self.bytes = Some(bytes + bytes / BACK),
            (false, _) => {}
        }
        heavy
    }

    /// Nothing would be larger than `window` anyway.
    pub fn lift_above(&mut self, window: u64) {
        self.bytes = self.bytes.filter(|bytes| *bytes < window);
    }

    fn lowered(&self, flight: u64) -> u64 {
        let flight = self.bytes.map_or(flight, |bytes| bytes.min(flight));
        (flight as f64 * LESS) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::congestion::Bandwidth;
    use crate::congestion::round::Supply;

    const FLIGHT: u64 = 1_000_000;

    fn round(lost: u64) -> Finished {
        Finished { rate: Bandwidth::ZERO, lost, delivered: FLIGHT - lost, marks: 0, supply: Supply::Ample }
    }

    #[test]
    fn chance_takes_nothing() {
        let mut ceiling = Ceiling::default();
        assert!((0..100).all(|_| !ceiling.round(&round(40_000), FLIGHT, 0)));
        assert_eq!(ceiling.bytes(), None);
    }

    #[test]
    fn heavy_loss_lowers_the_flight_round_by_round_down_to_what_the_path_holds() {
        let mut ceiling = Ceiling::default();
        let heavy = round(100_000);
        assert!(ceiling.round(&heavy, FLIGHT, 600_000));
        assert_eq!(ceiling.bytes(), Some(850_000));
        assert!(ceiling.round(&heavy, 850_000, 600_000));
        assert_eq!(ceiling.bytes(), Some(722_500));
        assert!((0..10).all(|_| ceiling.round(&heavy, 700_000, 600_000)));
        assert_eq!(ceiling.bytes(), Some(600_000));
    }

    #[test]
    fn it_comes_back_when_it_was_reached_and_little_was_lost() {
        let mut ceiling = Ceiling::default();
        ceiling.round(&round(100_000), FLIGHT, 0);
        ceiling.round(&round(0), 100_000, 0);
        assert_eq!(ceiling.bytes(), Some(850_000), "such a small flight shows nothing");
        ceiling.round(&round(0), 850_000, 0);
        assert_eq!(ceiling.bytes(), Some(903_125));
        ceiling.lift_above(900_000);
        assert_eq!(ceiling.bytes(), None);
    }

    #[test]
    fn a_routers_word_is_enough() {
        let mut ceiling = Ceiling::default();
        assert!(ceiling.round(&Finished { marks: 1, ..round(0) }, FLIGHT, 0));
        assert_eq!(ceiling.bytes(), Some(850_000));
    }

    #[test]
    fn a_few_packets_are_counted_until_they_say_something() {
        let mut ceiling = Ceiling::default();
        let small = Finished { lost: 1500, delivered: 3000, ..round(0) };
        let heavy = (0..60).filter(|_| ceiling.round(&small, 4500, 0)).count();
        assert_eq!(heavy, 1);
    }
}
