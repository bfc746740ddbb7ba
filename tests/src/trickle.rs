//! A source that takes its time, so that something can happen before it ends.

use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::{Backup, Input};

/// A backup that trickles until it is released; its last megabyte does not come before.
pub struct Trickle {
    stream: Vec<u8>,
    released: Arc<AtomicBool>,
}

/// Bytes that come at once, and how long there is nothing then: a megabyte and a half a second.
const PIECE: usize = 16 << 10;
const PAUSE: Duration = Duration::from_millis(10);

/// How much is held back, in bytes: enough to show that whatever happened did no harm.
const REST: usize = 1 << 20;

impl Trickle {
    /// That of a backup of some megabytes.
    pub fn of(backup: &Backup) -> Trickle {
        Trickle { stream: backup.stream(), released: Arc::default() }
    }

    /// What a program reads.
    pub fn input(&self) -> Input {
        let stream = Cursor::new(self.stream.clone());
        Input::Reader(Box::new(Source { stream, released: Arc::clone(&self.released) }))
    }

    /// Lets the rest come as fast as it can.
    pub fn release(&self) {
        self.released.store(true, Ordering::Relaxed);
    }
}

struct Source {
    stream: Cursor<Vec<u8>>,
    released: Arc<AtomicBool>,
}

impl Source {
    fn left(&self) -> usize {
        self.stream.get_ref().len() - self.stream.position() as usize
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.released.load(Ordering::Relaxed) {
                return self.stream.read(buffer);
            }
            thread::sleep(PAUSE);
            if self.left() > REST {
                let most = buffer.len().min(PIECE);
                return self.stream.read(&mut buffer[..most]);
            }
        }
    }
}
