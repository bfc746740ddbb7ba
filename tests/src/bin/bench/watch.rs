//! The memory of a process, watched while it runs.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use xbtests::peak_memory;

/// How often one looks: what a process took in its last moments is missed.
const PERIOD: Duration = Duration::from_millis(20);

/// A thread that looks at a process.
pub(crate) struct Watch {
    stop: Sender<()>,
    thread: JoinHandle<u64>,
}

impl Watch {
    /// Begins to watch a process.
    pub(crate) fn on(pid: u32) -> Watch {
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn(move || {
            let mut highest = 0;
            while stopped.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                highest = peak_memory(pid).unwrap_or(0).max(highest);
            }
            highest
        });
        Watch { stop, thread }
    }

    /// The most resident memory it was seen to have had, in kilobytes.
    pub(crate) fn peak(self) -> u64 {
        drop(self.stop);
        self.thread.join().unwrap_or(0)
    }
}
