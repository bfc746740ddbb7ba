//! How fast, how long still, and who is being waited for. Bytes and time come in as arguments.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The rate "now" is the rate over this long.
const WINDOW: Duration = Duration::from_secs(5);

/// Samples closer than this to their predecessor replace it, which bounds the meter's memory.
const GRAIN: Duration = Duration::from_millis(100);

/// What a [`Meter`] reads at one moment. Rates are in bytes per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Over the last five seconds.
    pub now: u64,
    /// Since the start.
    pub average: u64,
}

/// Rates and remaining time from a growing count of bytes.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    /// The oldest is the last one that lies a window or more back, or the start.
    samples: VecDeque<Sample>,
    reading: Reading,
    bytes: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    at: Duration,
    bytes: u64,
}

impl Meter {
    /// Takes in that `bytes` have moved in all at `now`, a time since the start, and gives the
    /// rates. Neither argument may shrink; one that does reads as a standstill.
    pub fn sample(&mut self, bytes: u64, now: Duration) -> Reading {
        if self.samples.is_empty() {
            self.samples.push_back(Sample::default());
        }
        let (newest, before) = (self.samples.len() - 1, self.samples.len().checked_sub(2));
        if before.is_some_and(|before| now.saturating_sub(self.samples[before].at) < GRAIN) {
            self.samples.remove(newest);
        }
        self.samples.push_back(Sample { at: now, bytes });
        while self.samples.get(1).is_some_and(|second| now.saturating_sub(second.at) >= WINDOW) {
            self.samples.pop_front();
        }
        let since = self.samples.front().copied().unwrap_or_default();
        self.bytes = bytes;
        self.reading = Reading {
            now: per_second(bytes.saturating_sub(since.bytes), now.saturating_sub(since.at)),
            average: per_second(bytes, now),
        };
        self.reading
    }

    /// How long until `total` bytes have moved, at the rate of the last sample; `None` while
    /// nothing moves, or when more has moved than the total says.
    pub fn eta(&self, total: u64) -> Option<Duration> {
        let left = total.checked_sub(self.bytes)?;
        match self.reading.now {
            0 if left > 0 => None,
            0 => Some(Duration::ZERO),
            rate => Some(Duration::from_secs(left.div_ceil(rate))),
        }
    }
}

/// `bytes` over `time` in bytes per second, rounded down; 0 over no time.
fn per_second(bytes: u64, time: Duration) -> u64 {
    let rate = (u128::from(bytes) * 1_000_000_000).checked_div(time.as_nanos()).unwrap_or(0);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// Whom the workers of a side wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bottleneck {
    /// The backup tool, file or pipe the bytes come from.
    Source,
    /// The rate limit.
    Limiter,
    /// The network, or the far side's flow control.
    Network,
    /// The disk or consumer the bytes go to.
    Disk,
}

impl Bottleneck {
    /// All of them, in the order the bytes pass them; a draw goes to the first.
    const ALL: [Bottleneck; 4] = [Bottleneck::Source, Bottleneck::Limiter, Bottleneck::Network, Bottleneck::Disk];
}

/// Counters the workers of one session update and the display reads. Shared by reference.
#[derive(Debug, Default)]
pub struct Gauge {
    bytes: AtomicU64,
    /// Nanoseconds, by [`Bottleneck`].
    waited: [AtomicU64; 4],
    file: Mutex<Option<Arc<str>>>,
}

impl Gauge {
    /// Counts bytes that have moved.
    pub fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Adds time a worker has spent waiting for `whom`.
    pub fn add_wait(&self, whom: Bottleneck, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.waited[whom as usize].fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Names the file passing by.
    pub fn set_file(&self, name: &str) {
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::from(name));
    }

    /// The file passing by, if one was named.
    pub fn file(&self) -> Option<Arc<str>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The counters as they are now.
    pub fn sample(&self) -> GaugeSample {
        GaugeSample {
            bytes: self.bytes.load(Ordering::Relaxed),
            waited: std::array::from_fn(|whom| self.waited[whom].load(Ordering::Relaxed)),
        }
    }
}

/// A [`Gauge`] at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GaugeSample {
    /// Bytes moved since the start.
    pub bytes: u64,
    waited: [u64; 4],
}

/// How long was waited for whom.
#[derive(Clone, Copy, Debug, Default)]
pub struct Waits([Duration; 4]);

