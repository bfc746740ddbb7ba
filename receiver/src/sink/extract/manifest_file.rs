//! The file of `--manifest`: made before anything is unpacked, named just before the commit.

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::fsync;
use tempfile::NamedTempFile;

use crate::disk::{At, DiskError, open_dir};
use crate::sink::SinkError;

/// Where the manifest will be. Nothing that exists is overwritten.
#[derive(Debug)]
pub(super) struct ManifestFile {
    path: PathBuf,
    /// The inode that has the name, once it is ours.
    named: Option<u64>,
}

impl ManifestFile {
    /// Makes sure, as far as that can be known beforehand, that it can be written to `path`. Nothing stays.
    pub(super) fn prepare(path: &Path) -> Result<ManifestFile, SinkError> {
        if path.symlink_metadata().is_ok() {
            return Err(SinkError::ManifestExists { path: path.into() });
        }
        unnamed(path)?;
        Ok(ManifestFile { path: path.into(), named: None })
    }

    /// Writes `lines` and gives them their name; they last.
    ///
    /// # Errors
    /// When that fails; nothing has the name by us then.
    pub(super) fn publish(&mut self, lines: &[u8]) -> Result<(), DiskError> {
        let mut file = unnamed(&self.path)?;
        let inode = file.as_file().metadata().at("looking at", &self.path)?.ino();
        file.write_all(lines).and_then(|()| file.as_file().sync_all()).at("writing", &self.path)?;
        file.persist_noclobber(&self.path).map_err(|error| error.error).at("naming", &self.path)?;
        self.named = Some(inode);
        let synced = open_dir(parent(&self.path)).and_then(|dir| Ok(fsync(dir)?));
        synced.at("syncing the directory of", &self.path).inspect_err(|_| self.take_back())
    }

    /// Takes back what [`publish`](Self::publish) did, unless somebody else has the name by now.
    pub(super) fn take_back(&mut self) {
        let there = self.path.symlink_metadata().ok().map(|metadata| metadata.ino());
        if self.named.take().is_some_and(|ours| Some(ours) == there) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A new file beside `path`, gone with its value.
fn unnamed(path: &Path) -> Result<NamedTempFile, DiskError> {
    tempfile::Builder::new().prefix(".xbrecv-manifest-").tempfile_in(parent(path)).at("creating", path)
}

/// The directory that `path` lies in.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<std::ffi::OsString> {
        std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn it_has_its_name_all_at_once_and_can_be_taken_back() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("sums");
        let mut file = ManifestFile::prepare(&path).unwrap();
        assert_eq!(names(room.path()), [""; 0]);
        file.publish(b"lines").unwrap();
        assert_eq!((names(room.path()), std::fs::read(&path).unwrap()), (vec!["sums".into()], b"lines".to_vec()));
        file.take_back();
        assert_eq!(names(room.path()), [""; 0]);
    }

    #[test]
    fn what_somebody_else_has_put_there_stays() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("sums");
        let mut file = ManifestFile::prepare(&path).unwrap();
        std::fs::write(&path, "another's").unwrap();
        assert!(matches!(ManifestFile::prepare(&path), Err(SinkError::ManifestExists { .. })));
        file.publish(b"lines").unwrap_err();
        file.take_back();
        assert_eq!(std::fs::read(&path).unwrap(), b"another's");
        assert_eq!(names(room.path()), ["sums"]);
    }
}
