//! Streams on their way: each is read once, ahead, by a thread, and handed to every consumer on a thread of its own.
//!
//! Between a reader and a consumer are at most [`AHEAD`] pieces of [`MAX_BLOCK`] bytes, shared by all consumers; the
//! slowest of them keeps the reader waiting.

use std::fs::File;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::task::JoinSet;
use tokio::time::timeout;
use xbproto::lane::MAX_BLOCK;
use xbproto::meter::{Bottleneck, Gauge};
use xbproto::place::{Panicked, Place};
use xbproto::pool::Pool;

use super::LocalError;
use super::input::{Input, fill};
use crate::stop::Stop;

/// How many pieces a consumer may be behind its reader.
const AHEAD: usize = 4;

/// How often a consumer that waits looks whether it is all over.
const LOOK: Duration = Duration::from_millis(50);

/// How long a consumer may take to notice that it is all over. One whose disk does not answer never does; it is left to
/// the end of the process.
const LEAVE: Duration = Duration::from_secs(3);

/// What takes the bytes of one stream.
pub(super) trait Consumer: Send {
    /// Takes the next bytes, in order, without gaps.
    ///
    /// # Errors
    /// When they are not what they should be, or cannot be stored.
    fn take(&mut self, bytes: &Bytes) -> Result<(), LocalError>;

    /// The stream has ended.
    ///
    /// # Errors
    /// When it should not have ended here.
    fn end(&mut self) -> Result<(), LocalError>;
}

/// One stream, and who gets it.
pub(super) struct Flow {
    /// What is read.
    pub(super) input: Input,
    /// Whose bytes are counted.
    pub(super) lead: Box<dyn Consumer>,
    /// Those who get the same bytes.
    pub(super) beside: Vec<Box<dyn Consumer>>,
}

/// What a reader hands over.
#[derive(Clone)]
enum Piece {
    Bytes(Bytes),
    /// Without it, the reader has failed.
    End,
}

/// The first error of all threads; raises the stop for the others. An error after that is only what the stop has done.
#[derive(Clone)]
struct First {
    error: Arc<Mutex<Option<LocalError>>>,
    stop: Stop,
}

impl First {
    fn note(&self, done: Result<(), LocalError>) {
        let Err(error) = done else { return };
        let mut first = self.error.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.stop.is_raised() {
            *first = Some(error);
            self.stop.raise();
        }
    }

    fn take(&self) -> Option<LocalError> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Lets all streams run to their end. The bytes that leads have taken, and the waiting for the source, are counted in
/// `gauge`; a `stop` that is raised ends it early, and is raised by the first error.
///
/// # Errors
/// The first error of any thread; [`LocalError::Interrupted`] if `stop` was raised by somebody else.
pub(super) async fn run(flows: Vec<Flow>, gauge: &Arc<Gauge>, stop: &Stop) -> Result<(), LocalError> {
    let first = First { error: Arc::default(), stop: stop.clone() };
    let mut consumers = JoinSet::new();
    for (number, flow) in flows.into_iter().enumerate() {
        if let Err(error) = start(flow, number, gauge, &first, &mut consumers) {
            first.note(Err(LocalError::Thread(error)));
        }
    }
    // A reader that waits for a writer is not waited for: it holds nothing.
    loop {
        match timeout(LEAVE, consumers.join_next()).await {
            Ok(Some(Ok(done))) => first.note(done.map_err(LocalError::Panicked)),
            Ok(Some(Err(_))) => {}
            Ok(None) => break,
            Err(_) if stop.is_raised() => break,
            Err(_) => {}
        }
    }
    match first.take() {
        Some(error) => Err(error),
        None if stop.is_raised() => Err(LocalError::Interrupted),
        None => Ok(()),
    }
}

fn start(
    flow: Flow,
    number: usize,
    gauge: &Arc<Gauge>,
    first: &First,
    consumers: &mut JoinSet<Result<(), Panicked>>,
) -> io::Result<()> {
    let Flow { input, lead, beside } = flow;
    let mut outlets = Vec::new();
    let counted = std::iter::once((lead, Some(gauge.clone())));
    for (consumer, gauge) in counted.chain(beside.into_iter().map(|consumer| (consumer, None))) {
        let (outlet, pieces) = sync_channel(AHEAD);
        outlets.push(outlet);
        let first = first.clone();
        let name = format!("take-{number}.{}", outlets.len());
        let work = Place::Threads.start(&name, move || async move {
            let done = consume(consumer, &pieces, gauge.as_deref(), &first.stop);
            first.note(done);
        })?;
        consumers.spawn(work.finished());
    }
    let (first, gauge) = (first.clone(), gauge.clone());
    thread::Builder::new().name(format!("read-{number}")).spawn(move || {
        let done = read(input, &outlets, &gauge, &first.stop);
        first.note(done);
        // Only now: whoever misses the end of the stream asks why.
        drop(outlets);
    })?;
    Ok(())
}

/// Reads a stream to its end, or until nobody wants more of it.
fn read(input: Input, outlets: &[SyncSender<Piece>], gauge: &Gauge, stop: &Stop) -> Result<(), LocalError> {
    let name = input.name().to_owned();
    let mut file = input.open().map_err(|error| LocalError::Open { name: name.clone(), error })?;
    let (pool, mut offset) = (Pool::default(), 0);
    while !stop.is_raised() {
        let begun = Instant::now();
        let piece = next(&mut file, &pool, offset);
        gauge.add_wait(Bottleneck::Source, begun.elapsed());
        let bytes = piece.map_err(|error| LocalError::Read { name: name.clone(), offset, error })?;
        offset += bytes.len() as u64;
        let is_last = bytes.len() < MAX_BLOCK;
        let pieces = [Some(Piece::Bytes(bytes)), is_last.then_some(Piece::End)];
        for piece in pieces.into_iter().flatten() {
            if !outlets.iter().all(|outlet| outlet.send(piece.clone()).is_ok()) {
                return Ok(());
            }
        }
        if is_last {
            return Ok(());
        }
    }
    Ok(())
}

fn next(file: &mut File, pool: &Pool, offset: u64) -> io::Result<Bytes> {
    let mut buffer = pool.buffer(MAX_BLOCK, offset);
    fill(file, &mut buffer)?;
    Ok(buffer.freeze())
}

/// Feeds a consumer to the end of its stream, or until the stop is raised.
fn consume(
    mut consumer: Box<dyn Consumer>,
    pieces: &Receiver<Piece>,
    gauge: Option<&Gauge>,
    stop: &Stop,
) -> Result<(), LocalError> {
    loop {
        let piece = pieces.recv_timeout(LOOK);
        match piece {
            _ if stop.is_raised() => return Ok(()),
            Ok(Piece::Bytes(bytes)) => {
                consumer.take(&bytes)?;
                if let Some(gauge) = gauge {
                    gauge.add_bytes(bytes.len() as u64);
                }
            }
            Ok(Piece::End) => return consumer.end(),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                return Err(LocalError::Panicked(Panicked { name: "a reader".to_owned() }));
            }
        }
    }
}

#[cfg(test)]
mod tests;
