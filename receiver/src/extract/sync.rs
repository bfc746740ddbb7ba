//! Syncing finished files, on threads of their own, while others are being written.
//!
//! Few files are synced one by one. Of many the disk would be waited for too often, so from some number on the small ones
//! are synced all at once where that is to be trusted ([`Bulk`]): at the end, and before, so that the end does not take
//! long. Large files are always synced by themselves, as soon as they end: `syncfs` would be slow to come to them, and those
//! written by direct I/O have nothing else to wait for than the disk's own cache.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::bulk::Bulk;
use super::files::writers::leave;
use crate::disk::{At, DiskError, drop_cached};
use crate::lock::lock;
use crate::stop::Stop;

/// How many files are synced at a time. A backup has thousands of small ones, each of which waits for the disk.
const THREADS: usize = 4;

/// How many files may wait for a thread; whoever finishes one more waits too.
const QUEUE: usize = 64;

/// How many small files are synced one by one.
const FEW: u64 = 256;

/// Length, in bytes, from which a file is synced by itself however many there are.
const LARGE: u64 = 1 << 20;

/// How much of small files, in bytes, is written before all of it is synced, unless that is being done already. It keeps
/// the disk busy early, and what is left for the end small.
const BULK: u64 = 64 << 20;

/// A finished file.
#[derive(Debug)]
pub(super) struct Finished {
    /// Its path in the stream.
    pub(super) path: PathBuf,
    /// Open for writing; nobody writes to it any more.
    pub(super) file: Arc<File>,
    /// How much of it was written, in bytes.
    pub(super) written: u64,
}

/// What a thread is to sync.
#[derive(Debug)]
enum Job {
    One(Finished),
    /// Everything that was written so far.
    All,
}

/// Threads that sync finished files and close them. The first error is kept, and final.
#[derive(Debug)]
pub(super) struct Syncers {
    /// `None` once nothing more may come.
    queue: Mutex<Option<SyncSender<Job>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    small: Mutex<Small>,
    common: Arc<Common>,
}

/// The small files so far.
#[derive(Debug, Default)]
struct Small {
    files: u64,
    /// What was written of those that nobody was told to sync, in bytes.
    pending: u64,
    /// Whether there was one that is not synced by itself.
    in_bulk: bool,
}

#[derive(Debug)]
struct Common {
    bulk: Option<Bulk>,
    /// Whether a thread was told to sync everything and has not done it yet.
    syncing_all: AtomicBool,
    failed: Mutex<Option<DiskError>>,
    /// Nobody wants the files any more.
    stop: Stop,
}

impl Syncers {
    /// Starts the threads. Once `stop` is raised they close files without syncing them. `bulk` is the file system of the
    /// files, if it can be synced as a whole.
    pub(super) fn start(stop: Stop, bulk: Option<Bulk>) -> io::Result<Syncers> {
        let (queue, waiting) = sync_channel(QUEUE);
        let waiting = Arc::new(Mutex::new(waiting));
        let common = Arc::new(Common { bulk, syncing_all: AtomicBool::new(false), failed: Mutex::default(), stop });
        let start_one = |_| {
            let (waiting, common) = (Arc::clone(&waiting), Arc::clone(&common));
            thread::Builder::new().name("sync".into()).spawn(move || run(&waiting, &common))
        };
        let threads: io::Result<Vec<_>> = (0..THREADS).map(start_one).collect();
        let (queue, threads, small) = (Mutex::new(Some(queue)), Mutex::new(threads?), Mutex::default());
        Ok(Syncers { queue, threads, small, common })
    }

    /// Takes a finished file. Waits while too many are waiting.
    pub(super) fn push(&self, finished: Finished) {
        if self.common.bulk.is_none() || finished.written >= LARGE {
            return self.send(Job::One(finished));
        }
        let mut small = lock(&self.small);
        small.files += 1;
        if small.files <= FEW {
            drop(small);
            return self.send(Job::One(finished));
        }
        small.in_bulk = true;
        small.pending += finished.written;
        // One at a time: a second one beside it would write the same.
        if small.pending >= BULK && !self.common.syncing_all.swap(true, Ordering::AcqRel) {
            small.pending = 0;
            drop(small);
            self.send(Job::All);
        }
    }

    /// The first error so far.
    pub(super) fn check(&self) -> Result<(), DiskError> {
        lock(&self.common.failed).clone().map_or(Ok(()), Err)
    }

