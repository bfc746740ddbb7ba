//! Bytes over time.

use std::time::Duration;

/// A rate in bytes per second; never negative, never infinite.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Bandwidth(f64);

impl Bandwidth {
    /// No bytes at all.
    pub const ZERO: Bandwidth = Bandwidth(0.0);

    /// `bytes` in `time`; [`Bandwidth::ZERO`] if that is no time at all.
    pub fn new(bytes: u64, time: Duration) -> Bandwidth {
        match time.is_zero() {
            true => Bandwidth::ZERO,
            false => Bandwidth(bytes as f64 / time.as_secs_f64()),
        }
    }

    /// How many bytes that is in `time`.
    pub fn over(self, time: Duration) -> u64 {
        (self.0 * time.as_secs_f64()) as u64
    }

    /// `factor` times as much; the factor is not negative.
    pub fn times(self, factor: f64) -> Bandwidth {
        Bandwidth(self.0 * factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back() {
        let time = Duration::from_millis(50);
        assert_eq!(Bandwidth::new(3_125_000, time).over(time), 3_125_000);
        assert_eq!(Bandwidth::new(3_125_000, time).over(time * 2), 6_250_000);
        assert_eq!(Bandwidth::new(1, Duration::ZERO), Bandwidth::ZERO);
    }
}
