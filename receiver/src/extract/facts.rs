//! What the unpacked backup says of itself.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags, openat};
use xbproto::backup::{BackupFacts, MetadataFile};
use xbproto::xbstream::StreamPath;

use super::beneath::Beneath;
use super::{ExtractError, Extraction, KeyCheck, KeyProof, is_metadata};
use crate::disk::as_path;

impl Extraction {
    /// What the metadata files among the unpacked files say, before the commit gives them their names. What cannot be read
    /// says nothing: the backup is as good without.
    pub fn facts(&self) -> BackupFacts {
        let root = self.staging.tree().map_err(io::Error::other).and_then(|tree| tree.dir(Path::new("")));
        root.map_or_else(|_| BackupFacts::default(), facts_in)
    }

    /// Whether the key has made sense of what was decrypted, some of it in a format that takes any key.
    ///
    /// # Errors
    /// `WrongKey` when a metadata file is no text.
    pub(super) fn check_decrypted(&self) -> Result<KeyProof, ExtractError> {
        let (tree, mut check) = (self.staging.tree()?, KeyCheck::default());
        check.takes_any_key();
        self.shared.look(|inventory| {
            let decoded = || inventory.names().decoded();
            let metadata = decoded().filter(|(path, _)| is_metadata(path));
            let compressed = decoded().filter(|(path, kinds)| kinds.len() > 1 && !is_metadata(path));
            metadata.for_each(|(path, kinds)| check.look(path, &kinds, &start(&tree, path)));
            for (path, kinds) in compressed {
                if check.is_proven() {
                    break;
                }
                check.look(path, &kinds, &start(&tree, path));
            }
        });
        check.verdict()
    }
}

/// What the unpacked file `path` begins with; nothing if it is not there, or cannot be read.
fn start(tree: &Beneath, path: &StreamPath) -> Vec<u8> {
    let path = as_path(path);
    let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else { return Vec::new() };
    let read = tree.dir(dir).and_then(|dir| content(dir, name));
    read.ok().flatten().unwrap_or_default()
}

/// What the metadata files in the directory `dir` say.
fn facts_in(dir: impl AsFd) -> BackupFacts {
    let mut files: Vec<_> = MetadataFile::names().collect();
    files.sort_by_key(|(_, file)| *file);
    let read = files.into_iter().filter_map(|(name, file)| Some(file.read(&content(&dir, name).ok()??)));
    read.fold(BackupFacts::default(), BackupFacts::or)
}

/// The bytes of the regular file `name`, links not followed; up to one more than is read of such a file.
fn content(dir: impl AsFd, name: impl rustix::path::Arg) -> io::Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(openat(dir, name, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Ok(None);
    }
    let mut content = Vec::new();
    file.take(KeyCheck::LOOKED_AT as u64).read_to_end(&mut content)?;
    Ok(Some(content))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use xbproto::backup::MAX_METADATA;

    use super::*;
    use crate::disk::open_dir;

    #[test]
    fn the_files_of_both_vendors_are_read_and_no_link_is_followed() {
        let room = tempfile::tempdir().unwrap();
        let facts = || facts_in(open_dir(room.path()).unwrap());
        assert!(facts().is_empty());
        fs::write(room.path().join("mariadb_backup_checkpoints"), "to_lsn = 42\n").unwrap();
        fs::write(room.path().join("elsewhere"), "tool_name = linked\n").unwrap();
        symlink("elsewhere", room.path().join("mariadb_backup_info")).unwrap();
        fs::create_dir(room.path().join("backup-my.cnf")).unwrap();
        assert_eq!(facts(), BackupFacts { to_lsn: Some(42), ..BackupFacts::default() });
        fs::remove_file(room.path().join("mariadb_backup_info")).unwrap();
        fs::write(room.path().join("mariadb_backup_info"), "tool_name = mariadb-backup\ninnodb_to_lsn = 41\n").unwrap();
        assert_eq!((facts().to_lsn, facts().tool.as_deref()), (Some(42), Some("mariadb-backup")));
    }

    #[test]
    fn a_file_that_is_too_long_says_nothing() {
        let room = tempfile::tempdir().unwrap();
        let long = [b"to_lsn = 42\n".as_slice(), &[b'\n'; MAX_METADATA]].concat();
        fs::write(room.path().join("xtrabackup_checkpoints"), long).unwrap();
        assert!(facts_in(open_dir(room.path()).unwrap()).is_empty());
    }
}
