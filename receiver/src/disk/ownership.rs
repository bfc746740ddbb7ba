//! Whose a finished file is, and who may do what with it.

use std::io;
use std::os::fd::AsFd;

use rustix::fs::{FileType, Gid, Mode, Stat, Uid, fchmod, fchown, fstat};

/// What is to be changed of the owners and permissions of what was written; the default is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ownership {
    /// The owner.
    pub user: Option<Uid>,
    /// The group.
    pub group: Option<Gid>,
    /// Permissions of files.
    pub file_mode: Option<Mode>,
    /// Permissions of directories.
    pub dir_mode: Option<Mode>,
}

impl Ownership {
    /// Whether nothing is to be changed.
    pub fn is_nothing(&self) -> bool {
        *self == Ownership::default()
    }

    /// Changes what is not yet so of the file or directory `fd`. A file that has other names too may be somebody else's, and
    /// stays as it is; so does anything that is neither.
    pub(crate) fn give(&self, fd: impl AsFd) -> io::Result<()> {
        let stat = fstat(&fd)?;
        let mode = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile if stat.st_nlink == 1 => self.file_mode,
            FileType::Directory => self.dir_mode,
            _ => return Ok(()),
        };
        // The owner first: the kernel takes permissions away when it changes.
        if !self.has_owners(&stat) {
            fchown(&fd, self.user, self.group)?;
        }
        match mode {
            Some(mode) if Mode::from_raw_mode(stat.st_mode) != mode => Ok(fchmod(&fd, mode)?),
            _ => Ok(()),
        }
    }

    fn has_owners(&self, stat: &Stat) -> bool {
        self.user.is_none_or(|user| user.as_raw() == stat.st_uid)
            && self.group.is_none_or(|group| group.as_raw() == stat.st_gid)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    const MODES: Ownership = Ownership {
        user: None,
        group: None,
        file_mode: Some(Mode::from_raw_mode(0o640)),
        dir_mode: Some(Mode::from_raw_mode(0o710)),
    };

    fn mode(file: &File) -> u32 {
        file.metadata().unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn files_and_directories_have_their_own_modes() {
        let room = tempfile::tempdir().unwrap();
        let (dir, file) = (File::open(room.path()).unwrap(), tempfile::NamedTempFile::new_in(room.path()).unwrap());
        MODES.give(&dir).unwrap();
        MODES.give(file.as_file()).unwrap();
        assert_eq!((mode(&dir), mode(file.as_file())), (0o710, 0o640));
        Ownership::default().give(&dir).unwrap();
        assert_eq!(mode(&dir), 0o710);
    }

    #[test]
    fn a_file_with_two_names_stays_as_it_is() {
        let room = tempfile::tempdir().unwrap();
        let file = tempfile::NamedTempFile::new_in(room.path()).unwrap();
        fs::hard_link(file.path(), room.path().join("other")).unwrap();
        let before = mode(file.as_file());
        MODES.give(file.as_file()).unwrap();
        assert_eq!(mode(file.as_file()), before);
    }

    #[test]
    fn owners_are_changed_where_that_is_allowed() {
        let file = tempfile::tempfile().unwrap();
        let stat = fstat(&file).unwrap();
        let own = Ownership { user: Some(Uid::from_raw(stat.st_uid)), ..Ownership::default() };
        own.give(&file).unwrap();
        let other = Ownership { user: Some(Uid::from_raw(12_345)), group: Some(Gid::from_raw(23_456)), ..own };
        let named = tempfile::NamedTempFile::new().unwrap();
        match other.give(named.as_file()) {
            Ok(()) => {
                let meta = named.as_file().metadata().unwrap();
                assert_eq!((meta.uid(), meta.gid()), (12_345, 23_456));
            }
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::PermissionDenied),
        }
    }
}
