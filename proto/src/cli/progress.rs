//! Where a transfer stands, told regularly while it runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::event::{Event, Snapshot};
use super::reporter::Reporter;
use crate::meter::{Bottleneck, Gauge, GaugeSample, Meter, bottleneck};
use crate::quantity::Span;
use crate::wire::Waiting;

/// How often it is told; faces that want less leave some out.
const TICK: Duration = Duration::from_millis(500);

/// How often it is told that nothing moves.
const MINUTE: Duration = Duration::from_secs(60);

/// What a side knows of its transfer at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Bytes that have arrived for good.
    pub bytes: u64,
    /// How many of them had arrived before this program began, and so say nothing of its rate.
    pub before: u64,
    /// Bytes there will be, if that is known.
    pub total: Option<u64>,
    /// What the other side says it waits for.
    pub peer: Waiting,
    /// Whether there is a link to it.
    pub linked: bool,
}

/// Follows one transfer from now on.
#[derive(Debug)]
pub struct Progress {
    gauge: Arc<Gauge>,
    reporter: Reporter,
    meter: Meter,
    last: GaugeSample,
    begun: Instant,
    stillness: Stillness,
    latest: Latest,
}

/// The last thing that was told of a transfer, for whoever asks in between.
#[derive(Clone, Debug, Default)]
pub struct Latest(Arc<Mutex<Option<Snapshot>>>);

impl Latest {
    /// It, once there is one.
    pub fn snapshot(&self) -> Option<Snapshot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, snapshot: &Snapshot) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(snapshot.clone());
    }
}

impl Progress {
    /// Begins to follow the transfer whose workers count in `gauge`.
    pub fn new(gauge: Arc<Gauge>, reporter: Reporter, latest: Latest) -> Progress {
        Progress {
            last: gauge.sample(),
            gauge,
            reporter,
            meter: Meter::default(),
            begun: Instant::now(),
            stillness: Stillness::default(),
            latest,
        }
    }

    /// Since when it is followed.
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Tells how it goes, until dropped. `standing` is asked at every tick, and told what this side
    /// waits for, so that it can tell the other.
    pub async fn follow(&mut self, mut standing: impl FnMut(Waiting) -> Standing) {
        loop {
            sleep(TICK).await;
            let sample = self.gauge.sample();
            let own = bottleneck(&self.last, &sample);
            self.last = sample;
            let standing = standing(waiting(own));
            let now = self.begun.elapsed();
            let reading = self.meter.sample(standing.bytes - standing.before, now);
            let bottleneck = slowest(own, standing.peer);
            if let Some(still) = self.stillness.lasts(standing.bytes, now).filter(|_| standing.linked) {
                self.reporter.tell(Event::Notice(quiet(still, bottleneck)));
            }
            let snapshot = Snapshot {
                bytes: standing.bytes,
                total: standing.total,
                now: reading.now,
                average: reading.average,
                eta: standing.total.and_then(|total| self.meter.eta(total.saturating_sub(standing.before))),
                file: self.gauge.file().map(|file| file.to_string()),
                bottleneck,
                note: note(&standing),
            };
            self.latest.set(&snapshot);
            self.reporter.tell(Event::Progress(snapshot));
        }
    }
}

/// What is special about a transfer at the moment.
fn note(standing: &Standing) -> Option<String> {
    match standing.peer {
        _ if !standing.linked => Some("no link at the moment".to_owned()),
        Waiting::Syncing => Some("receiver is syncing".to_owned()),
        _ => None,
    }
}

/// That nothing moves, though nothing is wrong.
fn quiet(still: Duration, bottleneck: Option<Bottleneck>) -> String {
    let whom = bottleneck.map_or_else(String::new, |whom| format!(", waiting for the {}", whom.word()));
    format!("nothing has moved for {}{whom}; the other side is alive", Span(still))
}

/// Notices that no bytes move, once a minute.
#[derive(Debug, Default)]
struct Stillness {
    bytes: u64,
    since: Duration,
    told: Duration,
}

impl Stillness {
    /// For how long nothing has moved at `now`, a time since the start, if it is time to say so again.
    fn lasts(&mut self, bytes: u64, now: Duration) -> Option<Duration> {
        if bytes != self.bytes {
            *self = Stillness { bytes, since: now, told: now };
        }
        if now.saturating_sub(self.told) < MINUTE {
            return None;
        }
        self.told = now;
        Some(now - self.since)
    }
}

/// What this side tells the other that it waits for. The network is between both and known to both.
fn waiting(own: Option<Bottleneck>) -> Waiting {
    match own {
        Some(Bottleneck::Source) => Waiting::Source,
        Some(Bottleneck::Limiter) => Waiting::Limiter,
        Some(Bottleneck::Disk) => Waiting::Disk,
        Some(Bottleneck::Network) | None => Waiting::Nothing,
    }
}

/// Who is the slowest of all. Who waits for the network waits for whatever the peer waits for.
fn slowest(own: Option<Bottleneck>, peer: Waiting) -> Option<Bottleneck> {
    match (own, peer) {
        (Some(Bottleneck::Network) | None, Waiting::Disk | Waiting::Syncing) => Some(Bottleneck::Disk),
        (Some(Bottleneck::Network) | None, Waiting::Source) => Some(Bottleneck::Source),
        (Some(Bottleneck::Network) | None, Waiting::Limiter) => Some(Bottleneck::Limiter),
        _ => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standstill_is_told_once_a_minute_and_how_long_it_lasts() {
        let (mut stillness, second) = (Stillness::default(), Duration::from_secs(1));
        let told: Vec<_> =
            (1..=200).filter_map(|n| stillness.lasts(if n < 30 { n } else { 29 }, second * n as u32)).collect();
        assert_eq!(told, [second * 60, second * 120]);
        assert_eq!(stillness.lasts(30, second * 201), None);
    }

    #[test]
    fn waiting_for_the_network_is_waiting_for_what_the_peer_waits_for() {
        assert_eq!(slowest(Some(Bottleneck::Network), Waiting::Disk), Some(Bottleneck::Disk));
        assert_eq!(slowest(None, Waiting::Source), Some(Bottleneck::Source));
        assert_eq!(slowest(Some(Bottleneck::Limiter), Waiting::Disk), Some(Bottleneck::Limiter));
        assert_eq!(slowest(Some(Bottleneck::Network), Waiting::Nothing), Some(Bottleneck::Network));
    }
}
