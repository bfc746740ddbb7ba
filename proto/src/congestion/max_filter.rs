//! The most of the last rounds.

use std::collections::VecDeque;

/// The largest value seen in the last `rounds` rounds.
#[derive(Clone, Debug)]
pub struct MaxFilter<T> {
    rounds: u64,
    /// Only what no later value exceeds: rounds rise and values fall.
    candidates: VecDeque<(u64, T)>,
}

impl<T: Copy + PartialOrd> MaxFilter<T> {
    /// Has seen nothing.
    pub fn new(rounds: u64) -> MaxFilter<T> {
        MaxFilter { rounds, candidates: VecDeque::new() }
    }

    /// Takes in a value of `round`, which does not lie before that of an earlier call.
    pub fn add(&mut self, round: u64, value: T) {
        while self.candidates.back().is_some_and(|(_, last)| *last <= value) {
            self.candidates.pop_back();
        }
        self.candidates.push_back((round, value));
        while self.candidates.front().is_some_and(|(first, _)| first + self.rounds <= round) {
            self.candidates.pop_front();
        }
    }

    /// The largest, if anything was seen.
    pub fn max(&self) -> Option<T> {
        self.candidates.front().map(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_of_the_last_rounds() {
        let mut filter = MaxFilter::new(3);
        assert_eq!(filter.max(), None);
        let seen = [5, 3, 4, 1, 1, 9, 2].into_iter().zip(0..).map(|(value, round)| {
            filter.add(round, value);
            filter.max().unwrap()
        });
        assert_eq!(seen.collect::<Vec<_>>(), [5, 5, 5, 4, 4, 9, 9]);
    }

    #[test]
    fn a_round_has_many_values() {
        let mut filter = MaxFilter::new(2);
        for value in [1, 7, 3] {
            filter.add(0, value);
        }
        filter.add(1, 2);
        assert_eq!(filter.max(), Some(7));
        filter.add(2, 1);
        assert_eq!(filter.max(), Some(2));
    }
}
