//! The file of a spool: it has no name, so it is gone with the process, however that ends.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use bytes::Bytes;
use rustix::fs::{FallocateFlags, Mode, OFlags, fallocate, fstatvfs, ftruncate};
use rustix::io::Errno;

use super::SpoolError;
use super::ring::{Place, Stored};

/// One part in so many of the file system is left alone: a server may live on it.
const RESERVE: u64 = 20;

/// A file in a directory.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) dir: PathBuf,
    pub(super) file: File,
}

/// Why the file cannot take more at the moment.
#[derive(Debug, thiserror::Error)]
pub(super) enum Full {
    #[error("it leaves the last 5 % of its file system alone")]
    Reserve,
    #[error(transparent)]
    Refused(#[from] io::Error),
}

impl Store {
    /// Makes a file in `dir`.
    pub(super) fn make(dir: PathBuf) -> Result<Store, SpoolError> {
        // With O_EXCL nobody can give it a name later.
        let flags = OFlags::TMPFILE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
        let file = match rustix::fs::open(&dir, flags, Mode::RUSR | Mode::WUSR) {
            Ok(file) => Ok(file.into()),
            // File systems and kernels that do not know it. The name is gone before a byte is in the file.
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => {
                tempfile::Builder::new().prefix(".xbsend-spool-").tempfile_in(&dir).map(|file| file.into_file())
            }
            Err(error) => Err(error.into()),
        };
        match file {
            Ok(file) => Ok(Store { dir, file }),
            Err(error) => Err(SpoolError::Make { dir, error }),
        }
    }

    /// Writes `bytes`, and gives the CRC of all that is in the slot then.
    pub(super) fn write(&self, place: Place, bytes: &[u8]) -> Result<u32, Full> {
        let disk = fstatvfs(&self.file).map_err(io::Error::from)?;
        // A file system without a size has no last part.
        if disk.f_blocks > 0
            && disk.f_bavail * disk.f_frsize < bytes.len() as u64 + disk.f_blocks * disk.f_frsize / RESERVE
        {
            return Err(Full::Reserve);
        }
        self.file.write_all_at(bytes, place.offset)?;
        let mut crc = crc32fast::Hasher::new_with_initial(place.before);
        crc.update(bytes);
        Ok(crc.finalize())
    }

    /// Reads what is stored, and compares it with its CRC.
    pub(super) fn read(&self, stored: Stored) -> Result<Bytes, SpoolError> {
        let Stored { offset, len, crc: written } = stored;
        let mut bytes = vec![0; len];
        if let Err(error) = self.file.read_exact_at(&mut bytes, offset) {
            return Err(SpoolError::Read { dir: self.dir.clone(), offset, len, error });
        }
        match crc32fast::hash(&bytes) {
            read if read == written => Ok(bytes.into()),
            read => Err(SpoolError::Damaged { dir: self.dir.clone(), offset, len, written, read }),
        }
    }

    /// Gives back the space of `len` bytes at `offset`; what was not on the disk yet need not go there. A file system
    /// without holes keeps it until [`clear`](Self::clear).
    pub(super) fn give_back(&self, offset: u64, len: usize) {
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        let _ = fallocate(&self.file, hole, offset, len as u64);
    }

    /// Gives back all space. What cannot be given back is used again.
    pub(super) fn clear(&self) {
        let _ = ftruncate(&self.file, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn store() -> Store {
        Store::make(std::env::temp_dir()).unwrap()
    }

    /// Writes the bytes at the start of a slot, and gives what is stored then.
    fn write(store: &Store, offset: u64, bytes: &[u8]) -> Stored {
        let crc = store.write(Place { offset, len: bytes.len(), before: 0 }, bytes).unwrap();
        Stored { offset, len: bytes.len(), crc }
    }

    #[test]
    fn the_file_has_no_name_and_is_nobody_elses() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::make(dir.path().to_owned()).unwrap();
        assert_eq!(dir.path().read_dir().unwrap().count(), 0);
        let metadata = store.file.metadata().unwrap();
        assert_eq!((metadata.mode() & 0o777, metadata.nlink()), (0o600, 0));
    }

    #[test]
    fn a_directory_that_cannot_be_used_is_named() {
        for (dir, said) in
            [("/no/such", "--spool /no/such: No such file"), ("/etc/passwd", "--spool /etc/passwd: Not a")]
        {
            let error = Store::make(dir.into()).unwrap_err();
            assert!(error.to_string().starts_with(said), "{error}");
        }
    }

    #[test]
    fn the_crc_of_a_slot_goes_on_over_its_pieces() {
        let store = store();
        let first = write(&store, 100, b"some ");
        let crc = store.write(Place { offset: 105, len: 4, before: first.crc }, b"rows").unwrap();
        assert_eq!(store.read(Stored { offset: 100, len: 9, crc }).unwrap(), "some rows");
    }

    #[test]
    fn other_bytes_than_were_written_are_damage() {
        let store = store();
        let stored = write(&store, 1 << 20, b"some rows");
        store.file.write_all_at(b"R", (1 << 20) + 5).unwrap();
        let error = store.read(stored).unwrap_err();
        let dir = std::env::temp_dir();
        let said = format!("the spool in {} is damaged: 9 bytes at offset 1048576 were written", dir.display());
        assert!(error.to_string().starts_with(&said), "{error}");
        assert_eq!(error.cause(), xbproto::failure::Cause::Integrity);
    }

    #[test]
    fn bytes_that_are_gone_are_a_failed_read() {
        let store = store();
        let stored = write(&store, 0, b"some rows");
        store.clear();
        let error = store.read(stored).unwrap_err();
        assert!(error.to_string().starts_with("reading 9 bytes at offset 0 of the spool in "), "{error}");
        assert_eq!(error.cause(), xbproto::failure::Cause::Source);
    }

    #[test]
    fn a_full_disk_takes_no_more() {
        let file = File::options().read(true).write(true).open("/dev/full").unwrap();
        let full = Store { dir: "/dev".into(), file };
        let refused = full.write(Place { offset: 0, len: 1, before: 0 }, b"1").unwrap_err();
        assert_eq!(refused.to_string(), "No space left on device (os error 28)");
    }

    #[test]
    fn space_is_given_back() {
        let store = store();
        write(&store, 0, &[1; 1 << 20]);
        let kept = write(&store, 1 << 20, &[2; 1 << 20]);
        let used = store.file.metadata().unwrap().blocks();
        store.give_back(0, 1 << 20);
        assert!(store.file.metadata().unwrap().blocks() < used);
        assert_eq!(store.read(kept).unwrap(), vec![2; 1 << 20]);
        store.clear();
        assert_eq!(store.file.metadata().unwrap().blocks(), 0);
    }
}
