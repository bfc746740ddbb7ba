//! What the model is about: a phase is a window, and an event that ends it.

use std::time::Duration;

use super::Ack;

/// Rounds of steady sending between two probes.
const CRUISE: u32 = 6;

/// A larger window is felt one round after it is given, so a probe takes two.
const PROBE: u32 = 2;

/// What is sent after this long without a full window is sent more carefully: much may have changed.
const STALE: Duration = Duration::from_secs(10);

/// The share of the product at which the queue is empty.
pub const DRAINED: f64 = 0.85;

/// The share of the product under way while the round trip is measured.
pub const LITTLE: f64 = 0.5;

/// Where the model is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Phase {
    /// The window grows by what is acknowledged, and so doubles with every round trip, until the path shows that
    /// it is full.
    Startup {
        /// The window in bytes.
        window: u64,
    },
    /// Little is sent until the queue has run empty, which shows how long the path is.
    Drain,
    /// Very little is sent, for everybody who shares the queue to do the same and see the path without it.
    Measure(Measurement),
    /// Steady sending.
    Cruise {
        /// Rounds since it began.
        rounds: u32,
    },
    /// More is sent for two rounds, to see whether more would be delivered.
    Probe {
        /// Rounds since it began.
        rounds: u32,
    },
    /// There is nothing to send. What comes then is sent at the rate that the path last had, and no faster.
    Idle {
        /// Since when.
        since: Duration,
    },
}

/// A measurement of the round trip with little under way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measurement {
    /// Since when there is little.
    since: Option<Duration>,
    /// The least that was seen then.
    least: Option<Duration>,
}

impl Measurement {
    /// Takes in what was acknowledged, with [`LITTLE`] being so many bytes.
    pub fn acked(mut self, ack: &Ack, little: u64) -> Measurement {
        match self.since {
            None if ack.in_flight <= little => self.since = Some(ack.now),
            Some(since) if ack.sent >= since => {
                self.least = Some(self.least.map_or(ack.rtt(), |least| least.min(ack.rtt())));
            }
            _ => {}
        }
        self
    }

    /// The result, after two round trips.
    pub fn result(self, now: Duration) -> Option<Duration> {
        let (since, least) = (self.since?, self.least?);
        (now - since >= 2 * least).then_some(least)
    }
}

/// What may be in flight in a phase.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Allowance {
    /// So many bytes.
    Bytes(u64),
    /// So many products of bandwidth and round trip, without headroom.
    Product(f64),
    /// The same, with headroom.
    WithHeadroom(f64),
}

impl Phase {
    /// What may be in flight now.
    pub fn allowance(self, now: Duration) -> Allowance {
        match self {
            Phase::Startup { window } => Allowance::Bytes(window),
            Phase::Drain => Allowance::Product(DRAINED),
            Phase::Measure(_) => Allowance::Product(LITTLE),
            Phase::Cruise { .. } => Allowance::WithHeadroom(1.0),
            Phase::Probe { .. } => Allowance::WithHeadroom(1.25),
            // Pacing is a quarter faster than the window: 0.8 gives the bandwidth.
            Phase::Idle { since } if now.saturating_sub(since) < STALE => Allowance::WithHeadroom(0.8),
            Phase::Idle { .. } => Allowance::WithHeadroom(0.4),
        }
    }

    /// A round is over in which the path was busy; `gained` says whether it has shown a higher bandwidth.
    pub fn round(self, gained: bool) -> Phase {
        match self {
            Phase::Startup { .. } | Phase::Drain | Phase::Measure(_) => self,
            Phase::Idle { .. } => Phase::Cruise { rounds: 0 },
            Phase::Cruise { rounds } if rounds + 1 < CRUISE => Phase::Cruise { rounds: rounds + 1 },
            Phase::Cruise { .. } => Phase::Probe { rounds: 0 },
            Phase::Probe { rounds } if rounds + 1 < PROBE => Phase::Probe { rounds: rounds + 1 },
            // There may be more still.
            Phase::Probe { .. } if gained => Phase::Probe { rounds: 0 },
            Phase::Probe { .. } => Phase::Drain,
        }
    }
}
