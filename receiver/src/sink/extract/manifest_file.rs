//! The file of `--manifest`: made before anything is unpacked, named just before the commit.

use std::io::Write;
use std::path::{Path, PathBuf};

use rustix::fs::fsync;
use tempfile::NamedTempFile;

use crate::disk::{At, DiskError, open_dir};
use crate::sink::SinkError;

/// Where the manifest will be. Nothing that exists is overwritten.
#[derive(Debug)]
pub(super) struct ManifestFile {
    path: PathBuf,
    /// `None` once it has its name.
    unnamed: Option<NamedTempFile>,
}

impl ManifestFile {
    /// Makes sure, as far as that can be known beforehand, that it can be written to `path`.
    pub(super) fn prepare(path: &Path) -> Result<ManifestFile, SinkError> {
        if path.symlink_metadata().is_ok() {
            return Err(SinkError::ManifestExists { path: path.into() });
        }
        let unnamed = tempfile::Builder::new().prefix(".xbrecv-manifest-").tempfile_in(parent(path));
        Ok(ManifestFile { path: path.into(), unnamed: Some(unnamed.at("creating", path)?) })
    }

    /// Writes `lines` and gives them their name; they last.
    pub(super) fn publish(&mut self, lines: &[u8]) -> Result<(), DiskError> {
        let Some(mut file) = self.unnamed.take() else { return Ok(()) };
        file.write_all(lines).and_then(|()| file.as_file().sync_all()).at("writing", &self.path)?;
        file.persist_noclobber(&self.path).map_err(|error| error.error).at("naming", &self.path)?;
        open_dir(parent(&self.path)).and_then(|dir| Ok(fsync(dir)?)).at("syncing the directory of", &self.path)
    }

    /// Takes back what [`publish`](Self::publish) did.
    pub(super) fn take_back(&self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The directory that `path` lies in.
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
