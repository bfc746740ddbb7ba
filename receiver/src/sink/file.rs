//! `-o FILE`: a new file with its checksum beside it.
//!
//! The bytes go to `FILE.partial`, which is locked as long as this process lives. Commit syncs it, renames it to `FILE`
//! and puts `FILE.sha1` beside it, replacing nothing. `FILE` comes first: if the host dies between the two, a whole
//! backup without its checksum is better than a checksum of nothing.

mod claim;
#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustix::fs::{AtFlags, OFlags, fsync, openat, unlinkat};
use xbproto::lane::{LaneDigest, LaneId, Sha1Sum};

use super::sync_ahead::{Pace, SyncAhead};
use super::{Interrupter, LaneSink, LaneSum, Opened, Reached, Sink, SinkError, Target};
use crate::disk::{At, DiskError, FILE_MODE, entry, free_bytes, open_dir, rename_new};
use crate::stop::Stop;

/// How old bytes may get before they are synced, however few they are.
const SYNC_AGE: Duration = Duration::from_millis(200);

/// A new regular file.
#[derive(Debug)]
pub struct FileSink {
    path: PathBuf,
    dir: OwnedFd,
    name: OsString,
    /// The partial file, locked; `None` once it was committed or abandoned.
    partial: Option<Arc<File>>,
    /// Once there is a lane.
    ahead: Option<Arc<SyncAhead>>,
    pace: Pace,
    /// Whether the whole of the partial file is durable.
    synced: bool,
    stop: Stop,
}

impl FileSink {
    /// Takes possession of `path`, under which nothing may stand yet, by making and locking its partial file.
    /// `window`, in bytes, is the session's: a quarter of it is synced at a time.
    ///
    /// # Errors
    /// When `path` or its checksum file exists, when another process is writing it, or when it cannot be made.
    pub fn create(path: &Path, window: u64) -> Result<Opened<FileSink>, SinkError> {
        let name = path.file_name().ok_or(SinkError::NotAFile { path: path.into(), kind: "directory" })?;
        let dir = open_dir(path.parent().unwrap_or(Path::new("."))).at("opening the directory of", path)?;
        refuse_existing(&dir, path)?;
        let partial_path = beside(path, PARTIAL);
        let (file, notices) = claim::claim(&partial_path)?;
        let pace = Pace { bytes: (window / 4).max(1), age: SYNC_AGE };
        let (partial, ahead, stop) = (Some(Arc::new(file)), None, Stop::default());
        let sink = FileSink { path: path.into(), dir, name: name.into(), partial, ahead, pace, synced: false, stop };
        // Once more, now that nobody else can be committing it.
        refuse_existing(&sink.dir, path)?;
        Ok(Opened { sink, notices, recalled: None })
    }

    /// Writes the checksum under its temporary name, and syncs it.
    fn write_checksum(&self, sum: Sha1Sum) -> Result<(), DiskError> {
        let path = beside(&self.path, CHECKSUM_PARTIAL);
        let name = suffixed(&self.name, CHECKSUM_PARTIAL);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut file = openat(&self.dir, &name, flags, FILE_MODE).map(File::from).at("creating", &path)?;
        file.write_all(&checksum_line(sum, &self.name)).at("writing", &path)?;
        file.sync_all().at("syncing", &path)
    }

    /// Gives file and checksum their final names, and takes them back if that cannot be made to last.
    fn publish(&self) -> Result<(), SinkError> {
        self.rename(PARTIAL, "")?;
        if let Err(error) = self.rename(CHECKSUM_PARTIAL, CHECKSUM) {
            return Err(self.take_back(error, &[("", PARTIAL)]));
        }
        let synced = fsync(&self.dir).at("syncing the directory of", &self.path);
        synced.map_err(|error| self.take_back(error.into(), &[(CHECKSUM, CHECKSUM_PARTIAL), ("", PARTIAL)]))
    }

    /// Undoes these renames because of `error`, makes that durable, and says what is to be reported.
    fn take_back(&self, error: SinkError, renames: &[(&str, &str)]) -> SinkError {
        let undone = renames.iter().try_for_each(|(from, to)| self.rename(from, to));
        let lasting = undone.and_then(|()| Ok(fsync(&self.dir).at("syncing the directory of", &self.path)?));
        match lasting {
            Ok(()) => error,
            Err(undo) => SinkError::NotUndone { error: error.into(), path: self.path.clone(), undo: undo.into() },
        }
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), SinkError> {
        let renamed = rename_new(&self.dir, &suffixed(&self.name, from), &self.dir, &suffixed(&self.name, to));
        renamed.map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => SinkError::Exists { path: beside(&self.path, to) },
            _ => DiskError::new("renaming", beside(&self.path, from), error).into(),
        })
    }
}

