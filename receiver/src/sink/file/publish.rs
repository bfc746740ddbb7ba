//! Giving a file and its checksum their final names, both or none.
//!
//! The file comes first: if the host dies between the two, a whole backup without its checksum is better than a
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

/// Publishes the partial file, whose bytes are durable, with its checksum, which gets this `ownership`, and makes both names
/// durable.
///
/// # Errors
/// When that fails, or a name is taken; both are taken back then, unless the error is `NotUndone`.
pub(super) fn publish(names: &Names, sum: Sha1Sum, ownership: &Ownership) -> Result<(), SinkError> {
    write_checksum(names, sum, ownership)?;
    names.rename(PARTIAL, "")?;
    if let Err(error) = names.rename(CHECKSUM_PARTIAL, CHECKSUM) {
        return Err(take_back(names, error, &[("", PARTIAL)]));
    }
    let taken_back = |error: DiskError| take_back(names, error.into(), &[(CHECKSUM, CHECKSUM_PARTIAL), ("", PARTIAL)]);
    names.sync().map_err(taken_back)
}

/// Does what is missing of a publication that was interrupted after the file had its name.
pub(super) fn finish(names: &Names, sum: Sha1Sum) -> Result<(), SinkError> {
    // Of a rename in two steps only the first may be done: then both names are those of one file.
    names.remove(PARTIAL)?;
    match names.entry(CHECKSUM)? {
        Some(_) => names.remove(CHECKSUM_PARTIAL)?,
        None => {
            write_checksum(names, sum, &Ownership::default())?;
            names.rename(CHECKSUM_PARTIAL, CHECKSUM)?;
        }
    }
    Ok(names.sync()?)
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

/// Undoes these renames because of `error`, makes that durable, and says what is to be reported.
pub(super) fn take_back(names: &Names, error: SinkError, renames: &[(&str, &str)]) -> SinkError {
    let undone = renames.iter().try_for_each(|(from, to)| names.rename(from, to));
    match undone.and_then(|()| Ok(names.sync()?)) {
        Ok(()) => error,
        Err(undo) => SinkError::NotUndone { error: error.into(), path: names.path().into(), undo: undo.into() },
    }
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
