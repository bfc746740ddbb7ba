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
use xbproto::session::{LinkId, Sender};
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

    /// Waits for the next block that `link` is to write. The session knows then that it carries it. Cancel-safe, except
    /// that what was taken for a link that is lost is handed out again only after the session has heard of that.
    pub async fn next(&self, link: LinkId) -> (Turn, EncodedBlock) {
        let Some(queue) = &self.queue else {
            let next = |s: &mut Sender| again(s, link).or_else(|| Some((Turn::New, s.next_new(link)?.into())));
            return self.session.when(next).await;
        };
        tokio::select! {
            biased;
            again = self.session.when(|s| again(s, link)) => again,
            block = self.next_encoded(queue, link) => (Turn::New, block),
        }
    }

    async fn next_encoded(&self, queue: &Shared<Queue>, link: LinkId) -> EncodedBlock {
        loop {
            self.session.when(|s| s.is_ready(link).then_some(())).await;
            let encoded = queue.when(Queue::pop).await;
            let taken = self.session.change(|s| {
                // A link that has fallen silent meanwhile takes it as well: nobody else would. The session knows then that
                // the block is on a silent link. When the link is gone, the session hands the block out once more.
                let taken = s.has_link(link) && s.rewinds() == encoded.rewinds;
                if taken {
                    s.carries(link, encoded.block.header.lane, encoded.block.header.offset);
                }
                taken
            });
            if taken {
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

/// Whether a link gets a block for the first time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Another link has failed to bring it, and everybody waits for it: there is no time to compress it.
    Again,
    /// It was not on its way yet.
    New,
}

/// The block that is to be sent once more, over this link, as it is.
fn again(session: &mut Sender, link: LinkId) -> Option<(Turn, EncodedBlock)> {
    Some((Turn::Again, session.next_again(link)?.into()))
}

/// Half of the cores: the others are for the database, and for the threads that drive packets.
fn workers() -> usize {
    (available_parallelism().map_or(1, NonZeroUsize::get) / 2).clamp(1, MOST_WORKERS)
}
