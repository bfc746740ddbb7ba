//! `--extract`: the lanes are unpacked into a directory.

mod manifest_file;

use std::fmt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use xbproto::backup::BackupFacts;
use xbproto::lane::{LaneDigest, LaneId};

use self::manifest_file::ManifestFile;
use super::{Interrupter, LaneSink, LaneSum, OnLine, Opened, Reached, Sink, SinkError, Target};
use crate::disk::{Ownership, shown};
use crate::extract::{Extraction, Progress, Recovered, Tenancy, Unpacker, Unpacking};
use crate::journal::{Presence, Recalled};

/// A directory into which any number of lanes is unpacked.
pub struct ExtractSink {
    extraction: Extraction,
    dir: PathBuf,
    manifest: Option<ManifestFile>,
    ownership: Ownership,
    tenancy: Tenancy,
    on_warning: Option<OnLine>,
}

impl ExtractSink {
    /// Gets ready to unpack into `dir`, see [`Extraction::create`].
    ///
    /// # Errors
    /// The same.
    pub fn create(dir: &Path, id: u64, unpacking: Unpacking) -> Result<Opened<ExtractSink>, SinkError> {
        let manifest = unpacking.manifest.as_deref().map(ManifestFile::prepare).transpose()?;
        let (extraction, Recovered { notices, presence }) = Extraction::create(dir, id, unpacking)?;
        // What was unpacked was not known to be complete, and is gone.
        let recalled = presence.map(|presence| Recalled { presence, session: None, committed: None });
        let (ownership, tenancy) = (Ownership::default(), Tenancy::Shared);
        let sink = ExtractSink { extraction, dir: dir.into(), manifest, ownership, tenancy, on_warning: None };
        Ok(Opened { sink, notices, recalled })
    }

    /// The same, but what is unpacked gets this owner and these permissions; the directory too, if it is theirs alone.
    #[must_use]
    pub fn owned(self, ownership: Ownership, tenancy: Tenancy) -> ExtractSink {
        ExtractSink { ownership, tenancy, ..self }
    }

    /// The same, but `on_warning` is told, once, what is to be known of files that are good as far as can be seen.
    #[must_use]
    pub fn warning(self, on_warning: OnLine) -> ExtractSink {
        ExtractSink { on_warning: Some(on_warning), ..self }
    }

    /// How far it is, for whoever shows it.
    pub fn progress(&self) -> Progress {
        self.extraction.progress()
    }
}

impl fmt::Debug for ExtractSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtractSink")
            .field("extraction", &self.extraction)
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

impl Sink for ExtractSink {
    fn remember(&mut self, presence: &Presence) -> Result<(), SinkError> {
        Ok(self.extraction.remember(presence)?)
    }

    fn lane(&mut self, lane: LaneId, _from: &LaneDigest) -> Result<Box<dyn LaneSink>, SinkError> {
        Ok(Box::new(ExtractLane { unpacker: self.extraction.lane(lane) }))
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        self.extraction.sync()?;
        if let (Some(words), Some(on_warning)) = (self.extraction.warning(), self.on_warning.take()) {
            on_warning(words.to_owned());
        }
        Ok(self.extraction.give_away(&self.ownership, self.tenancy)?)
    }

    fn facts(&self) -> BackupFacts {
        self.extraction.facts()
    }

    fn commit(&mut self, _sums: &[LaneSum]) -> Result<Reached, SinkError> {
        self.extraction.sync()?;
        let lines = self.extraction.manifest()?;
        if let (Some(manifest), Some(lines)) = (&mut self.manifest, lines) {
            manifest.publish(&lines)?;
        }
        let committed = self.extraction.commit();
        if let (Err(_), Some(manifest)) = (&committed, &mut self.manifest) {
            manifest.take_back();
        }
        committed?;
        Ok(Reached::Synced)
    }

    fn abandon(&mut self) {
        self.extraction.abandon();
    }

    fn left(&self) -> String {
        match self.extraction.left() {
            Some(staging) => format!("{}, which the next run removes", shown(&staging)),
            None => "nothing".to_owned(),
        }
    }

    fn interrupter(&self) -> Interrupter {
        let stop = self.extraction.stop();
        Interrupter::new(move || stop.raise())
    }

    fn target(&self) -> Target {
        Target { describe: format!("directory {}", shown(&self.dir)), free: self.extraction.free() }
    }
}

struct ExtractLane {
    unpacker: Unpacker,
}

impl LaneSink for ExtractLane {
    fn write(&mut self, bytes: &Bytes) -> Result<(), SinkError> {
        Ok(self.unpacker.write(bytes)?)
    }

    /// A staging folder does not survive its process, so nothing is kept back for it.
    fn durable(&mut self, written: &LaneDigest) -> Result<u64, SinkError> {
        Ok(written.len())
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(self.unpacker.finish()?)
    }
}
