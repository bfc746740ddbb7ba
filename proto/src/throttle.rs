//! The rate limit: a token bucket of 0.1 s over tokio's clock.
//!
//! governor counts whole cells that return at a whole number of nanoseconds each. A cell of a few
//! bytes would be rounded: 16 bytes at 10 GiB/s take 1.49 ns and would be given 1. Here **a cell is
//! one nanosecond of the limit's time**: bytes are paid for with the nanoseconds they take at the
//! rate, and the part of a nanosecond that is left over is carried to the next payment. No rate is
//! rounded, and no error grows with time.
//!
//! governor's rate is fixed, so another rate is another bucket. It **begins empty**: whoever changes the rate again and again
//! gains no burst by it. Whoever waits at the old one goes over to it at once.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use crate::quantity::Rate;
use crate::shared::Shared;

/// What the bucket holds, and so the longest burst, in time at the limit's rate.
pub const BUCKET: Duration = Duration::from_millis(100);

/// The parts of a bucket a caller may ask for at once. With a quarter, a timer that fires up to
/// 75 ms late finds its credit still in the bucket, and the rate is kept.
const SLICES: u64 = 4;

/// The least a connection can hold unsent and still move, in bytes: two large datagrams' worth.
const MIN_SEND_WINDOW: u64 = 16 << 10;

/// Lets bytes pass at a limited rate. Shared by reference; whoever waits is served in order.
#[derive(Debug)]
pub struct Throttle(Shared<Option<Arc<Limit>>>);

#[derive(Debug)]
struct Limit {
    rate: Rate,
    bucket: RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Nanos>>,
    /// What was asked for and not yet paid, in byte-nanoseconds: always less than a nanosecond's
    /// worth. The lock is held while waiting, which makes the queue of the waiters fair.
    unpaid: Mutex<u128>,
}

impl Throttle {
    /// A limiter whose bucket is full; `None` limits nothing. Call it within the runtime whose
    /// clock it is to follow.
    pub fn new(rate: Option<Rate>) -> Throttle {
        Throttle(Shared::new(rate.map(|rate| Arc::new(Limit::new(rate)))))
    }

    /// How many bytes may be asked for at once: callers cut their writes to it, for what passes
    /// at once is a burst on the wire. A quarter of the bucket; without a limit, any number.
    pub fn slice(&self) -> usize {
        self.0.look(|limit| limit.as_ref().map_or(usize::MAX, |limit| limit.slice()))
    }

    /// Limits to another rate from now on, for those who wait already too; `None` lets them pass.
    pub fn set(&self, rate: Option<Rate>) {
        if self.0.look(|limit| limit.as_ref().map(|limit| limit.rate)) != rate {
            self.0.change(|limit| *limit = rate.map(|rate| Arc::new(Limit::empty(rate))));
        }
    }

    /// Waits until `bytes` may go to QUIC. What is more than [`Throttle::slice`] is waited for
    /// slice by slice. Dropping the future gives up only the slices already waited for.
    pub async fn admit(&self, bytes: usize) {
        let mut left = bytes;
        while left > 0 {
            let Some(limit) = self.0.look(Option::clone) else { return };
            let slice = left.min(limit.slice());
            tokio::select! {
                biased;
                () = self.replaced(&limit) => {}
                () = limit.admit(slice) => left -= slice,
            }
        }
    }

    /// Waits until `limit` is not the one that holds.
    async fn replaced(&self, limit: &Arc<Limit>) {
        let is_old = |now: &mut Option<Arc<Limit>>| !now.as_ref().is_some_and(|now| Arc::ptr_eq(now, limit));
        self.0.when(|now| is_old(now).then_some(())).await;
    }
}

/// How many bytes a connection may hold unsent or unacknowledged, so that a stall of the network
/// leaves no burst behind it: what the bucket and two round trips take at the rate.
pub fn send_window(rate: Rate, rtt: Duration) -> u64 {
    let time = rtt.saturating_mul(2).saturating_add(BUCKET).as_nanos();
    let bytes = u128::from(rate.bytes_per_second()).saturating_mul(time) / NANOS_PER_SECOND;
    u64::try_from(bytes).unwrap_or(u64::MAX).max(MIN_SEND_WINDOW)
}

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// [`BUCKET`] in governor's cells of a nanosecond.
const BUCKET_CELLS: NonZeroU32 = NonZeroU32::new(BUCKET.as_nanos() as u32).expect("a bucket is not empty");

impl Limit {
    fn new(rate: Rate) -> Limit {
        // A thousand million cells a second: one each nanosecond.
        const CELLS_PER_SECOND: NonZeroU32 = NonZeroU32::new(NANOS_PER_SECOND as u32).expect("not zero");
        let quota = Quota::per_second(CELLS_PER_SECOND).allow_burst(BUCKET_CELLS);
        let bucket = RateLimiter::direct_with_clock(quota, TokioClock { origin: Instant::now() });
        Limit { rate, bucket, unpaid: Mutex::new(0) }
    }

