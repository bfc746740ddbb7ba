//! Directories below a directory, reached through no link.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path};

use rustix::fs::{Mode, ResolveFlags, mkdirat, openat, openat2};
use rustix::io::Errno;

use crate::disk::{DIR_FLAGS, DIR_MODE};

/// A directory whose inside is reached only through real directories: nobody who plants a link in it leads us out.
///
/// It resolves directories only. What is done to the last name of a path is done relative to its parent, with flags
/// that follow no link either.
#[derive(Debug)]
pub(super) struct Beneath {
    root: OwnedFd,
    walk: Walk,
}

/// How a path is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walk {
    /// By the kernel at once (`openat2`, Linux 5.6).
    Kernel,
    /// Name by name: for older kernels, and sandboxes that do not know the call.
    Stepwise,
}

impl Beneath {
    /// Works below `root`, in the best way this system has.
    pub(super) fn new(root: OwnedFd) -> Beneath {
        let walk = match open_by_kernel(&root, Path::new(".")) {
            Err(Errno::NOSYS | Errno::PERM) => Walk::Stepwise,
            _ => Walk::Kernel,
        };
        Beneath { root, walk }
    }

    /// The same, in a given way.
    #[cfg(test)]
    pub(super) fn with_walk(root: OwnedFd, walk: Walk) -> Beneath {
        Beneath { root, walk }
    }

    /// The directory below which it works.
    pub(super) fn into_root(self) -> OwnedFd {
        self.root
    }

    /// Opens the directory `path`; an empty path is the root.
    ///
    /// # Errors
    /// `NotADirectory` when a link or a file is on the way, `NotFound` when nothing is, `CrossesDevices` when `path` is
    /// not made of plain names only.
    pub(super) fn dir(&self, path: &Path) -> io::Result<OwnedFd> {
        // The kernel would judge by where it leads, and the other way by nothing.
        if path.components().any(|name| !matches!(name, Component::Normal(_))) {
            return Err(Errno::XDEV.into());
        }
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let opened = match self.walk {
            Walk::Kernel => open_by_kernel(&self.root, path),
            Walk::Stepwise => self.open_stepwise(path),
        };
        // Which of the two a link gets depends on the call and on where it stands.
        Ok(opened.map_err(|error| if error == Errno::LOOP { Errno::NOTDIR } else { error })?)
    }

    /// The same, and makes what is missing.
    pub(super) fn make_dir(&self, path: &Path) -> io::Result<OwnedFd> {
        match self.dir(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            done => return done,
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Errno::NOENT.into());
        };
        match mkdirat(self.make_dir(parent)?, name, DIR_MODE) {
            Ok(()) | Err(Errno::EXIST) => self.dir(path),
            Err(error) => Err(error.into()),
        }
    }

    fn open_stepwise(&self, path: &Path) -> Result<OwnedFd, Errno> {
        let mut dir = openat(&self.root, ".", DIR_FLAGS, Mode::empty())?;
        for name in path.components() {
            dir = openat(&dir, name.as_os_str(), DIR_FLAGS, Mode::empty())?;
        }
        Ok(dir)
    }
}

fn open_by_kernel(root: &OwnedFd, path: &Path) -> Result<OwnedFd, Errno> {
    let inside = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    openat2(root, path, DIR_FLAGS, Mode::empty(), inside)
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;
    use crate::disk::open_dir;

    fn both(test: impl Fn(&TempDir, Beneath)) {
        for walk in [Walk::Kernel, Walk::Stepwise] {
            let room = tempfile::tempdir().unwrap();
            let root = open_dir(room.path()).unwrap();
            if walk == Walk::Kernel && Beneath::new(open_dir(room.path()).unwrap()).walk == Walk::Stepwise {
                continue;
            }
            test(&room, Beneath::with_walk(root, walk));
        }
    }

    #[test]
    fn directories_are_made_as_deep_as_needed() {
        both(|room, beneath| {
            beneath.make_dir(Path::new("a/b/c")).unwrap();
            beneath.make_dir(Path::new("a/b/d")).unwrap();
            beneath.make_dir(Path::new("")).unwrap();
            assert!(room.path().join("a/b/c").is_dir() && room.path().join("a/b/d").is_dir());
        });
    }

    #[test]
    fn a_link_is_followed_at_no_level() {
        both(|room, beneath| {
            std::fs::create_dir_all(room.path().join("real/inner")).unwrap();
            symlink("real", room.path().join("link")).unwrap();
            symlink(room.path(), room.path().join("real/absolute")).unwrap();
            for path in ["link", "link/inner", "real/absolute", "real/absolute/real", "link/new"] {
                let opened = beneath.dir(Path::new(path)).unwrap_err();
                assert_eq!(opened.kind(), ErrorKind::NotADirectory, "{path} with {:?}", beneath.walk);
                assert!(beneath.make_dir(Path::new(path)).is_err(), "{path} with {:?}", beneath.walk);
            }
            assert!(!room.path().join("real/new").exists());
        });
    }

    #[test]
    fn only_plain_names_are_walked() {
        both(|room, beneath| {
            std::fs::create_dir_all(room.path().join("a/b")).unwrap();
            for path in ["..", "a/..", "a/../..", "../a", "/", "/tmp"] {
                let opened = beneath.dir(Path::new(path)).unwrap_err();
                assert_eq!(opened.kind(), ErrorKind::CrossesDevices, "{path} with {:?}", beneath.walk);
            }
        });
    }

    #[test]
    fn what_is_missing_is_told_from_what_is_no_directory() {
        both(|room, beneath| {
            std::fs::write(room.path().join("file"), "").unwrap();
            assert_eq!(beneath.dir(Path::new("no/where")).unwrap_err().kind(), ErrorKind::NotFound);
            assert_eq!(beneath.dir(Path::new("file")).unwrap_err().kind(), ErrorKind::NotADirectory);
            assert_eq!(beneath.make_dir(Path::new("file/a")).unwrap_err().kind(), ErrorKind::NotADirectory);
        });
    }
}
