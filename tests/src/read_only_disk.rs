//! A disk that fails, as disks do: the kernel notices, and makes its file system read-only.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Scene;
use crate::disk::runs;
use crate::skip::{is_root, skip};

/// Bytes on the disk.
const SIZE: u64 = 64 << 20;

/// An ext4 on a loop device. Unmounted on drop.
pub struct ReadOnlyDisk {
    mounted_on: PathBuf,
    /// A file of the kernel: writing to it is an error of the file system.
    fault: PathBuf,
}

impl ReadOnlyDisk {
    /// Mounts one, still writable, on a folder of the scene, or says that `test` is skipped and why.
    pub fn mount(test: &str, scene: &Scene, folder: &str) -> Option<ReadOnlyDisk> {
        if !is_root() {
            skip(test, "only root can mount a disk");
            return None;
        }
        let disk = mount(&scene.file(&format!("{folder}.img"), ""), &scene.new_folder(folder));
        disk.map_err(|reason| skip(test, reason)).ok()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.mounted_on
    }

    /// An error on the disk: from now on nothing can be written to it.
    pub fn turn_read_only(&self) {
        fs::write(&self.fault, "a test").expect("a file system that can be told to fail");
    }
}

impl Drop for ReadOnlyDisk {
    fn drop(&mut self) {
        // Lazily: whatever still has a file open there is about to be killed. The loop device goes with its last user.
        let _ = Command::new("umount").arg("-l").arg(&self.mounted_on).status();
    }
}

/// Makes a file system in the file `image`, and mounts it on `folder`.
fn mount(image: &Path, folder: &Path) -> Result<ReadOnlyDisk, &'static str> {
    let file = fs::File::options().write(true).open(image).expect("an image");
    file.set_len(SIZE).expect("a sparse file");
    if !runs(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(image)) {
        return Err("mkfs.ext4 is not installed");
    }
    if !runs(Command::new("mount").args(["-o", "loop,errors=remount-ro"]).arg(image).arg(folder)) {
        return Err("mounting a loop device is not allowed here");
    }
    // Writable by whoever runs the tests, and empty.
    let _ = fs::remove_dir(folder.join("lost+found"));
    let disk = ReadOnlyDisk { mounted_on: folder.to_owned(), fault: fault_of(folder) };
    if disk.fault.exists() { Ok(disk) } else { Err("this kernel cannot be told to fail a file system") }
}

/// Where the kernel takes orders about the file system on `folder`.
fn fault_of(folder: &Path) -> PathBuf {
    let mounts = fs::read_to_string("/proc/mounts").expect("a /proc");
    let device = mounts.lines().find_map(|line| {
        let mut words = line.split(' ');
        let (device, on) = (words.next()?, words.next()?);
        (Path::new(on) == folder).then_some(device)
    });
    let name = device.and_then(|device| device.rsplit('/').next()).unwrap_or_default();
    Path::new("/sys/fs/ext4").join(name).join("trigger_fs_error")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_writable_is_not_any_more() {
        let scene = Scene::new();
        let Some(disk) = ReadOnlyDisk::mount("what_was_writable_is_not_any_more", &scene, "disk") else { return };
        fs::write(disk.path().join("before"), "x").expect("a disk that works");
        disk.turn_read_only();
        let error = fs::write(disk.path().join("after"), "x").expect_err("a disk that does not work");
        assert_eq!(error.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
    }
}
