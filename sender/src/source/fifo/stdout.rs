//! The standard output of a tool that writes to FIFOs: it should be silent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::AsyncReadExt;
use tokio::task::JoinHandle;

use super::super::OnLine;
use super::super::fd::FdReader;
use super::super::lines::{Cutter, Memory};

/// How an xbstream begins.
const MAGIC: &[u8] = b"XBSTCK";

/// Reads a standard output to its end, whatever comes, so that the tool never waits for it. Words are shown as those on
/// standard error are: a wrapper may talk there. A backup is none, and is noticed.
#[derive(Debug)]
pub(super) struct Overheard {
    stream: Arc<AtomicBool>,
    listener: JoinHandle<()>,
}

impl Overheard {
    /// Begins to read, on the current runtime.
    pub(super) fn listen(stdout: FdReader, on_line: OnLine) -> Overheard {
        let stream = Arc::<AtomicBool>::default();
        let listener = tokio::spawn(listen(stdout, on_line, stream.clone()));
        Overheard { stream, listener }
    }

    /// Whether it was a backup.
    pub(super) fn is_stream(&self) -> bool {
        self.stream.load(Ordering::Relaxed)
    }
}

impl Drop for Overheard {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn listen(mut stdout: FdReader, on_line: OnLine, stream: Arc<AtomicBool>) {
    let (mut cutter, mut memory) = (Cutter::default(), Memory::default());
    let mut bytes = vec![0; 16 << 10];
    let mut each = |line: &[u8]| match line.starts_with(MAGIC) {
        true => stream.store(true, Ordering::Relaxed),
        false => on_line(memory.note(line)),
    };
    // An error on a pipe of our own cannot be told from its end.
    while let Ok(len @ 1..) = stdout.read(&mut bytes).await {
        if bytes.starts_with(MAGIC) {
            stream.store(true, Ordering::Relaxed);
        }
        if !stream.load(Ordering::Relaxed) {
            cutter.feed(&bytes[..len], &mut each);
        }
    }
    cutter.end(&mut each);
}
