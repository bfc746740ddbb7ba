//! What the path takes when its queue is empty.

use std::time::Duration;

/// A least round trip that was not seen again for this long is to be measured anew.
const MEMORY: Duration = Duration::from_secs(5);

/// How long a queue is believed in that others keep: until the next measurements have come.
const CROWD: Duration = Duration::from_secs(15);

/// The least round trip, for as long as it is seen now and then. The model empties its own queue in every cycle,
/// so whoever has the path to himself sees it all the time. Who does not shares a queue, or the path is longer now.
#[derive(Clone, Debug, Default)]
pub struct MinRtt {
    least: Option<Duration>,
    seen: Duration,
    /// The least ever.
    shortest: Option<Duration>,
    /// Until when others are believed to keep a queue.
    crowded_until: Duration,
}

impl MinRtt {
    /// Takes in a round trip of a busy path.
    pub fn add(&mut self, now: Duration, rtt: Duration) {
        if self.least.is_none_or(|least| rtt <= least + tolerance(least)) {
            self.seen = now;
        }
        self.add_idle(rtt);
    }

    /// Takes in a round trip of a path with little to do. Acknowledgements of single packets are held back,
    /// and so only a shorter one says anything.
    pub fn add_idle(&mut self, rtt: Duration) {
        self.least = Some(self.least.map_or(rtt, |least| least.min(rtt)));
        self.shortest = Some(self.shortest.map_or(rtt, |shortest| shortest.min(rtt)));
    }

    /// The least; nothing before the first is seen.
    pub fn get(&self) -> Duration {
        self.least.unwrap_or_default()
    }

    /// Whether it has not been seen for long.
    pub fn is_stale(&self, now: Duration) -> bool {
        now.saturating_sub(self.seen) >= MEMORY
    }

    /// Believes `rtt`, which was measured with little under way, whatever was seen before.
    pub fn replace(&mut self, now: Duration, rtt: Duration) {
        let crowded = self.shortest.is_some_and(|shortest| rtt > shortest.mul_f64(CROWDED) + HOSTS);
        self.crowded_until = if crowded { now + CROWD } else { Duration::ZERO };
        (self.least, self.seen) = (Some(rtt), now);
    }

    /// Whether the last measurement found a queue that is not ours. Whoever measures as we do leaves none then.
    pub fn is_crowded(&self, now: Duration) -> bool {
        now < self.crowded_until
    }
}

/// A measured round trip so much longer than the least ever, and longer than what hosts make of it, has waited.
const CROWDED: f64 = 1.125;

/// What two hosts may add to a round trip.
const HOSTS: Duration = Duration::from_millis(1);

/// A round trip so little longer than the least is the least seen again.
fn tolerance(least: Duration) -> Duration {
    (least / 16).max(Duration::from_micros(200))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_shorter_path_is_believed_at_once() {
        let mut rtt = MinRtt::default();
        rtt.add(ms(0), ms(80));
        rtt.add(ms(1), ms(20));
        assert_eq!(rtt.get(), ms(20));
    }

    #[test]
    fn a_longer_path_is_measured_after_five_seconds() {
        let mut rtt = MinRtt::default();
        rtt.add(ms(1000), ms(20));
        rtt.add(ms(2000), ms(21));
        rtt.add(ms(6900), ms(80));
        assert!(!rtt.is_stale(ms(6900)), "21 ms are 20 ms seen again");
        assert!(rtt.is_stale(ms(7000)));
        rtt.replace(ms(7100), ms(80));
        assert!(!rtt.is_stale(ms(7100)));
        assert_eq!(rtt.get(), ms(80));
    }

    #[test]
    fn a_queue_that_stays_is_somebody_elses() {
        let mut rtt = MinRtt::default();
        rtt.add(ms(0), ms(20));
        rtt.replace(ms(5000), ms(23));
        assert!(!rtt.is_crowded(ms(5000)), "within what hosts do");
        rtt.replace(ms(10_000), ms(30));
        assert!(rtt.is_crowded(ms(24_999)));
        assert!(!rtt.is_crowded(ms(25_000)), "no measurement was needed since");
        rtt.replace(ms(24_000), ms(20));
        assert!(!rtt.is_crowded(ms(24_000)));
    }

    #[test]
    fn idleness_never_makes_a_path_longer() {
        let mut rtt = MinRtt::default();
        rtt.add(ms(0), ms(20));
        rtt.add_idle(ms(45));
        assert_eq!(rtt.get(), ms(20));
        rtt.add_idle(ms(5));
        assert_eq!(rtt.get(), ms(5));
    }
}
