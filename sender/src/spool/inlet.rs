//! Where the bytes of a lane go into the spool, and what is told of that.

use std::sync::Arc;

use tokio::time::Instant;
use xbproto::cli::Event;
use xbproto::quantity::ByteSize;

use super::episode::Episode;
use super::lane::Lane;
use super::queue::{Put, Spill};
use super::store::Full;

/// Puts bytes into a queue. Its writing blocks for as long as the disk does.
#[derive(Debug)]
pub struct Inlet {
    lane: Arc<Lane>,
    /// The disk is used.
    spilling: Episode,
    /// There is as much on it as there may be.
    full: Episode,
    /// It takes no more.
    refused: Episode,
}

impl Inlet {
    pub(super) fn new(lane: Arc<Lane>) -> Inlet {
        Inlet { lane, spilling: Episode::default(), full: Episode::default(), refused: Episode::default() }
    }

    /// Puts all of `bytes`, and waits for room where there is none. They begin to go to the disk only once
    /// `window_is_full` has come to be true. If this is dropped before it is done, some are put.
    pub async fn put(&mut self, mut bytes: &[u8], window_is_full: impl AsyncFn()) {
        let mut spill = Spill::NotYet;
        while !bytes.is_empty() {
            let put = match self.lane.put(bytes, spill) {
                Put::Memory(len) => len,
                Put::Disk(place) => match self.lane.write(place, &bytes[..place.len]) {
                    Ok(()) => self.spilled(place.len),
                    Err(full) => self.refused(&full).await,
                },
                Put::Later => {
                    spill = self.spill_or_room(&window_is_full).await;
                    0
                }
                Put::Full => self.full().await,
            };
            bytes = &bytes[put..];
        }
    }

    /// Nothing more comes.
    pub fn end(self) {
        self.lane.end();
    }

    /// Waits for room in memory, or until the window is full.
    async fn spill_or_room(&self, window_is_full: impl AsyncFn()) -> Spill {
        tokio::select! {
            biased;
            () = window_is_full() => Spill::Now,
            () = self.lane.wait_for_room() => Spill::NotYet,
        }
    }

    fn spilled(&mut self, len: usize) -> usize {
        if self.spilling.begins(Instant::now()) {
            let dir = self.lane.dir.display();
            let begins = format!("the link takes less than the source gives: spooling to {dir}");
            self.lane.reporter.tell(Event::Detail(begins));
            self.lane.tell_when_empty(Event::Detail(format!("the spool in {dir} has run empty")));
        }
        len
    }

    async fn refused(&mut self, full: &Full) -> usize {
        if self.refused.begins(Instant::now()) {
            let (dir, queued) = (self.lane.dir.display(), ByteSize(self.lane.gauge.queued()));
            let words = format!("the spool in {dir} takes no more: {full}; {queued} are queued, the source waits");
            self.lane.reporter.tell(Event::Warning(words));
        }
        self.lane.wait_for_room().await;
        0
    }

    async fn full(&mut self) -> usize {
        if self.full.begins(Instant::now()) {
            let (dir, limit) = (self.lane.dir.display(), ByteSize(self.lane.gauge.limit()));
            self.lane.reporter.tell(Event::Warning(format!("the spool of {limit} in {dir} is full, the source waits")));
        }
        self.lane.wait_for_room().await;
        0
    }
}
