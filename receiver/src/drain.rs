//! One lane of the session into its sink: bytes in order, digest, write, acknowledge.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout};
use xbproto::lane::LaneId;
use xbproto::meter::{Bottleneck, Gauge};
use xbproto::session::Receiver;
use xbproto::shared::Shared;
use xbproto::waiting::waiting_for;

use crate::sink::{LaneSink, SinkError};

/// How often a sink is asked how far it has synced, while it is behind and nothing arrives.
const SYNC_POLL: Duration = Duration::from_millis(50);

/// What brings one lane into its sink.
#[derive(Debug)]
pub struct Drain {
    /// The lane's number.
    pub lane: LaneId,
    /// The session it is part of.
    pub session: Arc<Shared<Receiver>>,
    /// Where bytes and waiting are counted.
    pub gauge: Arc<Gauge>,
}

enum Step {
    Write(Bytes),
    /// The whole lane is in the sink.
    Finish,
    /// The session is over.
    Stop,
}

impl Drain {
    /// Writes the lane to `sink` until its end, or until the session is over. The session learns of
    /// every step.
    ///
    /// # Errors
    /// [`SinkError`] when the sink fails; the session is not told of that yet.
    pub async fn run(self, mut sink: Box<dyn LaneSink>) -> Result<(), SinkError> {
        let mut digest = self.session.look(|s| s.digest(self.lane));
        let mut durable = digest.len();
        loop {
            let next = waiting_for(Bottleneck::Network, &self.gauge, self.next());
            let step = match durable < digest.len() {
                true => timeout(SYNC_POLL, next).await.ok(),
                false => Some(next.await),
            };
            match step {
                None => {}
                Some(Step::Write(bytes)) => {
                    digest.update(&bytes);
                    let begun = Instant::now();
                    sink.write(&bytes)?;
                    self.gauge.add_wait(Bottleneck::Disk, begun.elapsed());
                    self.gauge.add_bytes(bytes.len() as u64);
                }
                Some(Step::Finish) => {
                    sink.finish()?;
                    self.session.change(|s| s.finished(self.lane));
                    return Ok(());
                }
                Some(Step::Stop) => return Ok(()),
            }
            durable = sink.durable(&digest)?;
            self.session.change(|s| s.written(self.lane, digest.clone(), durable));
        }
    }

    async fn next(&self) -> Step {
        let next = self.session.when(|s| {
            if s.outcome().is_some() {
                return Some(Step::Stop);
            }
            match s.next_bytes(self.lane) {
                Some(bytes) => Some(Step::Write(bytes)),
                None => s.is_drained(self.lane).then_some(Step::Finish),
            }
        });
        next.await
    }
}
