//! How long a datagram is on its way.

use std::time::Duration;

use super::Rng;

/// The time one way takes. With jitter, datagrams overtake each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delay {
    /// What it takes at least.
    pub least: Duration,
    /// What it may take beyond that, each datagram for itself.
    pub jitter: Duration,
}

impl Delay {
    /// The same for every datagram.
    pub fn steady(least: Duration) -> Delay {
        Delay { least, jitter: Duration::ZERO }
    }

    /// The time of one datagram.
    pub fn draw(&self, rng: &mut Rng) -> Duration {
        self.least + rng.up_to(self.jitter)
    }
}

/// From a moment on, the way is another one, and takes another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detour {
    /// Since when, from the start.
    pub from: Duration,
    /// How long a datagram takes then.
    pub delay: Delay,
}
