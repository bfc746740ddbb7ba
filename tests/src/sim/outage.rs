//! Times at which a path carries less than it did, or nothing.

use std::time::Duration;

/// From a moment on, long datagrams are swallowed and nobody is told: a route that has changed,
/// with a firewall that drops the messages about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlackHole {
    /// Since when, from the start.
    pub from: Duration,
    /// The longest datagram that still passes, in bytes of UDP payload.
    pub longest: usize,
}

impl BlackHole {
    /// Whether it swallows a datagram of `len` bytes sent at `now`.
    pub fn swallows(&self, now: Duration, len: usize) -> bool {
        now >= self.from && len > self.longest
    }
}

/// A time in which nothing passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blackout {
    /// When it begins, from the start.
    pub from: Duration,
    /// How long it lasts.
    pub lasts: Duration,
}

impl Blackout {
    /// From a moment on, for ever.
    pub fn from(from: Duration) -> Blackout {
        Blackout { from, lasts: Duration::MAX }
    }

    /// Whether it is dark at `now`.
    pub fn covers(&self, now: Duration) -> bool {
        now >= self.from && now < self.from.saturating_add(self.lasts)
    }
}