    /// One whose bucket has yet to fill.
    fn empty(rate: Rate) -> Limit {
        let limit = Limit::new(rate);
        // Never refused: a full bucket holds as much.
        let _ = limit.bucket.check_n(BUCKET_CELLS);
        limit
    }

    /// A quarter of the bucket, in bytes.
    fn slice(&self) -> usize {
        let bytes = u128::from(self.rate.bytes_per_second()) * BUCKET.as_nanos() / NANOS_PER_SECOND;
        usize::try_from(bytes / u128::from(SLICES)).unwrap_or(usize::MAX)
    }

    /// Waits for at most a bucket's worth of bytes.
    async fn admit(&self, bytes: usize) {
        let mut unpaid = self.unpaid.lock().await;
        let rate = u128::from(self.rate.bytes_per_second());
        let due = bytes as u128 * NANOS_PER_SECOND + *unpaid;
        let cells = u32::try_from(due / rate).unwrap_or(u32::MAX).min(BUCKET_CELLS.get());
        if let Some(cells) = NonZeroU32::new(cells) {
            // The outer error says that the bucket can never hold so much: the line above sees to that.
            while let Ok(Err(not_yet)) = self.bucket.check_n(cells) {
                sleep(not_yet.wait_time_from(self.bucket.clock().now())).await;
            }
        }
        *unpaid = due % rate;
    }
}

/// governor's view of tokio's clock, so that paused time limits as real time does.
#[derive(Clone, Copy, Debug)]
struct TokioClock {
    origin: Instant,
}

