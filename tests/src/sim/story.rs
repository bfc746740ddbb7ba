//! What a scenario has come to, and what one may want to know of it.

use std::time::Duration;

use xbproto::failure::Party;
use xbproto::lane::LaneId;
use xbproto::session::{Received, Sent};

use super::{Entry, Event, Fate};

/// What a scenario has come to.
#[derive(Clone, Debug)]
pub struct Story {
    /// Everything that happened.
    pub log: Vec<Entry>,
    /// How it ended for the sender.
    pub sent: Sent,
    /// How it ended for the receiver.
    pub received: Received,
}

impl Story {
    /// When something happened first.
    pub fn time_of(&self, event: &Event) -> Option<Duration> {
        self.log.iter().find(|entry| entry.event == *event).map(|entry| entry.at)
    }

    /// How many bytes of a lane are in the sink at the end.
    pub fn written(&self, lane: LaneId) -> u64 {
        let last = self.log.iter().rev().find_map(|entry| match entry.event {
            Event::Written(of, offset) if of == lane => Some(offset),
            _ => None,
        });
        last.unwrap_or(0)
    }

    /// How many bytes of a lane were in the sink at `time`.
    pub fn written_at(&self, lane: LaneId, time: Duration) -> u64 {
        let until = self.log.iter().take_while(|entry| entry.at <= time);
        let offsets = until.filter_map(|entry| match entry.event {
            Event::Written(of, offset) if of == lane => Some(offset),
            _ => None,
        });
        offsets.last().unwrap_or(0)
    }

    /// Every datagram the sender has sent: when, how many bytes, and what became of it.
    pub fn sent_datagrams(&self) -> impl Iterator<Item = (Duration, usize, Fate)> {
        self.log.iter().filter_map(|entry| match entry.event {
            Event::Datagram { from: Party::Sender, len, fate } => Some((entry.at, len, fate)),
            _ => None,
        })
    }

    /// How long the longest datagram of the sender was that got through.
    pub fn longest_arrived(&self) -> usize {
        let arrived = self.sent_datagrams().filter(|(_, _, fate)| fate.arrivals().next().is_some());
        arrived.map(|(_, len, _)| len).max().unwrap_or(0)
    }

    /// How many datagrams of the sender had this fate.
    pub fn count(&self, fate: Fate) -> usize {
        self.sent_datagrams().filter(|(_, _, its)| *its == fate).count()
    }

    /// The most that the sender ever sent beyond `rate` bytes per second from `from` on: what a
    /// bucket would have to hold that drains at the rate.
    pub fn burst(&self, rate: f64, from: Duration) -> f64 {
        let (mut level, mut most, mut before) = (0.0f64, 0.0f64, from);
        for (at, len, _) in self.sent_datagrams().filter(|(at, _, _)| *at >= from) {
            level = (level - (at - before).as_secs_f64() * rate).max(0.0) + len as f64;
            most = most.max(level);
            before = at;
        }
        most
    }
}
