//! Between the session and its links: blocks as they will travel.
//!
//! Without compression there is nothing in between: a link takes its blocks from the session. With it, workers take them,
//! encode them, and put them into a short queue, from which the links take them. A few may overtake each other; the
//! receiver puts them in order.
//!
//! The session keeps the original bytes until they are acknowledged, so nothing here is ever missed: what was queued
//! when a link was lost is dropped, because the session hands it out again, from where the receiver says. Its digest and
//! its window are those of the original bytes, while the rate limit holds for the bytes on the wire.
//!
//! Memory: the queue's few blocks, an encoder for each worker (2 to 20 MiB, by level), and the encoded bytes that QUIC
//! keeps until the receiver has them, at most a window of them.

mod auto;
mod compression;
mod encoder;
mod queue;
mod tally;
mod worker;

use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::thread::available_parallelism;

use tokio::time::Instant;
use xbproto::cli::Compressed;
use xbproto::place::{Place, Work};
use xbproto::session::Sender;
use xbproto::shared::Shared;
use xbproto::wire::EncodedBlock;

pub use compression::{Compression, CompressionError, Effort};

use auto::Auto;
use encoder::Encoder;
use queue::Queue;
use worker::{Choice, Worker};

/// How many blocks may be ready beyond those that are being encoded.
const READY: usize = 4;

/// The most workers: what they need at the highest levels still fits into the memory that is promised.
const MOST_WORKERS: usize = 4;

/// Where links get their blocks.
#[derive(Clone, Debug)]
pub struct Outbox {
    session: Arc<Shared<Sender>>,
    /// What the workers fill, if blocks are compressed.
    queue: Option<Arc<Shared<Queue>>>,
}

impl Outbox {
    /// Hands out the blocks of the session as they are.
    pub fn plain(session: Arc<Shared<Sender>>) -> Outbox {
        Outbox { session, queue: None }
    }

    /// Hands out the blocks of the session compressed, and the workers that do it: they end with the session. One that ends before
    /// has lost a block.
    ///
    /// # Errors
    /// When there is no memory or no thread for a worker.
    pub fn compressing(
        session: Arc<Shared<Sender>>,
        compression: Compression,
        place: Place,
    ) -> io::Result<(Outbox, Vec<Work<()>>)> {
        let workers = workers();
        let queue = Arc::new(Shared::new(Queue::new(workers + READY)));
        let choice = match compression {
            Compression::Auto => Choice::Auto(Arc::new(Mutex::new(Auto::new(workers)))),
            Compression::Fixed(effort) => Choice::Fixed(effort),
        };
        let (turns, begun) = (Arc::new(AtomicU64::new(0)), Instant::now());
        let start = |number| {
            let (session, queue, choice, turns) = (session.clone(), queue.clone(), choice.clone(), turns.clone());
            let worker = Worker { session, queue, choice, encoder: Encoder::new()?, turns, begun };
            place.start(&format!("compress-{number}"), move || worker.run())
        };
        let works = (0..workers).map(start).collect::<io::Result<_>>()?;
        Ok((Outbox { session, queue: Some(queue) }, works))
    }

    /// Waits for the next block that a link is to write. Cancel-safe, except that what was taken for a link that is lost
    /// is handed out again only after the session has heard of that.
    pub async fn next(&self) -> EncodedBlock {
        let Some(queue) = &self.queue else { return self.session.when(Sender::next_block).await.into() };
        loop {
            self.session.when(|s| is_sending(s).then_some(())).await;
            let encoded = queue.when(Queue::pop).await;
            if self.session.look(|s| is_sending(s) && s.rewinds() == encoded.rewinds) {
                queue.change(|queue| queue.count(&encoded));
                return encoded.block;
            }
        }
    }

    /// What compression has come to so far, if there is any.
    pub fn compressed(&self) -> Option<Compressed> {
        self.queue.as_ref().map(|queue| queue.look(|queue| queue.tally().compressed()))
    }
}

/// Whether blocks are wanted on the link.
fn is_sending(session: &Sender) -> bool {
    session.is_linked() && session.outcome().is_none()
}

/// Half of the cores: the others are for the database, and for the threads that drive packets.
fn workers() -> usize {
    (available_parallelism().map_or(1, NonZeroUsize::get) / 2).clamp(1, MOST_WORKERS)
}
