//! Acknowledgements and losses in, a window out.

use std::time::Duration;

use super::Bandwidth;
use super::ceiling::Ceiling;
use super::headroom::Headroom;
use super::max_filter::MaxFilter;
use super::min_rtt::MinRtt;
use super::phase::{Allowance, DRAINED, LITTLE, Measurement, Phase};
use super::round::{Finished, Round, SHORTEST, Supply};
use super::startup::Plateau;

/// How many rounds a delivery rate is remembered: a cycle of the phases.
const MEMORY: u64 = 10;

/// The first window in packets.
const FIRST_WINDOW: u64 = 32;

/// The least window in packets.
const LEAST_WINDOW: u64 = 4;

/// A probe that has shown this much more has gained.
const GAIN: f64 = 1.1;

/// The share of the product that is added where others keep a queue, or they would take the path. They are measured
/// with half of our own flight there: with a window of `g` products we come to `2 - 2/g` of the path, which is
/// about half of it.
const AMONG_OTHERS: f64 = 0.15;

/// A path that is so much longer is another one.
const LONGER: f64 = 1.5;

/// Packets that were acknowledged together.
#[derive(Clone, Copy, Debug)]
pub struct Ack {
    /// When that was heard.
    pub now: Duration,
    /// When the newest of them was sent.
    pub sent: Duration,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes still under way.
    pub in_flight: u64,
    /// Whether there was more to send.
    pub supply: Supply,
}

impl Ack {
    /// The round trip of the newest packet.
    pub fn rtt(&self) -> Duration {
        self.now.saturating_sub(self.sent)
    }

    /// Bytes that were under way until then.
    fn flight(&self) -> u64 {
        self.in_flight + self.bytes
    }
}

/// What is known of a path, and how much may be under way on it.
#[derive(Clone, Debug)]
pub struct Model {
    mtu: u16,
    phase: Phase,
    round: Round,
    /// Rounds whose rate was remembered.
    rounds: u64,
    rates: MaxFilter<Bandwidth>,
    rtt: MinRtt,
    headroom: Headroom,
    ceiling: Ceiling,
    plateau: Plateau,
    /// The most that was in flight in the present round.
    flight: u64,
    window: u64,
}

impl Model {
    /// Of a path nothing is known of but that it carries datagrams of `mtu` bytes.
    pub fn new(mtu: u16) -> Model {
        Model::beginning_with(0, mtu)
    }

    /// The same, if it may as well begin with a larger window than usual, of `window` bytes.
    pub fn beginning_with(window: u64, mtu: u16) -> Model {
        let window = window.max(FIRST_WINDOW * u64::from(mtu));
        Model {
            mtu,
            phase: Phase::Startup { window },
            round: Round::default(),
            rounds: 0,
            rates: MaxFilter::new(MEMORY),
            rtt: MinRtt::default(),
            headroom: Headroom::default(),
            ceiling: Ceiling::default(),
            plateau: Plateau::default(),
            flight: 0,
            window,
        }
    }

    /// How many bytes may be in flight.
    pub fn window(&self) -> u64 {
        self.window
    }

    /// The highest delivery rate of the last rounds.
    pub fn bandwidth(&self) -> Bandwidth {
        self.rates.max().unwrap_or_default()
    }

    /// The path carries datagrams of this length now.
    pub fn set_mtu(&mut self, mtu: u16) {
        self.mtu = mtu;
    }

    /// Packets were acknowledged.
    pub fn acked(&mut self, ack: &Ack) {
        self.flight = self.flight.max(ack.flight());
        match ack.supply {
            Supply::Ample => self.rtt.add(ack.now, ack.rtt()),
            Supply::Short => self.rtt.add_idle(ack.rtt()),
        }
        self.headroom.acked(ack.now, self.rounds, ack.bytes, self.bandwidth());
        if let Some(finished) = self.round.acked(ack) {
            self.finish(&finished);
        }
        self.phase = self.moved(ack);
        self.window = self.allowed(ack.now);
    }

    /// Packets were lost.
    pub fn lost(&mut self, bytes: u64) {
        self.round.lost(bytes);
    }

    /// A router has marked packets instead of dropping them (ECN).
    pub fn marked(&mut self) {
        self.round.marked();
    }

    /// Nothing gets through any more: the path is not what it was.
    pub fn collapsed(&mut self) {
        *self = Model::new(self.mtu);
    }

