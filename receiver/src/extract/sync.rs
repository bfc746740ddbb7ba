//! Syncing finished files, on threads of their own, while others are being written.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::disk::{At, DiskError};
use crate::stop::Stop;

/// How many files are synced at a time. A backup has thousands of small ones, each of which waits for the disk.
const THREADS: usize = 4;

/// How many files may wait for a thread; whoever finishes one more waits too.
const QUEUE: usize = 64;

/// A finished file.
#[derive(Debug)]
pub(super) struct Finished {
    /// Its path in the stream.
    pub(super) path: PathBuf,
    /// Open for writing; nobody writes to it any more.
    pub(super) file: Arc<File>,
}

/// Threads that sync finished files and close them. The first error is kept, and final.
#[derive(Debug)]
pub(super) struct Syncers {
    /// `None` once nothing more may come.
    queue: Mutex<Option<SyncSender<Finished>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    outcome: Arc<Outcome>,
}

#[derive(Debug)]
struct Outcome {
    failed: Mutex<Option<DiskError>>,
    /// Nobody wants the files any more.
    stop: Stop,
}

impl Syncers {
    /// Starts the threads. Once `stop` is raised they close files without syncing them.
    pub(super) fn start(stop: Stop) -> io::Result<Syncers> {
        let (queue, waiting) = sync_channel(QUEUE);
        let waiting = Arc::new(Mutex::new(waiting));
        let outcome = Arc::new(Outcome { failed: Mutex::default(), stop });
        let start_one = |_| {
            let (waiting, outcome) = (Arc::clone(&waiting), Arc::clone(&outcome));
            thread::Builder::new().name("sync".into()).spawn(move || run(&waiting, &outcome))
        };
        let threads: io::Result<Vec<_>> = (0..THREADS).map(start_one).collect();
        Ok(Syncers { queue: Mutex::new(Some(queue)), threads: Mutex::new(threads?), outcome })
    }

    /// Hands over a finished file. Waits while too many are waiting.
    pub(super) fn push(&self, finished: Finished) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(queue) = queue {
            // It fails only if all threads have panicked, which `finish` reports.
            let _ = queue.send(finished);
        }
    }

    /// The first error so far.
    pub(super) fn check(&self) -> Result<(), DiskError> {
        self.outcome.failed.lock().unwrap_or_else(PoisonError::into_inner).clone().map_or(Ok(()), Err)
    }

    /// Waits until all files are synced, or closed because of the stop, and ends the threads.
    pub(super) fn finish(&self) -> Result<(), DiskError> {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let panicked = threads.into_iter().map(JoinHandle::join).filter(Result::is_err).count();
        if panicked > 0 {
            self.outcome.fail(DiskError::new("syncing", "the files", io::Error::other("a thread panicked")));
        }
        self.check()
    }

    /// Closes the files that wait without syncing them, and ends the threads.
    pub(super) fn abandon(&self) {
        self.outcome.stop.raise();
        let _ = self.finish();
    }
}

impl Drop for Syncers {
    fn drop(&mut self) {
        self.abandon();
    }
}

impl Outcome {
    fn fail(&self, error: DiskError) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

fn run(waiting: &Mutex<Receiver<Finished>>, outcome: &Outcome) {
    while let Some(Finished { path, file }) = next(waiting) {
        if outcome.stop.is_raised() {
            continue;
        }
        if let Err(error) = file.sync_data().at("syncing", path) {
            outcome.fail(error);
        }
    }
}

fn next(waiting: &Mutex<Receiver<Finished>>) -> Option<Finished> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(name: &str) -> Finished {
        Finished { path: name.into(), file: Arc::new(tempfile::tempfile().unwrap()) }
    }

    /// A pipe cannot be synced.
    fn bad(name: &str) -> Finished {
        let (_reader, writer) = rustix::pipe::pipe().unwrap();
        Finished { path: name.into(), file: Arc::new(writer.into()) }
    }

    #[test]
    fn more_files_than_the_queue_holds_are_all_closed() {
        let syncers = Syncers::start(Stop::default()).unwrap();
        let files: Vec<Arc<File>> = (0..3 * QUEUE).map(|_| Arc::new(tempfile::tempfile().unwrap())).collect();
        for file in &files {
            syncers.push(Finished { path: "f".into(), file: Arc::clone(file) });
        }
        syncers.finish().unwrap();
        assert!(files.iter().all(|file| Arc::strong_count(file) == 1));
    }

    #[test]
    fn the_first_error_is_kept_and_names_its_file() {
        let syncers = Syncers::start(Stop::default()).unwrap();
        syncers.push(bad("db/t.ibd"));
        while syncers.check().is_ok() {
            thread::yield_now();
        }
        syncers.push(good("other"));
        syncers.push(bad("later"));
        assert_eq!(syncers.check().unwrap_err().to_string(), "syncing db/t.ibd: Invalid argument");
        assert_eq!(syncers.finish().unwrap_err().to_string(), "syncing db/t.ibd: Invalid argument");
    }

    #[test]
    fn abandon_ends_the_threads_and_may_be_repeated() {
        let syncers = Syncers::start(Stop::default()).unwrap();
        syncers.push(good("a"));
        syncers.abandon();
        syncers.abandon();
        assert!(syncers.threads.lock().unwrap().is_empty());
    }
}
