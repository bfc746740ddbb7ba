//! The one lane of a file: write, and sync in the background.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use xbproto::lane::LaneDigest;

use crate::disk::{At, Output};
use crate::sink::sync_ahead::SyncAhead;
use crate::sink::{LaneSink, SinkError};

/// Writes the one lane of a file.
pub(super) struct FileLane {
    output: Output,
    path: PathBuf,
    ahead: Arc<SyncAhead>,
}

impl FileLane {
    /// Writes to `output`, which is called `path` in errors.
    pub(super) fn new(output: Output, path: &Path, ahead: Arc<SyncAhead>) -> FileLane {
        FileLane { output, path: path.into(), ahead }
    }
}

impl LaneSink for FileLane {
    fn write(&mut self, bytes: &Bytes) -> Result<(), SinkError> {
        Ok(self.output.write(bytes).at("writing", &self.path)?)
    }

    fn durable(&mut self, written: &LaneDigest) -> Result<u64, SinkError> {
        let settle = || self.output.settle().at("writing", &self.path);
        Ok(self.ahead.durable(written, settle)?)
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(self.output.settle().at("writing", &self.path)?)
    }
}
