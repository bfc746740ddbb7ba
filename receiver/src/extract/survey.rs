//! The files of the staging tree, once they are complete: which of them stay, and what their sums are.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, Mode, Stat, openat, unlinkat};
use rustix::io::Errno;

use super::ExtractError;
use super::beneath::Beneath;
use super::files::manifest::Manifest;
use super::wanted::Wanted;
use crate::disk::{At, DIR_FLAGS, DiskError, entry, is_dir, names};

/// What was come by.
struct Found<'a> {
    /// The directory it is in.
    dir: &'a OwnedFd,
    name: &'a OsStr,
    path: &'a Path,
    stat: Stat,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Anything but a directory.
    File,
    /// A directory, after all that is in it.
    Left,
}

/// Removes the files that are not wanted, and the directories that are empty then. Gives how many files are left, if not
/// all are wanted.
///
/// # Errors
/// When nothing is left, or something could not be removed.
pub(super) fn keep_wanted(tree: Beneath, wanted: &Wanted) -> Result<Option<u64>, ExtractError> {
    if wanted.is_all() {
        return Ok(None);
    }
    let mut kept = 0;
    walk(&tree.into_root(), Path::new(""), &mut |found| {
        let flags = match found.kind {
            Kind::File if wanted.has(found.path) => {
                kept += 1;
                return Ok(());
            }
            Kind::File => AtFlags::empty(),
            Kind::Left => AtFlags::REMOVEDIR,
        };
        match unlinkat(found.dir, found.name, flags) {
            Err(Errno::NOTEMPTY | Errno::EXIST) if found.kind == Kind::Left => Ok(()),
            done => done.at("removing", found.path),
        }
    })?;
    if kept > 0 { Ok(Some(kept)) } else { Err(ExtractError::NothingWanted { patterns: wanted.patterns() }) }
}

/// The lines that `sha1sum` would print for all files, in order of their names.
///
/// # Errors
/// When the tree cannot be read.
pub(super) fn manifest_lines(tree: Beneath, manifest: &Manifest) -> Result<Vec<u8>, DiskError> {
    let mut lines = Vec::new();
    walk(&tree.into_root(), Path::new(""), &mut |found| {
        if found.kind == Kind::File {
            let missing =
                || DiskError::new("summing", found.path, io::Error::other("it was not summed; please report this"));
            let sum = manifest.sum(found.stat.st_ino).ok_or_else(missing)?;
            push_line(&mut lines, &sum.to_string(), found.path.as_os_str().as_bytes());
        }
        Ok(())
    })?;
    Ok(lines)
}

/// A name with a newline, a return or a backslash is escaped, and its line begins with one, as `sha1sum` does it.
fn push_line(lines: &mut Vec<u8>, sum: &str, path: &[u8]) {
    let start = lines.len();
    lines.extend(sum.as_bytes());
    lines.extend(b"  ");
    let mut escaped = false;
    for byte in path {
        let escape: &[u8] = match byte {
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\\' => b"\\\\",
            plain => std::slice::from_ref(plain),
        };
        escaped |= escape.len() > 1;
        let _ = lines.write_all(escape);
    }
    if escaped {
        lines.insert(start, b'\\');
    }
    lines.push(b'\n');
}

/// Calls `each` for all files below `dir`, called `path` in errors, in order of their names; and for each directory once it was
/// gone through.
fn walk(
    dir: &OwnedFd,
    path: &Path,
    each: &mut impl FnMut(&Found<'_>) -> Result<(), DiskError>,
) -> Result<(), DiskError> {
    let mut all = names(dir).at("reading", path)?;
    all.sort();
    for name in &all {
        let below = path.join(name);
        let Some(stat) = entry(dir, name).at("looking at", &below)? else { continue };
        let kind = if is_dir(&stat) { Kind::Left } else { Kind::File };
        if kind == Kind::Left {
            walk(&openat(dir, name, DIR_FLAGS, Mode::empty()).at("opening", &below)?, &below, each)?;
        }
        each(&Found { dir, name, path: &below, stat, kind })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_sha1sum() {
        let mut lines = Vec::new();
        push_line(&mut lines, "da39", b"shop/t.ibd");
        push_line(&mut lines, "da39", b"a\nb\\c\r");
        assert_eq!(lines.escape_ascii().to_string(), r"da39  shop/t.ibd\n\\da39  a\\nb\\\\c\\r\n");
    }
}