impl Clock for TokioClock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.origin.elapsed().into()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    const RATES: [u64; 4] = [10 << 10, 10 << 20, 10 << 30, 1_234_577];

    fn rate(bytes_per_second: u64) -> Rate {
        Rate::new(bytes_per_second).expect("a rate")
    }

    fn throttle(bytes_per_second: u64) -> Throttle {
        Throttle::new(Some(rate(bytes_per_second)))
    }

    fn bucket(rate: u64) -> u64 {
        rate / 10
    }

    /// Asks for `ask` bytes at a time until `time` has passed, and returns all that were admitted.
    async fn admitted_within(throttle: &Throttle, ask: usize, time: Duration) -> u64 {
        let start = Instant::now();
        let mut bytes = 0;
        loop {
            throttle.admit(ask).await;
            if start.elapsed() > time {
                return bytes;
            }
            bytes += ask as u64;
        }
    }

    async fn assert_keeps_rate(rate: u64, ask: usize, time: Duration) {
        let bytes = admitted_within(&throttle(rate), ask, time).await;
        let (expected, burst) = (rate * time.as_secs(), bucket(rate) + 1);
        assert!(bytes <= expected + burst, "{rate} B/s: {bytes} of {expected} in {time:?}");
        assert!(bytes as f64 >= expected as f64 * 0.999, "{rate} B/s: {bytes} of {expected} in {time:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn every_rate_is_kept_over_hours() {
        for rate in RATES {
            assert_keeps_rate(rate, throttle(rate).slice(), Duration::from_secs(3600)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_is_kept_over_days() {
        let (rate, time) = (10 << 20, Duration::from_secs(2 * 86_400));
        let limit = Limit::new(self::rate(rate));
        // Most of a bucket at a time, which saves the test most of its steps.
        let (ask, start, mut bytes) = (bucket(rate) * 9 / 10, Instant::now(), 0);
        while start.elapsed() < time {
            limit.admit(ask as usize).await;
            bytes += ask;
        }
        let expected = rate * time.as_secs();
        assert!(bytes.abs_diff(expected) <= expected / 1000, "{bytes} of {expected}");
    }

    #[tokio::test(start_paused = true)]
    async fn odd_sizes_never_add_up_to_an_error() {
        assert_keeps_rate(10 << 30, 1_000_003, Duration::from_secs(60)).await;
        assert_keeps_rate(10 << 20, 1201, Duration::from_secs(60)).await;
        assert_keeps_rate(10 << 10, 7, Duration::from_secs(600)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_hour_gives_no_more_than_a_bucket() {
        for rate in RATES {
            let throttle = throttle(rate);
            throttle.admit(throttle.slice()).await;
            sleep(Duration::from_secs(3600)).await;
            let ask = (throttle.slice() / 64).max(1);
            let burst = admitted_within(&throttle, ask, Duration::ZERO).await;
            assert!(burst <= bucket(rate) + 1, "{rate} B/s: {burst} at once");
            assert!(burst + 2 * ask as u64 >= bucket(rate), "{rate} B/s: only {burst} at once");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_interval_exceeds_the_bucket_and_the_rate() {
        let rate = 10 << 20;
        let throttle = throttle(rate);
        let start = Instant::now();
        let mut admitted = Vec::new();
        for turn in 0_u64..600 {
            sleep(Duration::from_millis(turn * 7919 % 61)).await;
            let ask = (turn as usize * 6_700_417) % throttle.slice();
            throttle.admit(ask).await;
            admitted.push((start.elapsed(), ask as u64));
        }
        for (first, (from, _)) in admitted.iter().enumerate() {
            let mut bytes = 0;
            for (until, ask) in &admitted[first..] {
                bytes += ask;
                let allowed = bucket(rate) + 1 + (rate as f64 * (*until - *from).as_secs_f64()).ceil() as u64;
                assert!(bytes <= allowed, "{bytes} bytes from {from:?} to {until:?}, allowed {allowed}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waiters_share_one_limit() {
        let throttle = throttle(10 << 20);
        let start = Instant::now();
        let second = 10 << 19;
        tokio::join!(throttle.admit(second), throttle.admit(second));
        let took = start.elapsed();
        assert!((Duration::from_millis(900)..Duration::from_millis(910)).contains(&took), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn giving_up_costs_nothing() {
        let throttle = throttle(10 << 10);
        throttle.admit(1024).await;
        let start = Instant::now();
        for _ in 0..10 {
            let gave_up = tokio::time::timeout(Duration::from_millis(1), throttle.admit(256)).await;
            assert!(gave_up.is_err());
        }
        throttle.admit(256).await;
        assert!(start.elapsed() <= Duration::from_millis(27), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nothing_waits() {
        let throttle = Throttle::new(None);
        let start = Instant::now();
        throttle.admit(throttle.slice()).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    const MIB: u64 = 1 << 20;

    /// Admits pieces for ever, and adds up what was admitted.
    async fn pass(throttle: &Throttle, piece: usize, passed: &AtomicU64) {
        loop {
            throttle.admit(piece).await;
            passed.fetch_add(piece as u64, Ordering::Relaxed);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn ten_changes_are_met_to_the_byte_within_a_bucket_each() {
        let rates = [10, 1, 50, 2, 30, 3, 100, 1, 10, 5].map(|mib| mib * MIB);
        let (throttle, passed, piece) = (throttle(4 * MIB), AtomicU64::new(0), 4096);
        let changes = async {
            sleep(Duration::from_secs(1)).await;
            for rate in rates {
                let before = passed.load(Ordering::Relaxed);
                throttle.set(Some(self::rate(rate)));
                sleep(Duration::from_secs(1)).await;
                let second = passed.load(Ordering::Relaxed) - before;
                // A waiter may have begun a piece, and one that ends at the next tick of the timer has not ended yet.
                assert!(second <= rate + piece as u64, "{second} bytes in a second at {rate}");
                assert!(second + bucket(rate) / 20 + piece as u64 >= rate, "{second} bytes in a second at {rate}");
            }
        };
        tokio::select! {
            () = changes => {}
            () = pass(&throttle, piece, &passed) => {}
            () = pass(&throttle, piece, &passed) => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_hours_goes_on_at_the_new_rate() {
        let throttle = throttle(1024);
        let start = Instant::now();
        let raised = async {
            sleep(Duration::from_secs(1)).await;
            throttle.set(Some(rate(10 * MIB)));
        };
        tokio::join!(throttle.admit(10 << 20), throttle.admit(10 << 20), raised);
        let took = start.elapsed();
        assert!((Duration::from_millis(2990)..Duration::from_millis(3010)).contains(&took), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_goes_lets_everybody_pass_at_once() {
        let throttle = throttle(1024);
        let start = Instant::now();
        let removed = async {
            sleep(Duration::from_secs(1)).await;
            throttle.set(None);
        };
        tokio::join!(throttle.admit(10 << 20), throttle.admit(10 << 20), removed);
        assert_eq!(start.elapsed(), Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn changing_it_again_and_again_gains_nothing() {
        let (throttle, passed) = (throttle(MIB), AtomicU64::new(0));
        let changes = async {
            for turn in 0..1000 {
                throttle.set(Some(rate(MIB + turn % 2)));
                sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            () = changes => {}
            () = pass(&throttle, 256, &passed) => {}
        }
        let passed = passed.into_inner();
        assert!(passed <= 10 * MIB + bucket(MIB) + 10, "{passed} bytes in ten seconds");
        assert!(passed >= 7 * MIB, "a new limit does not stand still: {passed} bytes in ten seconds");
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_limit_again_changes_nothing() {
        let throttle = throttle(10 * MIB);
        throttle.set(Some(rate(10 * MIB)));
        let start = Instant::now();
        throttle.admit(MIB as usize).await;
        assert_eq!(start.elapsed(), Duration::ZERO, "the bucket was full, and is still");
    }

    #[test]
    fn the_slowest_rate_still_has_a_slice() {
        assert_eq!(Limit::new(Rate::MIN).slice(), 25);
    }

    #[test]
    fn the_send_window_follows_rate_and_round_trip() {
        let window = |rtt| send_window(rate(10 << 20), Duration::from_millis(rtt));
        assert_eq!(window(0), 1 << 20);
        assert_eq!(window(50), 2 << 20);
        assert_eq!(send_window(Rate::MIN, Duration::ZERO), 16 << 10);
        assert_eq!(send_window(rate(u64::MAX), Duration::MAX), u64::MAX);
    }
}
