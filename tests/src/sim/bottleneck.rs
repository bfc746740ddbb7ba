//! The slowest link of a path, with a queue before it that drops what does not fit.

use std::time::Duration;

/// A rate and a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bottleneck {
    /// What passes, in bytes per second.
    pub rate: u64,
    /// What may wait, in bytes.
    pub queue: u64,
}

/// A bottleneck in use.
#[derive(Debug)]
pub struct Queue {
    bottleneck: Bottleneck,
    /// When everything that waits will have passed.
    empty_at: Duration,
}

impl Queue {
    /// An empty queue.
    pub fn new(bottleneck: Bottleneck) -> Queue {
        Queue { bottleneck, empty_at: Duration::ZERO }
    }

    /// When a datagram of `len` bytes that comes at `now` has passed; `None` if it is dropped.
    pub fn pass(&mut self, now: Duration, len: usize) -> Option<Duration> {
        let begins = self.empty_at.max(now);
        let waiting = (begins - now).as_nanos() * u128::from(self.bottleneck.rate) / NANOS;
        if waiting + len as u128 > u128::from(self.bottleneck.queue) {
            return None;
        }
        let takes = len as u128 * NANOS / u128::from(self.bottleneck.rate);
        self.empty_at = begins + Duration::from_nanos(takes as u64);
        Some(self.empty_at)
    }
}

const NANOS: u128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_at_once_leaves_at_the_rate_and_the_tail_is_dropped() {
        let mut queue = Queue::new(Bottleneck { rate: 1000, queue: 250 });
        let at = |ms| Some(Duration::from_millis(ms));
        assert_eq!(queue.pass(Duration::ZERO, 100), at(100));
        assert_eq!(queue.pass(Duration::ZERO, 100), at(200));
        assert_eq!(queue.pass(Duration::ZERO, 100), None);
        assert_eq!(queue.pass(Duration::from_millis(50), 100), at(300));
        assert_eq!(queue.pass(Duration::from_secs(1), 100), at(1100));
    }
}
