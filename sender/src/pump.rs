//! One lane of the source into its window: read, watch, digest, push.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout_at};
use xbproto::lane::{LaneDigest, LaneId, MAX_BLOCK};
use xbproto::meter::{Bottleneck, Gauge};
use xbproto::pool::{Buffer, Pool};
use xbproto::session::Sender;
use xbproto::shared::Shared;
use xbproto::waiting::waiting_for;

use crate::source::{LaneInput, LaneReader};
use crate::spool::SpoolError;
use crate::tap::{Tap, TapError};

/// A block that is not full leaves after this long.
const LINGER: Duration = Duration::from_millis(20);

/// Why a lane was not read to a good end.
#[derive(Debug, thiserror::Error)]
pub enum PumpError {
    /// The source could not be read.
    #[error("reading {name}: {error}")]
    Read {
        /// What is read.
        name: String,
        /// Why it could not be.
        error: io::Error,
    },
    /// The bytes are not what they should be.
    #[error(transparent)]
    Tap(#[from] TapError),
    /// They were, when they were spooled.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl PumpError {
    /// What the reader of `name` has met: an error of the source, or of the spool behind it.
    pub(crate) fn of_reader(name: &str, error: io::Error) -> PumpError {
        // `-` is what sha1sum calls it, not what a person does.
        let name = if name == "-" { "the source".to_owned() } else { name.to_owned() };
        error.downcast().map_or_else(|error| PumpError::Read { name, error }, PumpError::Spool)
    }
}

/// How the reading of a lane ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pumped {
    /// At the lane's end, after this many bytes.
    All(u64),
    /// At the lane's end; its bytes are in the spool and are counted when they have come out.
    Spooled,
    /// The session was over before.
    Stopped,
}

/// What brings one lane into the session.
#[derive(Debug)]
pub struct Pump {
    /// The lane's number.
    pub lane: LaneId,
    /// Watches its frames.
    pub tap: Tap,
    /// The session it is part of.
    pub session: Arc<Shared<Sender>>,
    /// Where waiting is counted.
    pub gauge: Arc<Gauge>,
}

impl Pump {
    /// Reads the lane to its end, or until the session is over. The lane's end is noted in the
    /// session; whether it was a good one the source's verdict says.
    ///
    /// # Errors
    /// [`PumpError`]; nothing from the bad bytes on was pushed.
    pub async fn run(mut self, input: LaneInput) -> Result<Pumped, PumpError> {
        let name = input.name().to_owned();
        let failed = |error| PumpError::of_reader(&name, error);
        let mut reader = input.open().map_err(failed)?;
        let mut digest = LaneDigest::default();
        let pool = Pool::default();
        let mut buffer = pool.buffer(MAX_BLOCK, 0);
        while self.room().await {
            let session = self.session.clone();
            let more = tokio::select! {
                biased;
                () = session.when(|s| s.outcome().map(|_| ())) => return Ok(Pumped::Stopped),
                more = self.fill(&mut reader, &mut buffer) => more.map_err(failed)?,
            };
            if !buffer.is_empty() {
                self.push(take_block(&mut buffer, &pool), &mut digest)?;
            }
            if more == More::End {
                self.tap.finish()?;
                self.session.change(|s| s.end_of_lane(self.lane));
                return Ok(Pumped::All(digest.len()));
            }
        }
        Ok(Pumped::Stopped)
    }

    /// Waits for room for a whole block; false when the session is over.
    async fn room(&self) -> bool {
        let lane = self.lane;
        let room = self.session.when(|s| match s.outcome() {
            Some(_) => Some(false),
            None => (s.room(lane) >= MAX_BLOCK).then_some(true),
        });
        // What still waits to be sent is the limiter's or the network's affair, and the uplink counts
        // it. When everything is sent, it is the acknowledgements that are waited for.
        match self.session.look(|s| s.has_unsent(lane)) {
            true => room.await,
            false => waiting_for(Bottleneck::Network, &self.gauge, room).await,
        }
    }

    /// Reads until a block is full, the first bytes in it have lingered, or the lane ends.
    async fn fill(&self, reader: &mut LaneReader, buffer: &mut Buffer) -> io::Result<More> {
        let mut read = waiting_for(Bottleneck::Source, &self.gauge, reader.read(buffer.spare())).await?;
        buffer.advance(read);
        let deadline = Instant::now() + LINGER;
        while read > 0 && buffer.len() < MAX_BLOCK {
            match timeout_at(deadline, reader.read(buffer.spare())).await {
                Ok(more) => read = more?,
                Err(_) => return Ok(More::Maybe),
            }
            buffer.advance(read);
        }
        Ok(if read == 0 { More::End } else { More::Maybe })
    }

    fn push(&mut self, block: Bytes, digest: &mut LaneDigest) -> Result<(), TapError> {
        self.tap.pass(&block)?;
        if let Some(file) = self.tap.current_file() {
            self.gauge.set_file(&file.to_string());
        }
        digest.update(&block);
        self.session.change(|s| s.push(self.lane, block, digest.clone()));
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum More {
    Maybe,
    End,
}

/// Takes the block out of the buffer. A small one is copied, so that it does not keep the memory
/// of a large one for as long as it stands in the window.
fn take_block(buffer: &mut Buffer, pool: &Pool) -> Bytes {
    if buffer.len() >= MAX_BLOCK / 2 {
        return std::mem::replace(buffer, pool.buffer(MAX_BLOCK, 0)).freeze();
    }
    let block = Bytes::copy_from_slice(buffer.as_ref());
    buffer.clear();
    block
}
