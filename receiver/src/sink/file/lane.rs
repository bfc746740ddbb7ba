//! The one lane of a file: write, and sync in the background.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use xbproto::lane::LaneDigest;

use crate::disk::At;
use crate::sink::sync_ahead::SyncAhead;
use crate::sink::{LaneSink, SinkError};

/// Writes the one lane of a file.
pub(super) struct FileLane {
    file: Arc<File>,
    path: PathBuf,
    written: u64,
    ahead: Arc<SyncAhead>,
}

impl FileLane {
    /// Writes to `file`, which is called `path` in errors, from the offset `written` on.
    pub(super) fn new(file: Arc<File>, path: &Path, written: u64, ahead: Arc<SyncAhead>) -> FileLane {
        FileLane { file, path: path.into(), written, ahead }
    }
}

impl LaneSink for FileLane {
    fn write(&mut self, bytes: &Bytes) -> Result<(), SinkError> {
        self.file.write_all_at(bytes, self.written).at("writing", &self.path)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    fn durable(&mut self, written: &LaneDigest) -> Result<u64, SinkError> {
        Ok(self.ahead.durable(written)?)
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}
