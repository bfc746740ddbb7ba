//! A file system that takes more space than is written.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Scene;
use crate::disk::runs;
use crate::skip::{is_root, skip};

/// Bytes on the disk: XFS wants some. Its image has holes.
const SIZE: u64 = 512 << 20;

/// An XFS on a loop device. Unmounted on drop.
pub struct XfsDisk(PathBuf);

impl XfsDisk {
    /// Mounts one on a folder of the scene, or says that `test` is skipped and why.
    pub fn mount(test: &str, scene: &Scene, folder: &str) -> Option<XfsDisk> {
        if !is_root() {
            skip(test, "only root can mount a disk");
            return None;
        }
        let (image, folder) = (scene.file(&format!("{folder}.img"), ""), scene.new_folder(folder));
        File::options().write(true).open(&image).and_then(|file| file.set_len(SIZE)).expect("a sparse file");
        if !runs(Command::new("mkfs.xfs").arg("-q").arg(&image)) {
            skip(test, "mkfs.xfs is not installed (Debian: xfsprogs)");
            return None;
        }
        if !runs(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&folder)) {
            skip(test, "mounting an XFS is not possible here");
            return None;
        }
        Some(XfsDisk(folder))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for XfsDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
