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

    /// The same, but what is unpacked gets this owner and these permissions; the directory too, if it is theirs alone, once
    /// they are committed.
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
        Ok(self.extraction.give_away(&self.ownership)?)
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
        if self.tenancy == Tenancy::Sole {
            // The backup is committed, whatever comes of this. What is done afterwards tries it again, and tells a failure.
            let _ = self.extraction.give_directory(&self.ownership);
        }
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
        self.unpacker.check()?;
        Ok(written.len())
    }

    fn is_at_rest(&self) -> bool {
        self.unpacker.is_at_rest()
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(self.unpacker.finish()?)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use rustix::fs::Mode;
    use xbproto::xbstream::{Opening, encode};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    /// A sink for the directory `dir` that has unpacked a file, and is to give away what it makes.
    fn unpacked(dir: &Path, tenancy: Tenancy) -> ExtractSink {
        let modes = Ownership {
            file_mode: Some(Mode::from_raw_mode(0o604)),
            dir_mode: Some(Mode::from_raw_mode(0o705)),
            ..Ownership::default()
        };
        let mut sink = ExtractSink::create(dir, 1, Unpacking::default()).unwrap().sink.owned(modes, tenancy);
        let mut lane = sink.lane(LaneId(0), &LaneDigest::default()).unwrap();
        let stream = [encode::payload(b"d/t", Opening::New, 0, b"t").unwrap(), encode::end(b"d/t").unwrap()].concat();
        lane.write(&Bytes::from(stream)).unwrap();
        lane.finish().unwrap();
        sink
    }

    #[test]
    fn the_directory_is_given_away_by_the_commit_and_not_before() {
        for (tenancy, expected) in [(Tenancy::Sole, 0o705), (Tenancy::Shared, 0o700)] {
            let room = tempfile::tempdir().unwrap();
            let dir = room.path();
            fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).unwrap();
            let mut failed = unpacked(dir, tenancy);
            failed.sync().unwrap();
            failed.abandon();
            assert_eq!((mode(dir), fs::read_dir(dir).unwrap().count()), (0o700, 0));
            let mut sink = unpacked(dir, tenancy);
            sink.commit(&[]).unwrap();
            assert_eq!(mode(dir), expected);
        }
    }

    #[test]
    fn what_is_unpacked_is_given_away_before_the_commit() {
        let room = tempfile::tempdir().unwrap();
        let mut sink = unpacked(room.path(), Tenancy::Sole);
        sink.sync().unwrap();
        sink.commit(&[]).unwrap();
        assert_eq!((mode(&room.path().join("d")), mode(&room.path().join("d/t"))), (0o705, 0o604));
    }
}
