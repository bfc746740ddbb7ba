//! What the unpacked backup says of itself.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags, openat};
use xbproto::backup::{BackupFacts, MAX_METADATA, MetadataFile};

use super::{ExtractError, Extraction};

impl Extraction {
    /// What the metadata files among the unpacked files say, before the commit gives them their names. What cannot be read
    /// says nothing: the backup is as good without.
    pub fn facts(&self) -> BackupFacts {
        let root = self.staging.tree().map_err(io::Error::other).and_then(|tree| tree.dir(Path::new("")));
        root.map_or_else(|_| BackupFacts::default(), facts_in)
    }

    /// Whether the metadata files are the text that they always are. The oldest formats of xbcrypt take any key, and
    /// make rubbish of the files by a wrong one.
    ///
    /// # Errors
    /// `WrongKey` when one of them is none.
    pub(super) fn check_decrypted(&self) -> Result<(), ExtractError> {
        let root = self.staging.tree()?.into_root();
        let is_rubbish = |name: &str| matches!(content(&root, name), Ok(Some(bytes)) if !is_text(&bytes));
        match MetadataFile::names().find(|(name, _)| is_rubbish(name)) {
            Some((name, _)) => Err(ExtractError::WrongKey { path: name.into() }),
            None => Ok(()),
        }
    }
}

fn is_text(bytes: &[u8]) -> bool {
    // What was read may end within a character.
    let cut = |error: std::str::Utf8Error| error.error_len().is_none() && bytes.len() > MAX_METADATA;
    !bytes.contains(&0) && std::str::from_utf8(bytes).map_or_else(cut, |_| true)
}

/// What the metadata files in the directory `dir` say.
fn facts_in(dir: impl AsFd) -> BackupFacts {
    let mut files: Vec<_> = MetadataFile::names().collect();
    files.sort_by_key(|(_, file)| *file);
    let read = files.into_iter().filter_map(|(name, file)| Some(file.read(&content(&dir, name).ok()??)));
    read.fold(BackupFacts::default(), BackupFacts::or)
}

/// The bytes of the regular file `name`, links not followed; up to one more than is read of such a file.
fn content(dir: impl AsFd, name: &str) -> io::Result<Option<Vec<u8>>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(openat(dir, name, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Ok(None);
    }
    let mut content = Vec::new();
    file.take(MAX_METADATA as u64 + 1).read_to_end(&mut content)?;
    Ok(Some(content))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

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
