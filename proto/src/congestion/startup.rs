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
