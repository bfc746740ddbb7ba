//! Giving files and their checksums their final names, all or none.
//!
//! The files come first: if the host dies between the two, a whole backup without its checksum is better than a
//! checksum of nothing.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{OFlags, openat};
use xbproto::lane::Sha1Sum;

use super::names::{CHECKSUM, CHECKSUM_PARTIAL, Names, PARTIAL};
use crate::disk::{At, DiskError, FILE_MODE, Ownership};
use crate::sink::SinkError;

/// A file that is to be published.
#[derive(Debug)]
pub(super) struct Whole<'a> {
    pub(super) names: &'a Names,
    /// Its partial file, whose bytes are durable.
    pub(super) file: &'a File,
    pub(super) sum: Sha1Sum,
}

/// A rename that was done: whose, from which suffix, to which.
type Renamed<'a> = (&'a Names, &'static str, &'static str);

/// Publishes the partial files with their checksums, makes all names durable, and gives all of them this `ownership`. The
/// files get that last: a run after ours goes on only with a partial file of its own user.
///
/// # Errors
/// When that fails, or a name is taken; all are taken back then, unless the error is `NotUndone`.
pub(super) fn publish(files: &[Whole<'_>], ownership: &Ownership) -> Result<(), SinkError> {
    files.iter().try_for_each(|whole| write_checksum(whole.names, whole.sum, ownership))?;
    let of_all = |from, to| files.iter().map(move |whole| (whole.names, from, to));
    let mut done = Vec::new();
    for (names, from, to) in of_all(PARTIAL, "").chain(of_all(CHECKSUM_PARTIAL, CHECKSUM)) {
        if let Err(error) = names.rename(from, to) {
            return Err(take_back(error, &done));
        }
        done.push((names, from, to));
    }
    // They are in one directory.
    let synced = files.first().map_or(Ok(()), |whole| whole.names.sync());
    let given = synced.and_then(|()| files.iter().try_for_each(|whole| give(whole.names, whole.file, ownership)));
    given.map_err(|error| take_back(error.into(), &done))
}

/// Does what is missing of a publication that was interrupted after the file had its name.
pub(super) fn finish(names: &Names, sum: Sha1Sum, ownership: &Ownership) -> Result<(), SinkError> {
    // Of a rename in two steps only the first may be done: then both names are those of one file.
    names.remove(PARTIAL)?;
    match names.entry(CHECKSUM)? {
        Some(_) => names.remove(CHECKSUM_PARTIAL)?,
        None => {
            write_checksum(names, sum, ownership)?;
            names.rename(CHECKSUM_PARTIAL, CHECKSUM)?;
        }
    }
    names.sync()?;
    if !ownership.is_nothing() {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(names.dir(), names.name(), flags, FILE_MODE).map(File::from).at("opening", names.path())?;
        give(names, &file, ownership)?;
    }
    Ok(())
}

/// Gives the file away that has its name.
fn give(names: &Names, file: &File, ownership: &Ownership) -> Result<(), DiskError> {
    if ownership.is_nothing() {
        return Ok(());
    }
    ownership.give(file).and_then(|()| file.sync_all()).at("giving away", names.path())
}

/// Writes the checksum under its temporary name, and syncs it.
pub(super) fn write_checksum(names: &Names, sum: Sha1Sum, ownership: &Ownership) -> Result<(), DiskError> {
    let path = names.beside(CHECKSUM_PARTIAL);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(names.dir(), names.suffixed(CHECKSUM_PARTIAL), flags, FILE_MODE);
    let mut file = file.map(File::from).at("creating", &path)?;
    file.write_all(&checksum_line(sum, names.name())).at("writing", &path)?;
    ownership.give(&file).at("giving away", &path)?;
    file.sync_all().at("syncing", &path)
}

/// Undoes these renames because of `error`, the last one first, makes that durable, and says what is to be reported.
pub(super) fn take_back(error: SinkError, done: &[Renamed<'_>]) -> SinkError {
    for (names, from, to) in done.iter().rev() {
        let undone = names.rename(to, from).and_then(|()| Ok(names.sync()?));
        if let Err(undo) = undone {
            return SinkError::NotUndone { error: error.into(), path: names.path().into(), undo: undo.into() };
        }
    }
    error
}

/// What `sha1sum` prints for a file of this name, and `sha1sum -c` reads.
pub(super) fn checksum_line(sum: Sha1Sum, name: &OsStr) -> Vec<u8> {
    let mut escaped = Vec::new();
    for byte in name.as_bytes() {
        match byte {
            b'\\' => escaped.extend(br"\\"),
            b'\n' => escaped.extend(br"\n"),
            b'\r' => escaped.extend(br"\r"),
            _ => escaped.push(*byte),
        }
    }
    let mark = if escaped.len() > name.len() { "\\" } else { "" };
    [format!("{mark}{sum}  ").as_bytes(), &escaped, b"\n"].concat()
}
