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
    /// What is to be reserved before the first byte is written.
    reservation: Option<Reservation>,
}

/// Space for a backup whose size is known.
pub(super) struct Reservation {
    /// The file, for a person.
    pub(super) target: String,
    /// How long it is to become, in bytes.
    pub(super) size: u64,
    /// What was free, in bytes, if that is known.
    pub(super) free: Option<u64>,
}

impl FileLane {
    /// Writes to `output`, which is called `path` in errors.
    pub(super) fn new(
        output: Output,
        path: &Path,
        ahead: Arc<SyncAhead>,
        reservation: Option<Reservation>,
    ) -> FileLane {
        FileLane { output, path: path.into(), ahead, reservation }
    }
}

impl LaneSink for FileLane {
    fn write(&mut self, bytes: &Bytes) -> Result<(), SinkError> {
        if let Some(Reservation { target, size, free }) = self.reservation.take() {
            self.output.reserve(size).map_err(|error| SinkError::NoRoom { target, size, free, error })?;
        }
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
