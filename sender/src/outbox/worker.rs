//! One thread that compresses.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use xbproto::lane::Block;
use xbproto::session::Sender;
use xbproto::shared::Shared;
use xbproto::wire::{EncodedBlock, Encoding};

use super::Effort;
use super::auto::{Auto, Course, EFFORTS, Sample};
use super::encoder::Encoder;
use super::queue::{Encoded, Queue};

/// Takes blocks from the session, encodes them, and queues them for the links.
pub(super) struct Worker {
    pub(super) session: Arc<Shared<Sender>>,
    pub(super) queue: Arc<Shared<Queue>>,
    pub(super) choice: Choice,
    pub(super) encoder: Encoder,
    /// Numbers blocks in the order in which the session hands them out; it goes up under the session's lock.
    pub(super) turns: Arc<AtomicU64>,
    /// When the workers began: what time is counted from.
    pub(super) begun: Instant,
}

/// Who says how hard it is tried.
#[derive(Clone)]
pub(super) enum Choice {
    Fixed(Effort),
    Auto(Arc<Mutex<Auto>>),
}

/// A block that the session has handed out.
struct Taken {
    block: Block,
    turn: u64,
    rewinds: u64,
    /// How long the worker waited although the source could have given more.
    starved: Duration,
}

impl Worker {
    /// Works until the session is over.
    pub(super) async fn run(mut self) {
        let session = self.session.clone();
        let over = session.when(|s| s.outcome().map(|_| ()));
        tokio::select! {
            biased;
            () = over => {}
            () = self.work() => {}
        }
    }

    async fn work(&mut self) {
        loop {
            self.queue.when(Queue::reserve).await;
            let Taken { block, turn, rewinds, starved } = self.take().await;
            let begun = Instant::now();
            let (effort, encoded) = self.encode(&block);
            let effort = if encoded.header.encoding == Encoding::Plain { Effort::Stored } else { effort };
            self.queue.change(|queue| queue.put(turn, Encoded { block: encoded, effort, rewinds }));
            self.learn(&block, begun.elapsed(), starved);
        }
    }

    async fn take(&self) -> Taken {
        let waits_for_source = self.session.look(|s| {
            let (held, limit) = s.window();
            held <= limit / 2
        });
        let begun = Instant::now();
        let taken = self.session.when(|s| {
            let block = s.next_block()?;
            Some((block, self.turns.fetch_add(1, Ordering::Relaxed), s.rewinds()))
        });
        let (block, turn, rewinds) = taken.await;
        let starved = if waits_for_source { begun.elapsed() } else { Duration::ZERO };
        Taken { block, turn, rewinds, starved }
    }

    fn encode(&mut self, block: &Block) -> (Effort, EncodedBlock) {
        let effort = match &self.choice {
            Choice::Fixed(effort) => *effort,
            Choice::Auto(auto) => {
                let auto = auto.clone();
                let (effort, survey) = {
                    let mut auto = lock(&auto);
                    (auto.effort(), auto.survey_is_due(self.begun.elapsed(), block.bytes.len()))
                };
                if survey {
                    return self.survey(block, &auto);
                }
                effort
            }
        };
        (effort, self.encoder.encode(effort, block))
    }

    /// Tries one effort after the other on the block, as far as they are of interest, and takes what is smallest.
    fn survey(&mut self, block: &Block, auto: &Mutex<Auto>) -> (Effort, EncodedBlock) {
        let mut best = (Effort::Stored, EncodedBlock::from(block.clone()));
        for (step, effort) in EFFORTS.iter().enumerate().skip(1) {
            let begun = Instant::now();
            let encoded = self.encoder.encode(*effort, block);
            let ratio = encoded.bytes.len() as f64 / block.bytes.len() as f64;
            let sample = Sample { original: block.bytes.len() as u64, ratio, time: begun.elapsed() };
            if encoded.bytes.len() < best.1.bytes.len() {
                best = (*effort, encoded);
            }
            if !lock(auto).sampled(step, sample) {
                break;
            }
        }
        lock(auto).survey_ended(self.begun.elapsed());
        best
    }

    /// Tells what has happened to whoever chooses the level.
    fn learn(&self, block: &Block, busy: Duration, starved: Duration) {
        let Choice::Auto(auto) = &self.choice else { return };
        let (delivered, pending) = self.session.look(|s| (s.written(), s.window().0));
        let course = Course { taken: block.bytes.len() as u64, busy, starved, delivered, pending };
        lock(auto).goes_on(self.begun.elapsed(), &course);
    }
}

fn lock(auto: &Mutex<Auto>) -> std::sync::MutexGuard<'_, Auto> {
    auto.lock().unwrap_or_else(PoisonError::into_inner)
}
