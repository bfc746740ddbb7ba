//! The least round-trip time of the last seconds: what the path takes when its queue is empty.

use std::time::Duration;

/// A minimum counts in the half of the filter's memory it was seen in, and in the one after.
const HALF: Duration = Duration::from_secs(5);

/// The least round trip of the last five to ten seconds, so that a path that has become longer is believed
/// within ten. The model empties the queue now and then, or the queue would come to pass for the path.
#[derive(Clone, Debug, Default)]
pub struct MinRtt {
    before: Option<Duration>,
    current: Option<Duration>,
    /// When the current half began.
    since: Duration,
}

impl MinRtt {
    /// Takes in a round trip of a busy path.
    pub fn add(&mut self, now: Duration, rtt: Duration) {
        if now.saturating_sub(self.since) >= HALF {
            self.before = self.current.take();
            self.since = now;
        }
        self.current = Some(self.current.map_or(rtt, |least| least.min(rtt)));
    }

    /// Takes in a round trip of a path with little to do. Acknowledgements of single packets are held back,
    /// and so only a shorter one says anything.
    pub fn add_idle(&mut self, rtt: Duration) {
        if self.get().is_none_or(|least| rtt < least) {
            self.current = Some(rtt);
        }
    }

    /// The least, if anything was seen.
    pub fn get(&self) -> Option<Duration> {
        self.before.into_iter().chain(self.current).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_longer_path_is_believed_within_ten_seconds() {
        let mut filter = MinRtt::default();
        for at in (0..6000).step_by(10) {
            filter.add(ms(at), ms(20));
        }
        for at in (6000..16_000).step_by(10) {
            filter.add(ms(at), ms(80));
            assert!(at > 10_000 || filter.get() == Some(ms(20)), "not at once, at {at} ms");
        }
        assert_eq!(filter.get(), Some(ms(80)));
    }

    #[test]
    fn a_shorter_path_is_believed_at_once() {
        let mut filter = MinRtt::default();
        filter.add(ms(0), ms(80));
        filter.add(ms(1), ms(20));
        assert_eq!(filter.get(), Some(ms(20)));
    }

    #[test]
    fn idleness_never_makes_a_path_longer() {
        let mut filter = MinRtt::default();
        filter.add(ms(0), ms(20));
        for minute in 1..60 {
            filter.add_idle(ms(45));
            filter.add(ms(minute * 60_000), ms(21));
            assert!(filter.get().unwrap() <= ms(21));
        }
        filter.add_idle(ms(5));
        assert_eq!(filter.get(), Some(ms(5)));
    }
}
