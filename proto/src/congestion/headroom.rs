//! What may be in flight beyond the product of bandwidth and round trip.
//!
//! The product alone is a window for a path whose ends answer at once and evenly. Real ends take turns on
//! processors, and their acknowledgements come in lumps: between two lumps nothing leaves the window, and the
//! path runs dry.

use std::time::Duration;

use super::Bandwidth;
use super::max_filter::MaxFilter;

/// The share of the product that is always added.
const SHARE: f64 = 0.15;

/// What threads and timers of two hosts may keep each other waiting. On paths of less than a millisecond it is
/// nearly the whole window, at ten it is less than what [`SHARE`] gives at fifty.
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
