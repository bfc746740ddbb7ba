//! Putting the payload of one chunk where it belongs in its file.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::vec::IntoIter;

use xbproto::xbstream::{SparseRun, StreamPath};

use crate::disk::{At, DiskError, as_path};

/// The chunk a lane is in the middle of. Writing needs no lock: each piece has its own place in the file.
#[derive(Debug)]
pub(super) struct Writing {
    path: StreamPath,
    file: Arc<File>,
    /// Where the next byte goes.
    position: u64,
    /// Bytes until the next hole.
    left: u64,
    runs: IntoIter<SparseRun>,
}

impl Writing {
    /// `len` bytes from `offset` on.
    pub(super) fn solid(path: StreamPath, file: Arc<File>, offset: u64, len: u64) -> Writing {
        Writing { path, file, position: offset, left: len, runs: Vec::new().into_iter() }
    }

    /// Holes and data in turn, from `offset` on.
    pub(super) fn sparse(path: StreamPath, file: Arc<File>, offset: u64, runs: Vec<SparseRun>) -> Writing {
        Writing { path, file, position: offset, left: 0, runs: runs.into_iter() }
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
            self.file.write_all_at(now, self.position).at("writing", as_path(&self.path))?;
            self.position += now.len() as u64;
            self.left -= now.len() as u64;
            bytes = later;
        }
        Ok(())
    }
}
