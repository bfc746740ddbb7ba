//! Where a transfer stands, told regularly while it runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::course::{Course, Outgoing};
use super::event::{Event, Snapshot};
use super::reporter::Reporter;
use super::setting::Setting;
use crate::limit::{Evidence, Limit, Tally, limit, own_limit};
use crate::meter::{Gauge, GaugeSample, Meter, Waits};
use crate::quantity::Span;
use crate::session::RateLimit;
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
    /// The rate limit that binds, if there is one.
    pub rate_limit: Option<RateLimit>,
    /// How what this side sends is under way; nothing for a receiver.
    pub outgoing: Option<Outgoing>,
}

/// Follows one transfer from now on.
#[derive(Debug)]
pub struct Progress {
    gauge: Arc<Gauge>,
    reporter: Reporter,
    meter: Meter,
    last: Looked,
    begun: Instant,
    stillness: Stillness,
    course: Course,
    tally: Tally,
    latest: Latest,
}

/// What there was at the last look.
#[derive(Debug)]
struct Looked {
    at: Duration,
    sample: GaugeSample,
    bytes: u64,
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
            last: Looked { at: Duration::ZERO, sample: gauge.sample(), bytes: 0 },
            gauge,
            reporter,
            meter: Meter::default(),
            begun: Instant::now(),
            stillness: Stillness::default(),
            course: Course::default(),
            tally: Tally::default(),
            latest,
        }
    }

    /// Since when it is followed.
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Tells how it goes, until dropped. `standing` is asked at every tick. What this side waits for is given to `tell`, so
    /// that the other side learns of it.
    pub async fn follow(&mut self, mut standing: impl FnMut() -> Standing, mut tell: impl FnMut(Waiting)) {
        loop {
            sleep(TICK).await;
            let (standing, now) = (standing(), self.begun.elapsed());
            let evidence = self.evidence(&standing, now);
            tell(own_limit(&evidence).map_or(Waiting::Nothing, Limit::waiting));
            let limit = limit(&evidence, standing.peer).filter(|_| standing.linked);
            self.tally.add(limit, &evidence);
            if let Some(still) = self.stillness.lasts(standing.bytes, now).filter(|_| standing.linked) {
                self.reporter.tell(Event::Notice(quiet(still, limit, self.reporter.setting())));
            }
            let snapshot = self.snapshot(&standing, limit, now);
            self.latest.set(&snapshot);
            self.reporter.tell(Event::Progress(snapshot));
        }
    }

    /// What has happened since the last look.
    fn evidence(&mut self, standing: &Standing, now: Duration) -> Evidence {
        let looked = Looked { at: now, sample: self.gauge.sample(), bytes: standing.bytes };
        let before = std::mem::replace(&mut self.last, looked);
        Evidence {
            span: now - before.at,
            moved: self.last.bytes.saturating_sub(before.bytes.max(standing.before)),
            waited: Waits::between(&before.sample, &self.last.sample),
            limiter: standing.rate_limit.map(|limit| limit.by),
            flow: standing.outgoing.and_then(|outgoing| self.course.look(&outgoing, now)),
        }
    }

    fn snapshot(&mut self, standing: &Standing, limit: Option<Limit>, now: Duration) -> Snapshot {
        let reading = self.meter.sample(standing.bytes - standing.before, now);
        Snapshot {
            bytes: standing.bytes,
            total: standing.total,
            now: reading.now,
            average: reading.average,
            eta: standing.total.and_then(|total| self.meter.eta(total.saturating_sub(standing.before))),
            file: self.gauge.file().map(|file| file.to_string()),
            bottleneck: limit,
            limited: self.tally.sum(),
            note: note(standing),
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
fn quiet(still: Duration, limit: Option<Limit>, setting: Setting) -> String {
    let whom = limit.map_or_else(String::new, |limit| format!(", waiting for {}", limit.words()));
    let peer = if setting == Setting::TwoHosts { "; the other side is alive" } else { "" };
    format!("nothing has moved for {}{whom}{peer}", Span(still))
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
}
