//! When the first growth is over.

use super::Bandwidth;

/// A round in which the path has delivered this much more shows that there is room.
const GROWTH: f64 = 1.25;

/// So many rounds without growth, and the path is full.
const ROUNDS: u32 = 3;

/// Watches delivery rates until they stop growing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plateau {
    best: Bandwidth,
    rounds: u32,
}

impl Plateau {
    /// A round with a source that kept up has delivered at `rate`.
    pub fn round(&mut self, rate: Bandwidth) {
        if rate >= self.best.times(GROWTH) {
            (self.best, self.rounds) = (rate, 0);
        } else {
            self.rounds += 1;
        }
    }

    /// So much was lost that growth would only be waste.
    pub fn loss(&mut self) {
        self.rounds = ROUNDS;
    }

    /// Whether the path is full.
    pub fn reached(&self) -> bool {
        self.rounds >= ROUNDS
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// After how many of these rates the path is full.
    fn full_after(rates: &[u64]) -> Option<usize> {
        let mut plateau = Plateau::default();
        rates.iter().position(|rate| {
            plateau.round(Bandwidth::new(*rate, Duration::from_secs(1)));
            plateau.reached()
        })
    }

    #[test]
    fn three_rounds_without_growth() {
        assert_eq!(full_after(&[10, 20, 40, 41, 40, 42, 42]), Some(5));
    }

    #[test]
    fn growth_begins_the_count_again() {
        assert_eq!(full_after(&[10, 12, 14, 17, 20, 24]), None, "a quarter in two rounds is growth");
        assert_eq!(full_after(&[10, 10, 10, 13, 13, 13, 13]), Some(6));
    }

    #[test]
    fn heavy_loss_is_enough() {
        let mut plateau = Plateau::default();
        plateau.loss();
        assert!(plateau.reached());
    }
}
