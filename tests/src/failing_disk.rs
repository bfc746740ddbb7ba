//! A disk that takes what is written to it, and fails to keep it: the kernel notices when it writes its cache back.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::disk::runs;
use crate::skip::skip;
use crate::{ReadOnlyDisk, Scene};

/// Bytes on the disk: less than there are on the one below.
const SIZE: u64 = 48 << 20;

/// An ext4 on a loop device, over a file on another disk, which turns read-only. Unmounted on drop.
pub struct FailingDisk {
    mounted_on: PathBuf,
    below: ReadOnlyDisk,
}

impl FailingDisk {
    /// Mounts one that still works on a folder of the scene, or says that `test` is skipped and why.
    pub fn mount(test: &str, scene: &Scene, folder: &str) -> Option<FailingDisk> {
        let below = ReadOnlyDisk::mount(test, scene, &format!("{folder}.below"))?;
        let image = below.path().join("image");
        File::create(&image).and_then(|file| file.set_len(SIZE)).expect("a sparse file");
        let disk = FailingDisk { mounted_on: scene.new_folder(folder), below };
        // Without a journal, which would turn the file system read-only first.
        let options = ["-q", "-F", "-O", "^has_journal"];
        if !runs(Command::new("mkfs.ext4").args(options).arg(&image)) {
            skip(test, "mkfs.ext4 is not installed");
            return None;
        }
        if !runs(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&disk.mounted_on)) {
            skip(test, "mounting a loop device is not allowed here");
            return None;
        }
        let _ = fs::remove_dir(disk.mounted_on.join("lost+found"));
        Some(disk)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.mounted_on
    }

    /// Makes durable what was written so far. From then on what is written is lost.
    pub fn fail(&self) {
        File::open(&self.mounted_on).and_then(|root| Ok(rustix::fs::syncfs(root)?)).expect("a disk that works");
        self.below.turn_read_only();
    }
}

impl Drop for FailingDisk {
    fn drop(&mut self) {
        // Lazily: whatever still has a file open there is about to be killed. The loop device goes with its last user.
        let _ = Command::new("umount").arg("-l").arg(&self.mounted_on).status();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_written_is_taken_and_lost() {
        let scene = Scene::new();
        let Some(disk) = FailingDisk::mount("what_is_written_is_taken_and_lost", &scene, "disk") else { return };
        let write = |name: &str| {
            let file = File::create(disk.path().join(name)).expect("a file");
            (&file).write_all(&[1; 1 << 20]).expect("the page cache");
            file.sync_all()
        };
        write("before").expect("a disk that works");
        disk.fail();
        assert_eq!(write("after").expect_err("a disk that does not").to_string(), "Input/output error (os error 5)");
    }
}
