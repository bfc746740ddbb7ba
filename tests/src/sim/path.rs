//! One direction of the network: what becomes of a datagram.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::bottleneck::{Bottleneck, Queue};
use super::{BlackHole, Blackout, Delay, Detour, Rng};

/// What a path is like. The default loses nothing and takes no time.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    /// How long it takes.
    pub delay: Delay,
    /// The probability of a datagram being lost.
    pub loss: f64,
    /// The probability of a datagram arriving twice.
    pub duplication: f64,
    /// Its rate and queue, if they matter.
    pub bottleneck: Option<Bottleneck>,
    /// Whether long datagrams are swallowed.
    pub black_hole: Option<BlackHole>,
    /// When nothing passes.
    pub blackouts: Vec<Blackout>,
    /// Whether the route becomes another one.
    pub detour: Option<Detour>,
}

impl Conditions {
    /// How long a datagram that leaves the bottleneck at `now` takes.
    fn delay(&self, now: Duration) -> Delay {
        self.detour.filter(|detour| now >= detour.from).map_or(self.delay, |detour| detour.delay)
    }
}

/// What becomes of a datagram. Times are from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    Arrives(Duration),
    /// It arrives, and once more.
    ArrivesTwice(Duration, Duration),
    /// It was in a [`Blackout`].
    Dark,
    /// It fell into a [`BlackHole`].
    TooLong,
    /// The queue of the [`Bottleneck`] was full.
    Dropped,
    /// It was lost by chance.
    Lost,
}

impl Fate {
    /// When it arrives, if it does, and how often.
    pub fn arrivals(self) -> impl Iterator<Item = Duration> {
        let (once, again) = match self {
            Fate::Arrives(once) => (Some(once), None),
            Fate::ArrivesTwice(once, again) => (Some(once), Some(again)),
            Fate::Dark | Fate::TooLong | Fate::Dropped | Fate::Lost => (None, None),
        };
        once.into_iter().chain(again)
    }
}

/// A path in use.
#[derive(Debug)]
pub struct Path {
    conditions: Conditions,
    queue: Option<Arc<Mutex<Queue>>>,
    rng: Rng,
}

impl Path {
    /// A path on which nothing is yet.
    pub fn new(conditions: Conditions, rng: Rng) -> Path {
        let queue = conditions.bottleneck.map(|bottleneck| Arc::new(Mutex::new(Queue::new(bottleneck))));
        Path { conditions, queue, rng }
    }

    /// A path with conditions of its own that leads through the bottleneck of `other`.
    pub fn beside(other: &Path, conditions: Conditions, rng: Rng) -> Path {
        Path { conditions, queue: other.queue.clone(), rng }
    }

    /// Decides about a datagram of `len` bytes sent at `now`.
    pub fn send(&mut self, now: Duration, len: usize) -> Fate {
        let Path { conditions, queue, rng } = self;
        if conditions.blackouts.iter().any(|blackout| blackout.covers(now)) {
            return Fate::Dark;
        }
        if conditions.black_hole.is_some_and(|hole| hole.swallows(now, len)) {
            return Fate::TooLong;
        }
        let leaves = match queue {
            Some(queue) => match queue.lock().unwrap_or_else(PoisonError::into_inner).pass(now, len) {
                Some(leaves) => leaves,
                None => return Fate::Dropped,
            },
            None => now,
        };
        if rng.chance(conditions.loss) {
            return Fate::Lost;
        }
        let delay = conditions.delay(leaves);
        let arrives = leaves + delay.draw(rng);
        match rng.chance(conditions.duplication) {
            true => Fate::ArrivesTwice(arrives, leaves + delay.draw(rng)),
            false => Fate::Arrives(arrives),
        }
    }
}
