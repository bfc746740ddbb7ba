//! Where a transfer stands, told regularly while it runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::event::{Event, Snapshot};
use super::reporter::Reporter;
use crate::meter::{Bottleneck, Gauge, GaugeSample, Meter, bottleneck};
use crate::wire::Waiting;

/// How often it is told; faces that want less leave some out.
const TICK: Duration = Duration::from_millis(500);

/// What a side knows of its transfer at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Bytes that have arrived for good.
    pub bytes: u64,
    /// Bytes there will be, if that is known.
    pub total: Option<u64>,
    /// What the other side says it waits for.
    pub peer: Waiting,
}

/// Follows one transfer from now on.
#[derive(Debug)]
pub struct Progress {
    gauge: Arc<Gauge>,
    reporter: Reporter,
    meter: Meter,
    last: GaugeSample,
    begun: Instant,
}

impl Progress {
    /// Begins to follow the transfer whose workers count in `gauge`.
    pub fn new(gauge: Arc<Gauge>, reporter: Reporter) -> Progress {
        Progress { last: gauge.sample(), gauge, reporter, meter: Meter::default(), begun: Instant::now() }
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
            let reading = self.meter.sample(standing.bytes, self.begun.elapsed());
            self.reporter.tell(Event::Progress(Snapshot {
                bytes: standing.bytes,
                total: standing.total,
                now: reading.now,
                average: reading.average,
                eta: standing.total.and_then(|total| self.meter.eta(total)),
                file: self.gauge.file().map(|file| file.to_string()),
                bottleneck: slowest(own, standing.peer),
                note: (standing.peer == Waiting::Syncing).then(|| "receiver is syncing".to_owned()),
            }));
        }
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
    fn waiting_for_the_network_is_waiting_for_what_the_peer_waits_for() {
        assert_eq!(slowest(Some(Bottleneck::Network), Waiting::Disk), Some(Bottleneck::Disk));
        assert_eq!(slowest(None, Waiting::Source), Some(Bottleneck::Source));
        assert_eq!(slowest(Some(Bottleneck::Limiter), Waiting::Disk), Some(Bottleneck::Limiter));
        assert_eq!(slowest(Some(Bottleneck::Network), Waiting::Nothing), Some(Bottleneck::Network));
    }
}
