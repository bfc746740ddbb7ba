//! The names a file and what belongs to it have on their way, all in one directory.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Stat, fsync, unlinkat};
use rustix::io::Errno;
use xbproto::lane::LaneId;

use crate::disk::{At, DiskError, entry, open_dir, rename_new};
use crate::sink::SinkError;

/// What follows the name of the file while its bytes come.
pub(super) const PARTIAL: &str = ".partial";
/// The same for the journal of its session.
pub(super) const JOURNAL: &str = ".partial.journal";
/// The same for its checksum.
pub(super) const CHECKSUM: &str = ".sha1";
/// The same for its checksum before it is complete.
pub(super) const CHECKSUM_PARTIAL: &str = ".sha1.partial";

/// The path of the file of one of several streams that are stored at `path`: a dot and the stream's number behind it.
pub fn part_path(path: &Path, lane: LaneId) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(part_suffix(lane.0));
    part.into()
}

fn part_suffix(lane: u16) -> String {
    format!(".{lane}")
}

/// A file to be, by its final name.
#[derive(Debug)]
pub(super) struct Names {
    path: PathBuf,
    dir: OwnedFd,
    name: OsString,
}

impl Names {
    /// The names around `path`, whose directory must exist.
    pub(super) fn around(path: &Path) -> Result<Names, SinkError> {
        let name = path.file_name().ok_or(SinkError::NotAFile { path: path.into(), kind: "directory" })?;
        let dir = open_dir(path.parent().unwrap_or(Path::new("."))).at("opening the directory of", path)?;
        Ok(Names { path: path.into(), dir, name: name.into() })
    }

    /// The names of the file of one of several streams: this one, a dot, and the stream's number.
    pub(super) fn of_part(&self, lane: u16) -> Result<Names, DiskError> {
        let suffix = part_suffix(lane);
        let path = self.beside(&suffix);
        let dir = self.dir.try_clone().at("opening the directory of", &path)?;
        Ok(Names { name: self.suffixed(&suffix), path, dir })
    }

    /// The final path, as the operator spells it.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The final name.
    pub(super) fn name(&self) -> &OsStr {
        &self.name
    }

    /// The directory of all of them.
    pub(super) fn dir(&self) -> &OwnedFd {
        &self.dir
    }

    /// The path with `suffix` at the end.
    pub(super) fn beside(&self, suffix: &str) -> PathBuf {
        self.path.with_file_name(self.suffixed(suffix))
    }

    /// The name with `suffix` at the end.
    pub(super) fn suffixed(&self, suffix: &str) -> OsString {
        let mut name = self.name.clone();
        name.push(suffix);
        name
    }

    /// What stands under the name with `suffix`, if something does.
    pub(super) fn entry(&self, suffix: &str) -> Result<Option<Stat>, DiskError> {
        entry(&self.dir, self.suffixed(suffix)).at("looking at", self.beside(suffix))
    }

    /// Refuses a target that exists, or whose checksum file does.
    pub(super) fn refuse_existing(&self) -> Result<(), SinkError> {
        for suffix in ["", CHECKSUM] {
            if self.entry(suffix)?.is_some() {
                return Err(SinkError::Exists { path: self.beside(suffix) });
            }
        }
        Ok(())
    }

    /// Renames one to another, and replaces nothing.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<(), SinkError> {
        let renamed = rename_new(&self.dir, &self.suffixed(from), &self.dir, &self.suffixed(to));
        renamed.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => SinkError::Exists { path: self.beside(to) },
            _ => DiskError::new("renaming", self.beside(from), error).into(),
        })
    }

    /// Removes one. That it is missing is no error.
    pub(super) fn remove(&self, suffix: &str) -> Result<(), DiskError> {
        match unlinkat(&self.dir, self.suffixed(suffix), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(DiskError::new("removing", self.beside(suffix), error)),
        }
    }

    /// Makes the names durable.
    pub(super) fn sync(&self) -> Result<(), DiskError> {
        fsync(&self.dir).at("syncing the directory of", &self.path)
    }
}
