//! One lane of the session into its sink: write, make durable, acknowledge.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use xbproto::lane::LaneId;
use xbproto::meter::{Bottleneck, Gauge};
use xbproto::session::Receiver;
use xbproto::shared::Shared;

use crate::hasher::Piece;
use crate::sink::{LaneSink, SinkError};

/// How often a sink is asked how far it has come, while it is behind and nothing arrives.
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

impl Drain {
    /// Writes the `pieces` of the lane to `sink` until its end, or until the session is over. The session learns of
    /// every step.
    ///
    /// # Errors
    /// [`SinkError`] when the sink fails; the session is not told of that yet.
    pub async fn run(self, mut pieces: mpsc::Receiver<Piece>, mut sink: Box<dyn LaneSink>) -> Result<(), SinkError> {
        let mut digest = self.session.look(|s| s.digest(self.lane));
        let mut durable = digest.len();
        loop {
            let piece = match digest.len() - durable {
                0 if sink.is_at_rest() => Some(pieces.recv().await),
                behind => self.poll(&mut pieces, behind).await,
            };
            match piece {
                _ if self.session.look(|s| s.outcome().is_some()) => return Ok(()),
                None => {}
                Some(Some(piece)) => {
                    self.write(&piece, sink.as_mut())?;
                    digest = piece.digest;
                }
                Some(None) => return self.finish(sink.as_mut()),
            }
            durable = self.counted(|| sink.durable(&digest))?;
            self.session.change(|s| s.written(self.lane, digest.clone(), durable));
        }
    }

    /// Waits a moment for the next piece, while `behind` bytes are written and not durable. If they are so many that the
    /// sender cannot go on, it is the disk that is waited for.
    async fn poll(&self, pieces: &mut mpsc::Receiver<Piece>, behind: u64) -> Option<Option<Piece>> {
        let begun = Instant::now();
        let piece = timeout(SYNC_POLL, pieces.recv()).await.ok();
        if self.session.look(|s| behind * 2 * u64::from(s.lanes()) >= s.window().1) {
            self.gauge.add_wait(Bottleneck::Disk, begun.elapsed());
        }
        piece
    }

    fn write(&self, piece: &Piece, sink: &mut dyn LaneSink) -> Result<(), SinkError> {
        self.counted(|| sink.write(&piece.bytes))?;
        self.gauge.add_bytes(piece.bytes.len() as u64);
        Ok(())
    }

    /// Does something with the sink, and counts the time it takes.
    fn counted<T>(&self, work: impl FnOnce() -> Result<T, SinkError>) -> Result<T, SinkError> {
        let begun = Instant::now();
        let done = work();
        self.gauge.add_wait(Bottleneck::Disk, begun.elapsed());
        done
    }

    /// Nothing more comes: because all of the lane is in the sink, or because whoever hashed it has panicked, which is
    /// noticed elsewhere.
    fn finish(&self, sink: &mut dyn LaneSink) -> Result<(), SinkError> {
        if self.session.look(|s| s.is_drained(self.lane)) {
            sink.finish()?;
            self.session.change(|s| s.finished(self.lane));
        }
        Ok(())
    }
}
