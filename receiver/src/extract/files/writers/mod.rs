//! The threads that decode and write files, several at a time.
//!
//! What comes for one file is done in order and by one thread at a time; files do not wait for each other. What waits is
//! bounded: whoever brings more waits until there is room. Names are no business of these threads: a file is open, or is
//! opened by its name while nothing else can have that, see `open_files` and `ending`.

mod queue;
mod slot;

use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use self::queue::WorkQueue;
pub(in crate::extract) use self::slot::{Batch, Slot};
use super::allowance::Allowance;
use super::content::{ContentError, Context, Part};
use super::manifest::Manifest;
use super::open_files::OpenFiles;
use super::progress::Progress;
use crate::disk::Pages;
use crate::extract::sync::Syncers;
use crate::lock::lock;
use crate::stop::Stop;

/// How long threads may take to notice that nobody wants the files any more. One that waits for a disk that does not answer
/// never does; it is left to the end of the process.
const LEAVE: Duration = Duration::from_secs(3);

/// How often it is looked whether they have.
const LOOK: Duration = Duration::from_millis(2);

/// What all files of an extraction share.
#[derive(Debug)]
pub(in crate::extract) struct Resources {
    pub(in crate::extract) syncers: Syncers,
    pub(in crate::extract) progress: Progress,
    pub(in crate::extract) allowance: Allowance,
    pub(in crate::extract) manifest: Option<Manifest>,
    pub(in crate::extract) open: Arc<OpenFiles>,
    /// Set once a file was decrypted that holds no proof of the key.
    pub(in crate::extract) any_key: AtomicBool,
    /// Raised when nobody wants the files any more.
    pub(in crate::extract) stop: Stop,
}

/// The threads.
#[derive(Debug)]
pub(in crate::extract) struct Writers {
    queue: Arc<WorkQueue>,
    stop: Stop,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Writers {
    /// Starts `count` threads, at least one.
    pub(in crate::extract) fn start(count: usize, resources: Arc<Resources>) -> io::Result<Writers> {
        let queue = Arc::new(WorkQueue::new(resources.open.at_work()));
        let writers = Writers { queue, stop: resources.stop.clone(), threads: Mutex::default() };
        for number in 0..count.max(1) {
            let writer = Writer { queue: Arc::clone(&writers.queue), resources: Arc::clone(&resources) };
            let started = thread::Builder::new().name(format!("write-{number}")).spawn(move || writer.run());
            // Those before it end with the writers, which are dropped.
            lock(&writers.threads).push(started?);
        }
        Ok(writers)
    }

    /// Hands over what has come for a file. Waits while too much is waiting.
    pub(in crate::extract) fn push(&self, slot: &Arc<Slot>, batch: Batch) {
        self.queue.push(slot, batch);
    }

    /// Whether all that has come is done, and well.
    pub(in crate::extract) fn is_at_rest(&self) -> bool {
        self.queue.is_done()
    }

    /// The first error so far.
    pub(in crate::extract) fn check(&self) -> Result<(), ContentError> {
        self.queue.check()
    }

    /// Waits until everything is written, or thrown away because of the stop, and ends the threads.
    pub(in crate::extract) fn finish(&self) -> Result<(), ContentError> {
        self.queue.close();
        for thread in std::mem::take(&mut *lock(&self.threads)) {
            let _ = thread.join();
        }
        self.check()
    }

    /// Throws away what waits, and ends the threads; but waits for none that waits for a disk.
    pub(in crate::extract) fn abandon(&self) {
        self.stop.raise();
        self.queue.close();
        leave(std::mem::take(&mut *lock(&self.threads)));
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// Waits for `threads` that were told to end, but not for ever.
pub(in crate::extract) fn leave(threads: Vec<JoinHandle<()>>) {
    let deadline = Instant::now() + LEAVE;
    for thread in threads {
        while !thread.is_finished() && Instant::now() < deadline {
            thread::sleep(LOOK);
        }
        if thread.is_finished() {
            let _ = thread.join();
        }
    }
}

/// One thread.
struct Writer {
    queue: Arc<WorkQueue>,
    resources: Arc<Resources>,
}

impl Writer {
    fn run(self) {
        let _guard = PanicGuard(&self.queue);
        let mut spare = None;
        while let Some((slot, Batch { parts, cost })) = self.queue.next() {
            let result = self.write(&slot, parts, &mut spare);
            self.queue.done(slot, cost, result);
        }
    }

    fn write(&self, slot: &Slot, parts: Vec<Part>, spare: &mut Option<Pages>) -> Result<(), ContentError> {
        let mut context = Context { spare, resources: &self.resources };
        let mut content = slot.content();
        for part in parts {
            if self.resources.stop.is_raised() {
                *content = None;
            }
            let done = match part {
                Part::End { extent } => match content.take() {
                    Some(content) => content.finish(extent, &mut context).map(|file| self.resources.syncers.push(file)),
                    None => Ok(()),
                },
                part => content.as_mut().map_or(Ok(()), |content| content.take(part, &mut context)),
            };
            if done.is_err() {
                // It takes no more, and is wanted by nobody.
                *content = None;
                return done;
            }
        }
        Ok(())
    }
}

/// Tells that a thread panics: nobody may wait for room that it does not make.
struct PanicGuard<'a>(&'a WorkQueue);

impl Drop for PanicGuard<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail(ContentError::Panicked);
        }
    }
}
