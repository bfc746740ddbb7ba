//! What is in a directory: the names and stamps of its files, and how long the stream of it will be.

use std::ffi::OsStr;
use std::fs::{self, DirEntry, File, FileType, Metadata};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use xbproto::xbstream::{STAGING_PREFIX, encode};

use super::DirError;
use super::holes::{Extents, may_have_holes};
use super::layout::{Chunks, end_len};

/// The files of a directory, in the order in which they are sent: those of each directory by name.
#[derive(Debug)]
pub(super) struct Inventory {
    /// The directory.
    pub(super) dir: PathBuf,
    /// Its files.
    pub(super) files: Vec<Entry>,
    /// Directories in which there is nothing.
    pub(super) empty_directories: u64,
}

/// A file, as it was seen.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its path in the stream.
    pub(super) path: Box<[u8]>,
    /// How it was.
    pub(super) stamp: Stamp,
    /// Whether it may have holes.
    may_have_holes: bool,
}

/// What shows whether a file was written to, or is another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    len: u64,
    inode: u64,
    modified: (i64, i64),
    /// Nobody can set this one back.
    changed: (i64, i64),
}

impl Stamp {
    /// That of a file.
    pub(super) fn of(metadata: &Metadata) -> Stamp {
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        Stamp { len: metadata.len(), inode: metadata.ino(), modified, changed }
    }
}

impl Inventory {
    /// Looks through `dir`.
    ///
    /// # Errors
    /// When there is something in it that cannot be sent.
    pub(super) fn of(dir: &Path) -> Result<Inventory, DirError> {
        let mut inventory = Inventory { dir: dir.into(), files: Vec::new(), empty_directories: 0 };
        inventory.add_directory(&[])?;
        Ok(inventory)
    }

    /// The length of the stream in bytes, if the file system is right about holes.
    ///
    /// # Errors
    /// When a file with holes cannot be looked into, or there is no file.
    pub(super) fn length(&self) -> Result<u64, DirError> {
        match self.files.is_empty() {
            true => Err(DirError::Empty(self.dir.clone())),
            false => self.files.iter().map(|entry| self.length_of(entry)).sum(),
        }
    }

    fn length_of(&self, entry: &Entry) -> Result<u64, DirError> {
        let path = &entry.path;
        let data = match entry.may_have_holes {
            true => self.length_with_holes(path)?,
            false => length_of(Extents::Dense(entry.stamp.len), path).unwrap_or(0),
        };
        Ok(data + end_len(path.len()))
    }

    /// Where the file of this path in the stream is.
    pub(super) fn place(&self, path: &[u8]) -> PathBuf {
        self.dir.join(OsStr::from_bytes(path))
    }

    fn add_directory(&mut self, path: &[u8]) -> Result<(), DirError> {
        let place = if path.is_empty() { self.dir.clone() } else { self.place(path) };
        let failed = |error| DirError::Io { doing: "reading the directory", path: place.clone(), error };
        let entries = fs::read_dir(&place).and_then(Iterator::collect::<Result<Vec<DirEntry>, _>>).map_err(failed)?;
        let ours = |name: &[u8]| path.is_empty() && name.starts_with(STAGING_PREFIX.as_bytes());
        let names = entries.into_iter().map(|entry| entry.file_name().into_vec());
        let mut names: Vec<Vec<u8>> = names.filter(|name| !ours(name)).collect();
        names.sort_unstable();
        if names.is_empty() && !path.is_empty() {
            self.empty_directories += 1;
        }
        let join = |name: &[u8]| if path.is_empty() { name.to_vec() } else { [path, name].join(&b'/') };
        names.iter().try_for_each(|name| self.add(join(name)))
    }

    fn add(&mut self, path: Vec<u8>) -> Result<(), DirError> {
        let place = self.place(&path);
        let failed = |error| DirError::Io { doing: "looking at", path: place.clone(), error };
        let metadata = place.symlink_metadata().map_err(failed)?;
        match metadata.file_type() {
            kind if kind.is_dir() => self.add_directory(&path),
            kind if kind.is_file() => self.add_file(path, &metadata),
            kind if kind.is_symlink() => Err(DirError::Link(place)),
            kind => Err(DirError::Special { path: place, kind: word_for(kind) }),
        }
    }

    fn add_file(&mut self, path: Vec<u8>, metadata: &Metadata) -> Result<(), DirError> {
        // The one thing that a name can be is too long.
        encode::end(&path).map_err(|error| DirError::Name { path: self.place(&path), error })?;
        let (stamp, may_have_holes) = (Stamp::of(metadata), may_have_holes(metadata));
        self.files.push(Entry { path: path.into(), stamp, may_have_holes });
        Ok(())
    }

    fn length_with_holes(&self, path: &[u8]) -> Result<u64, DirError> {
        let place = self.place(path);
        let length = open(&place).and_then(|file| length_of(Extents::of(&file, &file.metadata()?)?, path));
        length.map_err(|error| DirError::Io { doing: "looking for holes in", path: place, error })
    }
}

/// Opens what has to be a regular file.
pub(super) fn open(place: &Path) -> std::io::Result<File> {
    // Without waiting, should a FIFO stand there by now.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    File::options().read(true).custom_flags(flags).open(place)
}

/// The length in the stream of these extents.
fn length_of(extents: Extents<'_>, path: &[u8]) -> std::io::Result<u64> {
    Chunks::of(extents).map(|chunk| Ok(chunk?.encoded_len(path.len()))).sum()
}

fn word_for(kind: FileType) -> &'static str {
    match kind {
        kind if kind.is_socket() => "socket",
        kind if kind.is_fifo() => "FIFO",
        _ => "device",
    }
}
