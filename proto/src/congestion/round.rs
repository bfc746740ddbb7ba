//! Round trips: what was delivered and what was lost in each.

use std::time::Duration;

use super::{Ack, Bandwidth};

/// A round takes at least this long. On a path of microseconds, anything shorter measures how the
/// hosts' threads take turns.
const SHORTEST: Duration = Duration::from_millis(10);

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
    acks: u32,
    rtt: Duration,
    busy: Supply,
    busy_before: Supply,
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
    /// Whether the source kept up in this round and the one before, in which its packets were sent.
    pub supply: Supply,
}

impl Round {
    /// Counts `ack`. When a packet comes back that was sent in this round, the round is over and the next one
    /// begins.
    pub fn acked(&mut self, ack: &Ack) -> Option<Finished> {
        self.delivered += ack.bytes;
        self.acks += 1;
        self.rtt = if self.acks == 1 { ack.rtt() } else { self.rtt.min(ack.rtt()) };
        self.sent = self.sent.max(ack.sent);
        if ack.supply == Supply::Short {
            self.busy = Supply::Short;
        }
        let over = self.sent >= self.began && ack.now.saturating_sub(self.began) >= SHORTEST;
        over.then(|| self.next(ack.now))
    }

    /// Counts bytes that were lost.
    pub fn lost(&mut self, bytes: u64) {
        self.lost += bytes;
    }

    /// The shortest round trip of the round, once that says something.
    pub fn rtt(&self) -> Option<Duration> {
        (self.acks >= TELLING).then_some(self.rtt)
    }

    fn next(&mut self, now: Duration) -> Finished {
        let time = (now - self.began).max(self.sent - self.sent_before);
        let supply = if self.busy_before == Supply::Short { Supply::Short } else { self.busy };
        let rate = Bandwidth::new(self.delivered, time);
        let finished = Finished { rate, lost: self.lost, delivered: self.delivered, supply };
        *self =
            Round { began: now, sent_before: self.sent, sent: self.sent, busy_before: self.busy, ..Round::default() };
        finished
    }
}
