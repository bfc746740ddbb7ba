//! A sink that compares every byte with what it should be, and a disk as slow as wanted.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::sleep;
use xbproto::lane::{LaneDigest, LaneId};
use xbrecv::disk::DiskError;
use xbrecv::sink::{Interrupter, LaneSink, LaneSum, Reached, Sink, SinkError, Target};

use super::pattern::Pattern;
use super::{Event, Log};

/// What the sink's disk is like. The default takes everything at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk {
    /// What becomes durable, in bytes per second of every lane; at once if not set.
    pub sync_rate: Option<u64>,
    /// A lane fails when this many of its bytes would be exceeded.
    pub full_at: Option<u64>,
    /// Whenever it was written to, it hangs for so long.
    pub hangs: Option<Duration>,
}

/// The sink of one simulation.
#[derive(Debug)]
pub struct Memory {
    seed: u64,
    disk: Disk,
    log: Log,
}

impl Memory {
    /// An empty sink.
    pub fn new(seed: u64, disk: Disk, log: Log) -> Memory {
        Memory { seed, disk, log }
    }
}

impl Sink for Memory {
    fn lane(&mut self, lane: LaneId, from: &LaneDigest) -> Result<Box<dyn LaneSink>, SinkError> {
        let pattern = Pattern::new(self.seed, lane);
        let (disk, log) = (self.disk, self.log.clone());
        let (written, durable) = (from.len(), from.len());
        Ok(Box::new(Writer { lane, disk, log, pattern, written, durable, syncing: VecDeque::new() }))
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        self.log.note(Event::Synced);
        Ok(())
    }

    fn commit(&mut self, _: &[LaneSum]) -> Result<Reached, SinkError> {
        self.log.note(Event::Committed);
        Ok(Reached::Synced)
    }

    fn abandon(&mut self) {
        self.log.note(Event::Abandoned);
    }

    fn interrupter(&self) -> Interrupter {
        Interrupter::default()
    }

    fn target(&self) -> Target {
        Target { describe: "memory".to_owned(), free: None }
    }
}

struct Writer {
    lane: LaneId,
    disk: Disk,
    log: Log,
    pattern: Pattern,
    written: u64,
    durable: u64,
    /// Offsets on their way to the disk, and when they will be there.
    syncing: VecDeque<(u64, Duration)>,
}

impl LaneSink for Writer {
    fn write(&mut self, bytes: &Bytes) -> Result<(), SinkError> {
        assert!(self.pattern.holds(self.written, bytes), "{}: other bytes at {}", self.lane, self.written);
        let end = self.written + bytes.len() as u64;
        if self.disk.full_at.is_some_and(|full| end > full) {
            return Err(DiskError::new("writing", "memory", io::ErrorKind::StorageFull).into());
        }
        self.written = end;
        let takes = |rate| Duration::from_micros(bytes.len() as u64 * 1_000_000 / rate);
        let begins = self.syncing.back().map_or(Duration::ZERO, |(_, at)| *at).max(self.log.now());
        self.syncing.push_back((end, begins + self.disk.sync_rate.map_or(Duration::ZERO, takes)));
        self.log.note(Event::Written(self.lane, end));
        Ok(())
    }

    fn durable(&mut self, _written: &LaneDigest) -> Result<u64, SinkError> {
        let now = self.log.now();
        while let Some((offset, _)) = self.syncing.pop_front_if(|(_, at)| *at <= now) {
            self.durable = offset;
            self.log.note(Event::Durable(self.lane, offset));
        }
        Ok(self.durable)
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.log.note(Event::Finished(self.lane));
        Ok(())
    }
}

/// Runs `work`, whatever of it writes, as on a disk that hangs for `pause` after everything that was
/// done in one go. On threads a write would block its own; here the future is left alone for as long.
pub async fn hanging<F: Future>(work: F, pause: Duration) -> F::Output {
    let mut work = Box::pin(work);
    loop {
        if let Poll::Ready(output) = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
            return output;
        }
        sleep(pause).await;
    }
}
