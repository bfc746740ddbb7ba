//! What keeping files safe, and writing them fast, asks of a file system: errors that name the file, renames that replace
//! nothing, removal that follows no link, writes past the page cache.

mod error;
mod output;
mod ownership;
mod pages;
mod rename;

pub(crate) use error::{At, as_path, reason, shown};
pub use error::{DiskError, Notice};
pub use output::PageCache;
pub(crate) use output::{Output, drop_cached, give_back};
pub use ownership::Ownership;
pub(crate) use pages::Pages;
pub(crate) use rename::rename_new;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, openat, statat, unlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

/// Permissions of a new file, of which the umask takes its share: what the backup tools' own extractors give.
pub(crate) const FILE_MODE: Mode = Mode::from_raw_mode(0o640);

/// Permissions of a new directory, of which the umask takes its share.
pub(crate) const DIR_MODE: Mode = Mode::from_raw_mode(0o750);

/// How a directory is opened to work in it: never through a link in the last component.
pub(crate) const DIR_FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens the directory `path`, whose last component may be a link: it is the operator's own choice.
pub(crate) fn open_dir(path: &Path) -> io::Result<OwnedFd> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    Ok(rustix::fs::open(path, DIR_FLAGS.difference(OFlags::NOFOLLOW), Mode::empty())?)
}

/// What stands under `name` in `dir`, links not followed; `None` if nothing does.
pub(crate) fn entry(dir: impl AsFd, name: impl rustix::path::Arg) -> io::Result<Option<Stat>> {
    match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether `stat` is that of a directory.
pub(crate) fn is_dir(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// Whether `stat` is that of a regular file.
pub(crate) fn is_file(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

/// Whether `file` is what stands under `path`.
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let ours = rustix::fs::fstat(file)?;
    let there = entry(rustix::fs::CWD, path)?;
    Ok(there.is_some_and(|there| is_same(&there, &ours)))
}

/// Whether both are one file.
pub(crate) fn is_same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

/// Whether this user made it, and nobody else gets at it.
pub(crate) fn is_private(stat: &Stat) -> bool {
    let others = Mode::from_raw_mode(stat.st_mode) & (Mode::RWXG | Mode::RWXO);
    stat.st_uid == geteuid().as_raw() && others == Mode::empty()
}

/// The names in the directory `dir`, without `.` and `..`.
pub(crate) fn names(dir: impl AsFd) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(dir)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            names.push(OsString::from_vec(name));
        }
    }
    Ok(names)
}

/// The names of the directories in the directory `dir`.
pub(crate) fn subdirs(dir: impl AsFd) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for found in Dir::read_from(&dir)? {
        let found = found?;
        let name = OsString::from_vec(found.file_name().to_bytes().to_vec());
        let is_dir = match found.file_type() {
            // Not every file system says it here.
            FileType::Unknown => entry(&dir, &name)?.is_some_and(|stat| is_dir(&stat)),
            kind => kind == FileType::Directory,
        };
        if is_dir && name != "." && name != ".." {
            names.push(name);
        }
    }
    Ok(names)
}

/// Removes `name` from `dir` with all below it, following no link. A name that is missing is no error.
pub(crate) fn remove_all(dir: impl AsFd, name: &OsStr) -> io::Result<()> {
    match unlinkat(&dir, name, AtFlags::empty()) {
        Err(Errno::ISDIR) => {}
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let below = openat(&dir, name, DIR_FLAGS, Mode::empty())?;
    for name in names(&below)? {
        remove_all(&below, &name)?;
    }
    Ok(unlinkat(&dir, name, AtFlags::REMOVEDIR)?)
}

/// Bytes an unprivileged process may still write to the file system of `fd`.
pub(crate) fn free_bytes(fd: impl AsFd) -> Option<u64> {
    let stat = rustix::fs::fstatvfs(fd).ok()?;
    stat.f_bavail.checked_mul(stat.f_frsize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remove_all_takes_a_tree_and_follows_no_link() {
        let room = tempfile::tempdir().unwrap();
        let outside = room.path().join("outside");
        std::fs::create_dir_all(room.path().join("tree/a/b")).unwrap();
        std::fs::write(room.path().join("tree/a/b/file"), "x").unwrap();
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("kept"), "x").unwrap();
        std::os::unix::fs::symlink(&outside, room.path().join("tree/a/link")).unwrap();

        let dir = open_dir(room.path()).unwrap();
        remove_all(&dir, OsStr::new("tree")).unwrap();
        remove_all(&dir, OsStr::new("tree")).unwrap();

        assert_eq!(names(&dir).unwrap(), ["outside"]);
        assert_eq!(subdirs(&dir).unwrap(), ["outside"]);
        assert_eq!(subdirs(open_dir(&outside).unwrap()).unwrap(), [""; 0]);
        assert!(outside.join("kept").exists());
    }
}
