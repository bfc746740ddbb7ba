//! One lane of the source into its spool: read, watch, queue.

use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use tokio::io::AsyncReadExt;
use xbproto::lane::{LaneId, MAX_BLOCK};
use xbproto::meter::Gauge;
use xbproto::session::Sender;
use xbproto::shared::Shared;

use crate::pump::{PumpError, Pumped};
use crate::source::{LaneInput, LaneReader};
use crate::spool::Inlet;
use crate::tap::Tap;

/// Most bytes taken from the source at once.
const PIECE: usize = 256 << 10;

/// What brings one lane into its spool. It watches the lane, so that a bad stream is noticed however much is queued
/// before it. The wait for the source is counted by the pump: as long as something is queued, nobody waits for it.
#[derive(Debug)]
pub struct Filler {
    /// The lane's number.
    pub lane: LaneId,
    /// Watches its frames.
    pub tap: Tap,
    /// Where the bytes go.
    pub inlet: Inlet,
    /// The session it is part of.
    pub session: Arc<Shared<Sender>>,
    /// Where the file passing by is named.
    pub gauge: Arc<Gauge>,
}

impl Filler {
    /// Reads the lane to its end, or until the session is over.
    ///
    /// # Errors
    /// [`PumpError`]; nothing from the bad bytes on was queued.
    pub async fn run(mut self, input: LaneInput) -> Result<Pumped, PumpError> {
        let name = input.name().to_owned();
        let mut reader = input.open().map_err(|error| PumpError::of_reader(&name, error))?;
        let mut buffer = BytesMut::new();
        let session = self.session.clone();
        loop {
            let read = tokio::select! {
                biased;
                () = session.when(|s| s.outcome().map(|_| ())) => return Ok(Pumped::Stopped),
                read = self.pass_on(&name, &mut reader, &mut buffer) => read?,
            };
            if read == 0 {
                self.tap.finish()?;
                self.inlet.end();
                return Ok(Pumped::Spooled);
            }
        }
    }

    /// Queues what comes next, and gives its length.
    async fn pass_on(
        &mut self,
        name: &str,
        reader: &mut LaneReader,
        buffer: &mut BytesMut,
    ) -> Result<usize, PumpError> {
        buffer.reserve(PIECE);
        let read = reader.read_buf(&mut (&mut *buffer).limit(PIECE)).await;
        let read = read.map_err(|error| PumpError::of_reader(name, error))?;
        let bytes = buffer.split().freeze();
        self.tap.pass(&bytes)?;
        if let Some(file) = self.tap.current_file() {
            self.gauge.set_file(&file.to_string());
        }
        let (session, lane) = (&self.session, self.lane);
        let window_is_full = async || session.when(|s| (s.room(lane) < MAX_BLOCK).then_some(())).await;
        self.inlet.put(&bytes, window_is_full).await;
        Ok(read)
    }
}
