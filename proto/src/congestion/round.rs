//! Round trips: what was delivered and what was lost in each.

use std::time::Duration;

use super::{Ack, Bandwidth};

/// A round takes at least this long. On a path of microseconds, anything shorter measures how the
/// hosts' threads take turns.
pub const SHORTEST: Duration = Duration::from_millis(10);

/// A round in which so many acknowledgements have come has shown its shortest round trip.
const TELLING: u32 = 8;

/// The round trip that is under way.
#[derive(Clone, Debug, Default)]
pub struct Round {
    began: Duration,
    /// When the newest packet was sent that was acknowledged before the round.
    sent_before: Duration,
    /// The same as of now.
    sent: Duration,
    delivered: u64,
    lost: u64,
    marks: u32,
    acks: u32,
    /// When the first and the last of them came.
    heard: (Duration, Duration),
    rtt: Duration,
    supply: Supply,
    supply_before: Supply,
}

/// Whether there always was something to send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Supply {
    /// There was not: what was delivered says what the source gave, not what the path takes.
    Short,
    /// There was.
    #[default]
    Ample,
}

/// What a round trip has shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finished {
    /// How much was delivered over the time that sending or acknowledging it took, the longer of the two:
    /// neither a lump of acknowledgements nor a burst makes a path look faster.
    pub rate: Bandwidth,
    /// Bytes lost.
    pub lost: u64,
    /// Bytes delivered.
    pub delivered: u64,
    /// How often a router said that its queue is too long.
    pub marks: u32,
    /// Whether the source kept up in this round and the one before, in which its packets were sent.
    pub supply: Supply,
}

impl Round {
    /// Counts `ack`. When a packet comes back that was sent in this round, the round is over and the next one
    /// begins.
    pub fn acked(&mut self, ack: &Ack) -> Option<Finished> {
        self.delivered += ack.bytes;
        self.acks += 1;
        self.heard = (if self.acks == 1 { ack.now } else { self.heard.0 }, ack.now);
        self.rtt = if self.acks == 1 { ack.rtt() } else { self.rtt.min(ack.rtt()) };
        self.sent = self.sent.max(ack.sent);
        if ack.supply == Supply::Short {
            self.supply = Supply::Short;
        }
        let over = self.sent >= self.began && ack.now.saturating_sub(self.began) >= SHORTEST;
        over.then(|| self.next(ack.now))
    }

    /// Counts bytes that were lost.
    pub fn lost(&mut self, bytes: u64) {
        self.lost += bytes;
    }

    /// Counts a router's word that its queue is too long.
    pub fn marked(&mut self) {
        self.marks += 1;
    }

    /// The shortest round trip of the round, once that says something.
    pub fn rtt(&self) -> Option<Duration> {
        (self.acks >= TELLING).then_some(self.rtt)
    }

    /// How long acknowledgements have been coming in the round.
    pub fn heard_for(&self) -> Duration {
        self.heard.1 - self.heard.0
    }

    fn next(&mut self, now: Duration) -> Finished {
        let time = (now - self.began).max(self.sent - self.sent_before);
        let supply = if self.supply_before == Supply::Short { Supply::Short } else { self.supply };
        let rate = Bandwidth::new(self.delivered, time);
        let finished = Finished { rate, lost: self.lost, delivered: self.delivered, marks: self.marks, supply };
        *self = Round {
            began: now,
            sent_before: self.sent,
            sent: self.sent,
            supply_before: self.supply,
            ..Round::default()
        };
        finished
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RTT: Duration = Duration::from_millis(50);

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn ack(now: Duration, sent: Duration, bytes: u64) -> Ack {
        Ack { now, sent, bytes, in_flight: 0, supply: Supply::Ample }
    }

    /// Acknowledges 1000 bytes every millisecond, `RTT` after they were sent, and gives the finished rounds.
    fn steady(round: &mut Round, from: u64, to: u64, supply: impl Fn(u64) -> Supply) -> Vec<Finished> {
        let ack = |at| Ack { supply: supply(at), ..ack(ms(at), ms(at) - RTT, 1000) };
        (from..to).filter_map(|at| round.acked(&ack(at))).collect()
    }

    #[test]
    fn a_round_is_a_round_trip_and_shows_its_rate() {
        let mut round = Round::default();
        let finished = steady(&mut round, 50, 1050, |_| Supply::Ample);
        assert_eq!(finished.len(), 20);
        assert_eq!(finished[1].rate, Bandwidth::new(1_000_000, ms(1000)));
        assert_eq!((finished[1].delivered, finished[1].lost), (50_000, 0));
    }

    #[test]
    fn a_lump_of_acknowledgements_is_no_bandwidth() {
        let mut round = Round::default();
        steady(&mut round, 50, 101, |_| Supply::Ample);
        // What was sent in 60 ms is acknowledged in 10.
        let finished = round.acked(&ack(ms(111), ms(110), 60_000)).expect("it was sent in this round");
        assert!(finished.rate <= Bandwidth::new(1_050_000, ms(1000)), "{:?}", finished.rate);
    }

    #[test]
    fn a_short_supply_taints_the_round_and_the_next() {
        let mut round = Round::default();
        let short_at = |at| if at == 160 { Supply::Short } else { Supply::Ample };
        let supplies: Vec<_> = steady(&mut round, 50, 351, short_at).iter().map(|f| f.supply).collect();
        let (ample, short) = (Supply::Ample, Supply::Short);
        assert_eq!(supplies, [ample, ample, ample, short, short, ample, ample]);
    }

    #[test]
    fn nothing_is_shorter_than_ten_milliseconds() {
        let mut round = Round::default();
        let acks = (1..=1000u64).map(|at| ack(ms(at) / 10, ms(at - 1) / 10, 1000));
        assert_eq!(acks.filter_map(|ack| round.acked(&ack)).count(), 10);
    }

    #[test]
    fn losses_are_counted_in_their_round() {
        let mut round = Round::default();
        steady(&mut round, 50, 120, |_| Supply::Ample);
        round.lost(3000);
        let lost: Vec<_> = steady(&mut round, 120, 250, |_| Supply::Ample).iter().map(|f| f.lost).collect();
        assert_eq!(lost, [3000, 0]);
    }

    #[test]
    fn a_few_acknowledgements_say_nothing_of_the_round_trip() {
        let mut round = Round::default();
        steady(&mut round, 50, 51, |_| Supply::Ample);
        steady(&mut round, 51, 58, |_| Supply::Ample);
        assert_eq!(round.rtt(), None);
        steady(&mut round, 58, 59, |_| Supply::Ample);
        assert_eq!(round.rtt(), Some(RTT));
    }
}
