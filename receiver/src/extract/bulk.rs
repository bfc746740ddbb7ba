//! Syncing everything that was written to a file system by one call.
//!
//! A backup of a hundred thousand small files cannot wait for the disk a hundred thousand times. `syncfs` waits once, but
//! also for what others have written there, and it is to be trusted only if it tells of every page that was lost on the way
//! to the disk. It does
//!
//! * from Linux 5.8 on: before, it forgot errors of write-back that had happened earlier;
//! * by a descriptor that was opened before the first write, for it tells what has happened since;
//! * on a file system that writes to a disk of its own. One that asks another machine or another process for that, or
//!   another file system, may be told less than it would have to tell.
//!
//! An error of somebody else's file is told too. That the disk has failed is reason enough to trust no backup to it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{fstatfs, syncfs};
use rustix::system::uname;

/// The first Linux whose `syncfs` tells of every error of write-back.
const SINCE: (u32, u32) = (5, 8);

/// What `statfs` calls the file systems on disks of their own: ext2 to ext4, XFS, Btrfs, F2FS, and the one in memory.
const ON_DISKS: [u64; 5] = [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x0102_1994];

/// A file system that can be synced as a whole.
#[derive(Debug)]
pub(super) struct Bulk(OwnedFd);

impl Bulk {
    /// The file system of `fd`, to which nothing was written yet; `None` if its errors would not all be told.
    pub(super) fn of(fd: OwnedFd) -> Option<Bulk> {
        let on_disk = fstatfs(&fd).is_ok_and(|stat| ON_DISKS.contains(&(stat.f_type as u64)));
        (on_disk && tells_errors(&uname().release().to_string_lossy())).then_some(Bulk(fd))
    }

    /// Makes everything durable that was written to it before.
    ///
    /// # Errors
    /// When that failed, or write-back has failed since the last call.
    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(syncfs(self.0.as_fd())?)
    }
}

/// Whether the Linux of this release tells of all errors.
fn tells_errors(release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= SINCE,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_kernels_are_not_trusted() {
        for trusted in ["5.8.0", "5.10.0-28-amd64", "6.18.44", "10.0"] {
            assert!(tells_errors(trusted), "{trusted}");
        }
        for other in ["5.7.19", "4.18.0-553.el8", "3.10.0", "5", "", "next"] {
            assert!(!tells_errors(other), "{other}");
        }
    }

    #[test]
    fn a_file_system_without_a_disk_is_not_trusted() {
        assert!(Bulk::of(std::fs::File::open("/proc").unwrap().into()).is_none());
    }
}
