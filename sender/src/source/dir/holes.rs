//! Where a file has data, and where its file system says that it has none.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;

use rustix::fs::{SeekFrom, fdatasync, seek};
use rustix::io::Errno;

/// A hole, and the data that follows it. Either may be empty, but not both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// Length of the hole in bytes.
    pub(super) skip: u64,
    /// Bytes of data after it.
    pub(super) write: u64,
}

/// What unit [`MetadataExt::blocks`] counts in, whatever the file system.
const BLOCK: u64 = 512;

/// Whether a file may have holes: it takes less space than it is long. Compression looks the same.
pub(super) fn may_have_holes(metadata: &Metadata) -> bool {
    metadata.blocks().saturating_mul(BLOCK) < metadata.len()
}

/// The extents of a file from its beginning to its end, as the file system reports them. Moves the file's position.
#[derive(Debug)]
pub(super) enum Extents<'a> {
    /// All of it is data, so many bytes.
    Dense(u64),
    /// To be asked of the file system.
    Sparse {
        /// The file.
        file: &'a File,
        /// How far it was looked at.
        at: u64,
        /// How long it is.
        len: u64,
    },
}

impl Extents<'_> {
    /// Those of `file`, which has these `metadata`. What was written to it is brought to the disk first, if it may have
    /// holes: there are file systems that report holes where data is not written yet.
    ///
    /// # Errors
    /// When that fails.
    pub(super) fn of<'a>(file: &'a File, metadata: &Metadata) -> io::Result<Extents<'a>> {
        match may_have_holes(metadata) {
            true => {
                write_out(file)?;
                Ok(Extents::Sparse { file, at: 0, len: metadata.len() })
            }
            false => Ok(Extents::Dense(metadata.len())),
        }
    }
}

fn write_out(file: &File) -> io::Result<()> {
    match fdatasync(file) {
        // A file system that cannot be written.
        Err(Errno::INVAL | Errno::ROFS | Errno::OPNOTSUPP) => Ok(()),
        done => Ok(done?),
    }
}

impl Iterator for Extents<'_> {
    type Item = io::Result<Extent>;

    fn next(&mut self) -> Option<io::Result<Extent>> {
        match self {
            Extents::Dense(0) => None,
            Extents::Dense(len) => Some(Ok(Extent { skip: 0, write: std::mem::take(len) })),
            Extents::Sparse { at, len, .. } if *at >= *len => None,
            Extents::Sparse { file, at, len } => {
                let extent = next_extent(file, *at, *len);
                if let Ok(Extent { skip, write }) = &extent {
                    *at += skip + write;
                }
                Some(extent.map_err(io::Error::from))
            }
        }
    }
}

fn next_extent(file: &File, at: u64, len: u64) -> Result<Extent, Errno> {
    let data = match seek(file, SeekFrom::Data(at)) {
        Ok(data) => data.clamp(at, len),
        // There is no more of it.
        Err(Errno::NXIO) => len,
        // A file system that knows of no holes.
        Err(Errno::INVAL | Errno::OPNOTSUPP) => return Ok(Extent { skip: 0, write: len - at }),
        Err(error) => return Err(error),
    };
    let end = match data < len {
        // Holes begin behind data, so this is more than where that begins.
        true => seek(file, SeekFrom::Hole(data))?.clamp(data + 1, len),
        false => len,
    };
    Ok(Extent { skip: data - at, write: end - data })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    fn extents(file: &File) -> Vec<Extent> {
        Extents::of(file, &file.metadata().unwrap()).unwrap().map(Result::unwrap).collect()
    }

    #[test]
    fn holes_are_found_before_between_and_behind_data() {
        const MIB: u64 = 1 << 20;
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(&[1; MIB as usize], MIB).unwrap();
        file.write_all_at(&[1; MIB as usize], 4 * MIB).unwrap();
        file.set_len(7 * MIB).unwrap();
        file.sync_all().unwrap();
        let expected = [
            Extent { skip: MIB, write: MIB },
            Extent { skip: 2 * MIB, write: MIB },
            Extent { skip: 2 * MIB, write: 0 },
        ];
        assert_eq!(extents(&file), expected);
    }

    #[test]
    fn a_file_without_holes_is_one_extent_and_an_empty_one_has_none() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(extents(&file), []);
        file.write_all_at(&[1; 10_000], 0).unwrap();
        file.sync_all().unwrap();
        assert_eq!(extents(&file), [Extent { skip: 0, write: 10_000 }]);
    }
}
