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
    /// The window grows by half of what is acknowledged, and so to one and a half in every round trip, until the path
    /// shows that it is full. Doubling would drop more where the queue is short.
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

    /// A round is over in which the path was busy, and has shown nothing new.
    pub fn round(self) -> Phase {
        match self {
            Phase::Startup { .. } | Phase::Drain | Phase::Measure(_) => self,
            Phase::Idle { .. } => Phase::Cruise { rounds: 0 },
            Phase::Cruise { rounds } if rounds + 1 < CRUISE => Phase::Cruise { rounds: rounds + 1 },
            Phase::Cruise { .. } => Phase::Probe { rounds: 0 },
            Phase::Probe { rounds } if rounds + 1 < PROBE => Phase::Probe { rounds: rounds + 1 },
            Phase::Probe { .. } => Phase::Drain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::congestion::round::Supply;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn it_breathes() {
        let mut phase = Phase::Cruise { rounds: 0 };
        let mut rounds = 0;
        while phase != Phase::Drain {
            phase = phase.round();
            rounds += 1;
        }
        assert_eq!(rounds, 8);
    }

    #[test]
    fn what_comes_after_idleness_is_sent_carefully() {
        let idle = Phase::Idle { since: ms(1000) };
        assert_eq!(idle.allowance(ms(2000)), Allowance::WithHeadroom(0.8));
        assert_eq!(idle.allowance(ms(61_000)), Allowance::WithHeadroom(0.4));
        assert_eq!(idle.round(), Phase::Cruise { rounds: 0 });
    }

    #[test]
    fn only_packets_sent_into_a_short_queue_measure() {
        let ack =
            |now, sent, in_flight| Ack { now: ms(now), sent: ms(sent), bytes: 1, in_flight, supply: Supply::Ample };
        let measurement = Measurement::default().acked(&ack(100, 10, 90), 50).acked(&ack(120, 40, 50), 50);
        assert_eq!(measurement.acked(&ack(130, 60, 50), 50).result(ms(400)), None, "sent before");
        let measurement = measurement.acked(&ack(170, 120, 50), 50).acked(&ack(190, 145, 50), 50);
        assert_eq!(measurement.result(ms(209)), None, "two round trips");
        assert_eq!(measurement.result(ms(210)), Some(ms(45)));
    }
}
