//! What may be in flight beyond the product of bandwidth and round trip.
//!
//! The product alone is a window for a path whose ends answer at once and evenly. Real ends take turns on
//! processors, and their acknowledgements come in lumps: between two lumps nothing leaves the window, and the
//! path runs dry.

use std::time::Duration;

use super::Bandwidth;
use super::max_filter::MaxFilter;

/// The share of the product that is always added.
const SHARE: f64 = 0.2;

/// What threads and timers of two hosts may keep each other waiting. On paths of less than a millisecond it is
/// nearly the whole window; at twenty it is what [`SHARE`] gives anyway.
const HOSTS: Duration = Duration::from_millis(4);

/// Acknowledgements that come in larger lumps are waited for.
const LARGEST_LUMP: Duration = Duration::from_millis(20);

/// How many rounds a lump is remembered.
const MEMORY: u64 = 10;

/// Measures the lumps.
#[derive(Clone, Debug)]
pub struct Headroom {
    lumps: MaxFilter<u64>,
    /// When the present stretch began, in which more has come than the bandwidth explains.
    since: Duration,
    acked: u64,
}

impl Default for Headroom {
    fn default() -> Headroom {
        Headroom { lumps: MaxFilter::new(MEMORY), since: Duration::ZERO, acked: 0 }
    }
}

impl Headroom {
    /// `bytes` were acknowledged at once at `now`, in `round`, on a path of `bandwidth`.
    pub fn acked(&mut self, now: Duration, round: u64, bytes: u64, bandwidth: Bandwidth) {
        let expected = bandwidth.over(now.saturating_sub(self.since));
        if self.acked <= expected {
            (self.since, self.acked) = (now, 0);
        }
        self.acked += bytes;
        let expected = bandwidth.over(now.saturating_sub(self.since));
        self.lumps.add(round, self.acked.saturating_sub(expected));
    }

    /// How many bytes to add to the product of `bandwidth` and `rtt`.
    pub fn bytes(&self, bandwidth: Bandwidth, rtt: Duration) -> u64 {
        let lump = self.lumps.max().unwrap_or(0).min(bandwidth.over(LARGEST_LUMP));
        bandwidth.over(rtt.mul_f64(SHARE).max(HOSTS)).max(lump)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// 1 MB/s: a thousand bytes in a millisecond.
    fn bandwidth() -> Bandwidth {
        Bandwidth::new(1_000_000, ms(1000))
    }

    #[test]
    fn short_paths_have_room_for_the_hosts_and_long_ones_a_share() {
        let headroom = Headroom::default();
        assert_eq!(headroom.bytes(bandwidth(), Duration::from_micros(100)), 4000);
        assert_eq!(headroom.bytes(bandwidth(), ms(100)), 20_000);
    }

    #[test]
    fn acknowledgements_that_come_evenly_need_nothing() {
        let mut headroom = Headroom::default();
        for at in 0..1000 {
            headroom.acked(ms(at), at / 10, 1000, bandwidth());
        }
        assert_eq!(headroom.bytes(bandwidth(), Duration::ZERO), 4000);
    }

    #[test]
    fn lumps_are_made_room_for_and_forgotten() {
        let mut headroom = Headroom::default();
        for lump in 0..10 {
            headroom.acked(ms(lump * 12), lump, 12_000, bandwidth());
        }
        assert_eq!(headroom.bytes(bandwidth(), ms(1)), 12_000);
        for at in 120..400 {
            headroom.acked(ms(at), at / 10, 1000, bandwidth());
        }
        assert_eq!(headroom.bytes(bandwidth(), ms(1)), 4000);
    }

    #[test]
    fn a_lump_of_a_whole_stall_is_not_believed() {
        let mut headroom = Headroom::default();
        headroom.acked(ms(1000), 1, 1_000_000, bandwidth());
        assert_eq!(headroom.bytes(bandwidth(), ms(1)), 20_000);
    }
}
