//! Putting the payload of one chunk where it belongs in its file.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::vec::IntoIter;

use xbproto::xbstream::{SparseRun, StreamPath};

use crate::disk::{At, DiskError, Output, PageCache, Pages, as_path, drop_cached};

/// The payload of a chunk, in bytes, from which direct I/O pays: the tools send large files in chunks of several MiB.
/// Smaller ones go through the page cache, where one call is all that a small file needs.
const LARGE: u64 = 1 << 20;

/// How much of a file, in bytes, is written through the page cache before it is sent to the disk and dropped there.
const WRITE_BEHIND: u64 = 8 << 20;

/// The chunk a lane is in the middle of. Writing needs no lock: each piece has its own place in the file.
#[derive(Debug)]
pub(super) struct Writing {
    path: StreamPath,
    file: Arc<File>,
    /// Where the first byte went.
    begin: u64,
    /// Where the next byte goes.
    position: u64,
    /// Bytes until the next hole.
    left: u64,
    runs: IntoIter<SparseRun>,
    /// What writes a large chunk.
    output: Option<Output>,
}

impl Writing {
    /// `len` bytes from `offset` on.
    pub(super) fn solid(path: StreamPath, file: Arc<File>, offset: u64, len: u64) -> Writing {
        let runs = Vec::new().into_iter();
        Writing { path, file, begin: offset, position: offset, left: len, runs, output: None }
    }

    /// Holes and data in turn, from `offset` on.
    pub(super) fn sparse(path: StreamPath, file: Arc<File>, offset: u64, runs: Vec<SparseRun>) -> Writing {
        let runs = runs.into_iter();
        Writing { path, file, begin: offset, position: offset, left: 0, runs, output: None }
    }

    /// Gets ready, with `spare` pages of an earlier chunk if the lane has some.
    pub(super) fn prepare(&mut self, cache: PageCache, spare: &mut Option<Pages>) {
        if self.left >= LARGE {
            let (file, pages) = (Arc::clone(&self.file), spare.take().unwrap_or_default());
            self.output = Some(Output::of_part(file, self.position, cache, pages));
        }
    }

    /// Writes the next bytes of the payload. What lies between two runs is not written, and so stays a hole.
    pub(super) fn write(&mut self, mut bytes: &[u8]) -> Result<(), DiskError> {
        while !bytes.is_empty() {
            if self.left == 0 {
                // The decoder has checked that the runs add up to the payload.
                let Some(run) = self.runs.next() else { return Ok(()) };
                self.position += u64::from(run.skip);
                self.left = u64::from(run.write);
                continue;
            }
            let (now, later) = bytes.split_at(bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX)));
            let written = match &mut self.output {
                Some(output) => output.write(now),
                None => self.file.write_all_at(now, self.position),
            };
            written.at("writing", as_path(&self.path))?;
            self.position += now.len() as u64;
            self.left -= now.len() as u64;
            bytes = later;
        }
        Ok(())
    }

    /// The payload is complete: all of it is in the file. Gives back the pages.
    pub(super) fn finish(self) -> Result<Option<Pages>, DiskError> {
        let pages = self.output.map(Output::end).transpose().at("writing", as_path(&self.path))?;
        if self.begin / WRITE_BEHIND != self.position / WRITE_BEHIND {
            // Starts to write what is not on the disk yet, and drops what is.
            drop_cached(&self.file, self.position);
        }
        Ok(pages)
    }
}
