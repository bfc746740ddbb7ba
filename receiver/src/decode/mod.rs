//! Compressed blocks into original ones, on threads that do nothing else.
//!
//! A link's thread hands over what it has read and waits for the block; it drives packets meanwhile. Only so many
//! blocks wait here as may be under way, which the session has said before they were read.

mod frame;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::sync::oneshot;
use xbproto::failure::{Cause, Failure, Party};
use xbproto::lane::Block;
use xbproto::place::Place;
use xbproto::pool::Pool;
use xbproto::shared::Shared;
use xbproto::wire::{EncodedBlock, Encoding};

pub use frame::{DecodeError, Fault};

use frame::Decoder;

/// The most threads: each decodes more than a link brings.
const MOST_WORKERS: usize = 4;

/// Decodes blocks. Its threads end when it is dropped.
#[derive(Debug)]
pub struct Decoders {
    jobs: Arc<Shared<Jobs>>,
    pool: Pool,
}

#[derive(Debug, Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    closed: bool,
}

#[derive(Debug)]
struct Job {
    encoded: EncodedBlock,
    decoded: oneshot::Sender<Result<Block, DecodeError>>,
}

impl Decoders {
    /// Starts decoders at `place`, on half of the cores: the others are for the threads that drive packets and disks.
    ///
    /// # Errors
    /// When there is no memory or no thread for one.
    pub fn start(place: Place) -> io::Result<Decoders> {
        let decoders = Decoders { jobs: Arc::new(Shared::new(Jobs::default())), pool: Pool::default() };
        let workers = (available_parallelism().map_or(1, NonZeroUsize::get) / 2).clamp(1, MOST_WORKERS);
        for number in 0..workers {
            let (jobs, decoder) = (decoders.jobs.clone(), Decoder::new(decoders.pool.clone())?);
            // Nobody waits for its end: it holds nothing, and whatever it does not bring is missed at once.
            place.start(&format!("decode-{number}"), move || work(jobs, decoder))?;
        }
        Ok(decoders)
    }

    /// Where the memory for blocks comes from.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// The block that travelled like this. Whoever stops waiting for it does not get it.
    ///
    /// # Errors
    /// The failure of the session: the sender's violation, or a defect of this side.
    pub async fn decode(&self, encoded: EncodedBlock) -> Result<Block, Failure> {
        if encoded.header.encoding == Encoding::Plain {
            let EncodedBlock { header, bytes } = encoded;
            return Ok(Block { lane: header.lane, offset: header.offset, bytes });
        }
        let (decoded, block) = oneshot::channel();
        self.jobs.change(|jobs| {
            if !jobs.closed {
                jobs.waiting.push_back(Job { encoded, decoded });
            }
        });
        let block =
            block.await.map_err(|_| unforeseen("a decoder stopped without a result: a defect of this program"))?;
        block.map_err(|error| error.failure())
    }
}

impl Drop for Decoders {
    fn drop(&mut self) {
        self.jobs.change(|jobs| jobs.closed = true);
    }
}

/// Turns all work down when its decoder panics: nobody is to wait for what does not come.
struct Duty(Arc<Shared<Jobs>>);

impl Drop for Duty {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.change(|jobs| *jobs = Jobs { waiting: VecDeque::new(), closed: true });
        }
    }
}

/// Decodes until there is nobody to do it for.
async fn work(jobs: Arc<Shared<Jobs>>, mut decoder: Decoder) {
    let _duty = Duty(jobs.clone());
    let next = |jobs: &mut Jobs| match jobs.waiting.pop_front() {
        Some(job) => Some(Some(job)),
        None => jobs.closed.then_some(None),
    };
    while let Some(Job { encoded, decoded }) = jobs.when(next).await {
        // Whoever has stopped waiting has lost the link, and gets the block again.
        if !decoded.is_closed() {
            let _ = decoded.send(decoder.decode(&encoded));
        }
    }
}

fn unforeseen(error: impl std::fmt::Display) -> Failure {
    Failure::new(Cause::Unforeseen, Party::Receiver, error)
}
