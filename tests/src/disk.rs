//! A file system that fills up.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::skip::{is_root, skip};

/// A tmpfs of a few megabytes. Unmounted on drop.
pub struct SmallDisk {
    mounted_on: PathBuf,
}

impl SmallDisk {
    /// Mounts one of this many bytes on a folder, or says that `test` is skipped because nobody lets us.
    pub fn mount(test: &str, folder: PathBuf, bytes: u64) -> Option<SmallDisk> {
        if !is_root() {
            skip(test, "only root can mount a small disk");
            return None;
        }
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "xbtests"]).arg(&folder);
        if !mount.status().is_ok_and(|status| status.success()) {
            skip(test, "mounting a tmpfs is not allowed here");
            return None;
        }
        Some(SmallDisk { mounted_on: folder })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.mounted_on
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: whatever still has a file open there is about to be killed.
        let _ = Command::new("umount").arg("-l").arg(&self.mounted_on).status();
    }
}

/// Whether a command that makes a disk is there and succeeds. Its folder is not on everybody's path.
pub(crate) fn runs(command: &mut Command) -> bool {
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").status().is_ok_and(|status| status.success())
}