impl Sink for FileSink {
    fn lane(&mut self, lane: LaneId, from: &LaneDigest) -> Result<Box<dyn LaneSink>, SinkError> {
        if lane != LaneId(0) {
            return Err(SinkError::OneLane { lane, target: self.target().describe });
        }
        let file = self.partial.clone().ok_or_else(|| self.out_of_turn("lane"))?;
        let path = beside(&self.path, PARTIAL);
        let ahead = SyncAhead::start(Arc::clone(&file), &path, self.pace, from, |_| Ok(())).at("syncing", &path)?;
        let ahead = self.ahead.insert(Arc::new(ahead));
        Ok(Box::new(FileLane { file, path, written: from.len(), ahead: Arc::clone(ahead) }))
    }

    fn sync(&mut self) -> Result<(), SinkError> {
        let file = self.partial.as_ref().ok_or_else(|| self.out_of_turn("sync"))?;
        if self.synced {
            return Ok(());
        }
        // Before the last sync, so that an error is not told to a sync that nobody asks any more.
        self.ahead.as_ref().map_or(Ok(None), |ahead| ahead.stop())?;
        if self.stop.is_raised() {
            return Err(SinkError::Interrupted { target: self.target().describe });
        }
        file.sync_all().at("syncing", &self.path)?;
        self.synced = true;
        Ok(())
    }

    fn commit(&mut self, sums: &[LaneSum]) -> Result<Reached, SinkError> {
        let [sum] = sums else { return Err(self.out_of_turn("commit")) };
        self.sync()?;
        self.write_checksum(sum.sum)?;
        self.publish()?;
        self.partial = None;
        Ok(Reached::Synced)
    }

    fn abandon(&mut self) {
        if self.partial.take().is_some() {
            for suffix in [PARTIAL, CHECKSUM_PARTIAL] {
                // Nothing can be done about a failure; the next run replaces what is left.
                let _ = unlinkat(&self.dir, suffixed(&self.name, suffix), AtFlags::empty());
            }
        }
    }

    fn interrupter(&self) -> Interrupter {
        let stop = self.stop.clone();
        Interrupter::new(move || stop.raise())
    }

    fn target(&self) -> Target {
        let describe = format!("file {}", crate::disk::shown(&self.path));
        Target { describe, free: free_bytes(&self.dir) }
    }
}

impl FileSink {
    fn out_of_turn(&self, call: &'static str) -> SinkError {
        SinkError::OutOfTurn { target: self.target().describe, call }
    }
}

impl Drop for FileSink {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// Writes the one lane of a file.
struct FileLane {
    file: Arc<File>,
    path: PathBuf,
    written: u64,
    ahead: Arc<SyncAhead>,
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

const PARTIAL: &str = ".partial";
const CHECKSUM: &str = ".sha1";
const CHECKSUM_PARTIAL: &str = ".sha1.partial";

/// Refuses a target that exists, or whose checksum file does.
fn refuse_existing(dir: &OwnedFd, path: &Path) -> Result<(), SinkError> {
    let name = path.file_name().unwrap_or_default();
    for suffix in ["", CHECKSUM] {
        if entry(dir, suffixed(name, suffix)).at("looking at", path)?.is_some() {
            return Err(SinkError::Exists { path: beside(path, suffix) });
        }
    }
    Ok(())
}

/// `path` with `suffix` at the end of its name.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    path.with_file_name(suffixed(path.file_name().unwrap_or_default(), suffix))
}

fn suffixed(name: &OsStr, suffix: &str) -> OsString {
    let mut name = name.to_owned();
    name.push(suffix);
    name
}

/// What `sha1sum` prints for a file of this name, and `sha1sum -c` reads.
fn checksum_line(sum: Sha1Sum, name: &OsStr) -> Vec<u8> {
    let mut escaped = Vec::new();
    for byte in name.as_bytes() {
        match byte {
            b'\\' => escaped.extend(br"\\"),
            b'\n' => escaped.extend(br"\n"),
            b'\r' => escaped.extend(br"\r"),
            _ => escaped.push(*byte),
        }
    }
    let mark = if escaped.len() > name.len() { "\\" } else { "" };
    [format!("{mark}{sum}  ").as_bytes(), &escaped, b"\n"].concat()
}
