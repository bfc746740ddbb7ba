//! Giving back what a file system has set aside in the holes of a file.
//!
//! XFS takes more space than is written while a file grows, and keeps it where the next write leaves a hole. Such space
//! reads as a hole, and counts as used. Other file systems are left alone: not all of them tell data that is not on the disk
//! yet from holes, as XFS does.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;

use rustix::fs::{FallocateFlags, SeekFrom, fallocate, fstatfs, seek};
use rustix::io::Errno;

/// What `statfs` calls XFS.
const XFS: u64 = 0x5846_5342;

/// The space, in bytes, for which it is not worth while.
const LITTLE: u64 = 64 << 10;

/// Frees the holes of `file`, which has `stored` bytes in it, if much more is used.
///
/// # Errors
/// When the file cannot be looked at. A file system that cannot free them keeps them.
pub(in crate::extract) fn free_holes(file: &File, stored: u64) -> io::Result<()> {
    if fstatfs(file)?.f_type as u64 != XFS {
        return Ok(());
    }
    let metadata = file.metadata()?;
    if metadata.blocks() * 512 <= stored.saturating_add(LITTLE) || metadata.len() <= stored.saturating_add(LITTLE) {
        return Ok(());
    }
    free(file, metadata.len())
}

/// Frees the holes of the first `len` bytes.
fn free(file: &File, len: u64) -> io::Result<()> {
    let mut at = 0;
    while at < len {
        let data = match seek(file, SeekFrom::Data(at)) {
            Ok(data) => data,
            Err(Errno::NXIO) => len,
            // There are no holes here.
            Err(Errno::INVAL) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if data > at && fallocate(file, FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE, at, data - at).is_err()
        {
            return Ok(());
        }
        at = if data < len { seek(file, SeekFrom::Hole(data))? } else { data };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn what_was_set_aside_is_freed_and_nothing_else() {
        let file = tempfile::tempfile().unwrap();
        if fallocate(&file, FallocateFlags::empty(), 0, 1 << 20).is_err() {
            // This file system sets nothing aside.
            return;
        }
        file.write_all_at(&[1; 4096], 300_000).unwrap();
        let before = file.metadata().unwrap().blocks();
        free(&file, 1 << 20).unwrap();
        let after = file.metadata().unwrap();
        assert!(after.blocks() * 512 <= 4096 * 3 && after.blocks() < before, "{} of {before}", after.blocks());
        assert_eq!(after.len(), 1 << 20);
        let mut bytes = [0; 4097];
        file.read_exact_at(&mut bytes, 299_999).unwrap();
        assert!(bytes[0] == 0 && bytes[1..].iter().all(|byte| *byte == 1));
    }
}