impl Waits {
    /// What was counted between two samples.
    pub fn between(before: &GaugeSample, now: &GaugeSample) -> Waits {
        let waited = |whom: usize| Duration::from_nanos(now.waited[whom].saturating_sub(before.waited[whom]));
        Waits(std::array::from_fn(waited))
    }

    /// So long for `whom`, and for nobody else.
    pub fn only(whom: Bottleneck, time: Duration) -> Waits {
        Waits::default().and(whom, time)
    }

    /// So long for `whom` as well.
    pub fn and(mut self, whom: Bottleneck, time: Duration) -> Waits {
        self.0[whom as usize] += time;
        self
    }

    /// How long for `whom`.
    pub fn of(&self, whom: Bottleneck) -> Duration {
        self.0[whom as usize]
    }

    /// Who of all was waited for longest; a draw goes to the first, in the order the bytes pass them. `None` if nobody was
    /// waited for.
    pub fn longest(&self) -> Option<Bottleneck> {
        self.longest_of(&Bottleneck::ALL)
    }

    /// The same for some of them.
    pub fn longest_of(&self, some: &[Bottleneck]) -> Option<Bottleneck> {
        some.iter().copied().rev().filter(|whom| !self.of(*whom).is_zero()).max_by_key(|whom| self.of(*whom))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_rate_now_forgets_what_is_older_than_the_window() {
        let mut meter = Meter::default();
        for second in 1..=10 {
            assert_eq!(meter.sample(second * 1000, seconds(second)), Reading { now: 1000, average: 1000 });
        }
        assert_eq!(meter.sample(10_000, seconds(12)).now, 600);
        assert_eq!(meter.sample(10_000, seconds(15)), Reading { now: 0, average: 666 });
    }

    #[test]
    fn frequent_samples_take_no_memory_and_lose_no_bytes() {
        let mut meter = Meter::default();
        for millisecond in 1..=60_000 {
            meter.sample(millisecond * 50, Duration::from_millis(millisecond));
        }
        assert!(meter.samples.len() <= 53, "{} samples kept", meter.samples.len());
        assert_eq!(meter.reading, Reading { now: 50_000, average: 50_000 });
    }

    #[test]
    fn no_time_and_no_bytes_divide_nothing() {
        assert_eq!(Meter::default().sample(5, Duration::ZERO), Reading::default());
        assert_eq!(Meter::default().sample(0, seconds(3)), Reading::default());
    }

    #[test]
    fn the_remaining_time_follows_the_rate_now() {
        let mut meter = Meter::default();
        assert_eq!(meter.eta(100), None);
        meter.sample(1000, seconds(1));
        assert_eq!(meter.eta(11_000), Some(seconds(10)));
        assert_eq!(meter.eta(1001), Some(seconds(1)));
        assert_eq!(meter.eta(1000), Some(Duration::ZERO));
        assert_eq!(meter.eta(999), None);
    }

    #[test]
    fn whoever_was_waited_for_most_since_is_found() {
        let gauge = Gauge::default();
        let start = gauge.sample();
        assert_eq!(Waits::between(&start, &gauge.sample()).longest(), None);
        gauge.add_wait(Bottleneck::Disk, seconds(2));
        gauge.add_wait(Bottleneck::Source, seconds(1));
        let middle = gauge.sample();
        let waits = Waits::between(&start, &middle);
        assert_eq!((waits.longest(), waits.of(Bottleneck::Disk)), (Some(Bottleneck::Disk), seconds(2)));
        gauge.add_wait(Bottleneck::Limiter, seconds(1));
        gauge.add_wait(Bottleneck::Network, seconds(1));
        let waits = Waits::between(&middle, &gauge.sample());
        assert_eq!((waits.longest(), waits.of(Bottleneck::Limiter)), (Some(Bottleneck::Limiter), seconds(1)));
    }

    #[test]
    fn the_gauge_counts_bytes_and_names_the_file() {
        let gauge = Gauge::default();
        assert_eq!(gauge.file(), None);
        gauge.add_bytes(3);
        gauge.add_bytes(4);
        gauge.set_file("shop/orders.ibd");
        assert_eq!(gauge.sample().bytes, 7);
        assert_eq!(gauge.file().as_deref(), Some("shop/orders.ibd"));
    }
}