    /// Waits until all files are synced, or closed because of the stop, and ends the threads.
    pub(super) fn finish(&self) -> Result<(), DiskError> {
        drop(lock(&self.queue).take());
        let threads = std::mem::take(&mut *lock(&self.threads));
        let panicked = threads.into_iter().map(JoinHandle::join).filter(Result::is_err).count();
        if panicked > 0 {
            self.common.fail(DiskError::new("syncing", "the files", io::Error::other("a thread panicked")));
        }
        if std::mem::take(&mut lock(&self.small).in_bulk) {
            self.common.sync(Job::All);
        }
        self.check()
    }

    /// Closes the files that wait without syncing them, and ends the threads; but waits for none that waits for a disk.
    pub(super) fn abandon(&self) {
        self.common.stop.raise();
        drop(lock(&self.queue).take());
        leave(std::mem::take(&mut *lock(&self.threads)));
    }

    fn send(&self, job: Job) {
        let queue = lock(&self.queue).clone();
        if let Some(queue) = queue {
            // It fails only if all threads have panicked, which `finish` reports.
            let _ = queue.send(job);
        }
    }
}

impl Drop for Syncers {
    fn drop(&mut self) {
        self.abandon();
    }
}

impl Common {
    /// Does a job, unless nobody wants it any more.
    fn sync(&self, job: Job) {
        if self.stop.is_raised() {
            return;
        }
        let done = match job {
            Job::One(Finished { path, file, written }) => {
                let synced = file.sync_data().at("syncing", path);
                if written >= LARGE {
                    drop_cached(&file, written);
                }
                synced
            }
            Job::All => {
                let synced = self.bulk.as_ref().map_or(Ok(()), Bulk::sync);
                self.syncing_all.store(false, Ordering::Release);
                synced.at("syncing", "the files")
            }
        };
        if let Err(error) = done {
            self.fail(error);
        }
    }

    fn fail(&self, error: DiskError) {
        lock(&self.failed).get_or_insert(error);
    }
}

fn run(waiting: &Mutex<Receiver<Job>>, common: &Common) {
    while let Some(job) = next(waiting) {
        common.sync(job);
    }
}

fn next(waiting: &Mutex<Receiver<Job>>) -> Option<Job> {
    lock(waiting).recv().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(name: &str) -> Finished {
        Finished { path: name.into(), file: Arc::new(tempfile::tempfile().unwrap()), written: 1 }
    }

    /// A pipe cannot be synced.
    fn bad(name: &str) -> Finished {
        let (_reader, writer) = rustix::pipe::pipe().unwrap();
        Finished { path: name.into(), file: Arc::new(writer.into()), written: 1 }
    }

    #[test]
    fn more_files_than_the_queue_holds_are_all_closed() {
        let syncers = Syncers::start(Stop::default(), None).unwrap();
        let files: Vec<Arc<File>> = (0..3 * QUEUE).map(|_| Arc::new(tempfile::tempfile().unwrap())).collect();
        for file in &files {
            syncers.push(Finished { path: "f".into(), file: Arc::clone(file), written: 1 });
        }
        syncers.finish().unwrap();
        assert!(files.iter().all(|file| Arc::strong_count(file) == 1));
    }

    #[test]
    fn many_small_files_are_synced_at_once() {
        let room = tempfile::tempdir().unwrap();
        let bulk = Bulk::of(std::fs::File::open(room.path()).unwrap().into());
        let trusted = bulk.is_some();
        let syncers = Syncers::start(Stop::default(), bulk).unwrap();
        (0..FEW).for_each(|_| syncers.push(good("few")));
        // By itself, it could not be synced.
        syncers.push(bad("one more"));
        assert_eq!(syncers.finish().is_ok(), trusted);

        let syncers =
            Syncers::start(Stop::default(), Bulk::of(std::fs::File::open(room.path()).unwrap().into())).unwrap();
        (0..FEW).for_each(|_| syncers.push(good("few")));
        syncers.push(Finished { written: LARGE, ..bad("large") });
        assert_eq!(syncers.finish().unwrap_err().to_string(), "syncing large: Invalid argument");
    }

    #[test]
    fn the_first_error_is_kept_and_names_its_file() {
        let syncers = Syncers::start(Stop::default(), None).unwrap();
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
        let syncers = Syncers::start(Stop::default(), None).unwrap();
        syncers.push(good("a"));
        syncers.abandon();
        syncers.abandon();
        assert!(syncers.threads.lock().unwrap().is_empty());
    }
}