    /// Learns from a round that is over.
    fn finish(&mut self, round: &Finished) {
        let before = self.bandwidth();
        if round.supply == Supply::Ample {
            self.rounds += 1;
            self.rates.add(self.rounds, round.rate);
        } else if round.rate > before {
            // The path takes at least what the source has given.
            self.rates.add(self.rounds, round.rate);
        }
        let product = round.rate.over(self.rtt.get());
        let heavy = self.ceiling.round(round, self.flight, product);
        self.flight = 0;
        if round.supply == Supply::Ample {
            self.plateau.round(round.rate);
            self.phase = match self.phase {
                Phase::Probe { .. } if !heavy && round.rate >= before.times(GAIN) => self.gained(),
                phase => phase.round(),
            };
        }
        if heavy {
            self.plateau.loss();
        }
    }

    /// The phase after `ack`.
    fn moved(&mut self, ack: &Ack) -> Phase {
        match self.phase {
            Phase::Startup { .. } if self.plateau.reached() || self.has_queue() => Phase::Drain,
            // A window that limits nothing need not grow. Pacing and busy hosts leave much of a growing one unused.
            Phase::Startup { window } if ack.supply == Supply::Ample && ack.flight() >= window / 4 => {
                Phase::Startup { window: window + ack.bytes / 2 }
            }
            Phase::Drain if ack.in_flight <= self.few(DRAINED) => Phase::Cruise { rounds: 0 },
            Phase::Measure(measurement) => self.measured(ack, measurement.acked(ack, self.few(LITTLE))),
            Phase::Cruise { .. } | Phase::Probe { .. } if is_idle(ack) => Phase::Idle { since: ack.now },
            Phase::Cruise { .. } | Phase::Probe { .. } if self.rtt.is_stale(ack.now) => {
                Phase::Measure(Measurement::default())
            }
            phase => phase,
        }
    }

    fn measured(&mut self, ack: &Ack, measurement: Measurement) -> Phase {
        let Some(rtt) = measurement.result(ack.now) else { return Phase::Measure(measurement) };
        let longer = rtt > self.rtt.get().mul_f64(LONGER);
        self.rtt.replace(ack.now, rtt);
        if !longer {
            return Phase::Cruise { rounds: 0 };
        }
        // With a window for the shorter path, little was delivered, and for so long that nothing else is known.
        self.growing_again()
    }

    /// The phase after a probe has gained: startup has ended too early, or there is more room now.
    fn gained(&mut self) -> Phase {
        // Where a round is many round trips, a window that grows in each goes far before the next rate is known.
        match self.rtt.get() < SHORTEST {
            true => Phase::Probe { rounds: 0 },
            false => self.growing_again(),
        }
    }

    fn growing_again(&mut self) -> Phase {
        self.plateau = Plateau::default();
        Phase::Startup { window: self.window }
    }

    /// Whether every packet of the round has waited in a queue that was not there before. They have to come late for
    /// a while: a host that was busy with something else hears of many packets late, but of all at once.
    fn has_queue(&self) -> bool {
        let least = self.rtt.get();
        let waited = self.round.rtt().map_or(Duration::ZERO, |rtt| rtt.saturating_sub(least));
        waited > (least / 8).max(Duration::from_millis(4)) && self.round.heard_for() >= waited
    }

    /// What is under way when the window is this share of the product, which cannot be fewer than a few packets.
    fn few(&self, share: f64) -> u64 {
        self.product(share).max(self.least_window())
    }

    fn least_window(&self) -> u64 {
        LEAST_WINDOW * u64::from(self.mtu)
    }

    /// A share of what the path holds without a queue, in bytes.
    fn product(&self, share: f64) -> u64 {
        self.bandwidth().times(share).over(self.rtt.get())
    }

    fn allowed(&mut self, now: Duration) -> u64 {
        let headroom = self.headroom.bytes(self.bandwidth(), self.rtt.get());
        let crowd = if self.rtt.is_crowded(now) { AMONG_OTHERS } else { 0.0 };
        let window = match self.phase.allowance(now) {
            Allowance::Bytes(bytes) => bytes,
            Allowance::Product(share) => self.product(share),
            Allowance::WithHeadroom(share) => self.product(share + crowd) + headroom,
        };
        self.ceiling.lift_above(self.product(1.0 + crowd) + headroom);
        let bound = self.ceiling.bytes().unwrap_or(u64::MAX);
        window.min(bound).max(self.least_window())
    }
}

/// Whether nearly nothing is under way because there is nothing to send.
fn is_idle(ack: &Ack) -> bool {
    ack.supply == Supply::Short && ack.in_flight <= ack.bytes
}

#[cfg(test)]
mod tests;
