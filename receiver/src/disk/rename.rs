//! Giving a file or directory a name that nothing has yet.

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsFd;

use rustix::fs::{AtFlags, RenameFlags, linkat, mkdirat, renameat, renameat_with, unlinkat};
use rustix::io::Errno;

use super::{DIR_MODE, entry, is_dir};

/// Renames `from` in `from_dir` to `to` in `to_dir`, both on one file system, and replaces nothing.
///
/// # Errors
/// `AlreadyExists` when something stands under the new name; nothing has changed then.
pub(crate) fn rename_new(from_dir: impl AsFd, from: &OsStr, to_dir: impl AsFd, to: &OsStr) -> io::Result<()> {
    match renameat_with(&from_dir, from, &to_dir, to, RenameFlags::NOREPLACE) {
        // What NFS and other file systems answer that do not know the flag.
        Err(Errno::INVAL | Errno::NOSYS) => rename_in_two_steps(from_dir, from, to_dir, to),
        done => Ok(done?),
    }
}

/// The same with older calls: the new name is made first, by a call that fails if it exists.
fn rename_in_two_steps(from_dir: impl AsFd, from: &OsStr, to_dir: impl AsFd, to: &OsStr) -> io::Result<()> {
    let what = entry(&from_dir, from)?.ok_or(Errno::NOENT)?;
    if is_dir(&what) {
        return rename_dir_in_two_steps(from_dir, from, to_dir, to);
    }
    linkat(&from_dir, from, &to_dir, to, AtFlags::empty())?;
    unlinkat(&from_dir, from, AtFlags::empty()).inspect_err(|_| {
        let _ = unlinkat(&to_dir, to, AtFlags::empty());
    })?;
    Ok(())
}

/// Directories cannot be linked, but a rename replaces an empty directory, and only an empty one.
fn rename_dir_in_two_steps(from_dir: impl AsFd, from: &OsStr, to_dir: impl AsFd, to: &OsStr) -> io::Result<()> {
    mkdirat(&to_dir, to, DIR_MODE)?;
    renameat(&from_dir, from, &to_dir, to).inspect_err(|_| {
        let _ = unlinkat(&to_dir, to, AtFlags::REMOVEDIR);
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::path::Path;

    use super::*;
    use crate::disk::open_dir;

    type Rename = fn(std::os::fd::BorrowedFd<'_>, &OsStr, std::os::fd::BorrowedFd<'_>, &OsStr) -> io::Result<()>;
    const BOTH: [Rename; 2] = [|a, b, c, d| rename_new(a, b, c, d), |a, b, c, d| rename_in_two_steps(a, b, c, d)];

    fn rename(how: Rename, room: &Path, from: &str, to: &str) -> io::Result<()> {
        let dir = open_dir(room).unwrap();
        how(dir.as_fd(), OsStr::new(from), dir.as_fd(), OsStr::new(to))
    }

    #[test]
    fn a_file_gets_a_new_name_and_loses_the_old_one() {
        for how in BOTH {
            let room = tempfile::tempdir().unwrap();
            std::fs::write(room.path().join("a"), "content").unwrap();
            rename(how, room.path(), "a", "b").unwrap();
            assert_eq!(std::fs::read_to_string(room.path().join("b")).unwrap(), "content");
            assert!(!room.path().join("a").exists());
        }
    }

    #[test]
    fn a_directory_moves_with_what_is_in_it() {
        for how in BOTH {
            let room = tempfile::tempdir().unwrap();
            std::fs::create_dir(room.path().join("a")).unwrap();
            std::fs::write(room.path().join("a/file"), "content").unwrap();
            rename(how, room.path(), "a", "b").unwrap();
            assert_eq!(std::fs::read_to_string(room.path().join("b/file")).unwrap(), "content");
            assert!(!room.path().join("a").exists());
        }
    }

    #[test]
    fn what_has_the_name_keeps_it() {
        for how in BOTH {
            let room = tempfile::tempdir().unwrap();
            std::fs::write(room.path().join("file"), "new").unwrap();
            std::fs::create_dir(room.path().join("dir")).unwrap();
            std::fs::write(room.path().join("taken"), "old").unwrap();
            std::fs::create_dir(room.path().join("empty")).unwrap();
            for (from, to) in [("file", "taken"), ("file", "empty"), ("dir", "taken"), ("dir", "empty")] {
                let error = rename(how, room.path(), from, to).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{from} to {to}");
            }
            assert_eq!(std::fs::read_to_string(room.path().join("taken")).unwrap(), "old");
            assert!(room.path().join("file").exists() && room.path().join("dir").exists());
        }
    }
}
