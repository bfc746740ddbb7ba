//! Which paths of a stream may become files. Pure: nothing here looks at a disk.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use xbproto::xbstream::{Item, STAGING_PREFIX, StreamPath};

/// Longest name of a file or directory, in bytes (`NAME_MAX`).
pub(in crate::extract) const MAX_NAME: usize = 255;

/// A path that leads from a directory to something inside it, spelled in the one normal way: names that are neither
/// `.` nor `..`, with one `/` between them. Links are the business of whoever resolves it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::extract) struct SafePath(StreamPath);

/// Whether a path may end in `/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::extract) enum Trailing {
    /// No: it names a file.
    Refused,
    /// Yes: it may name a directory.
    Allowed,
}

/// A path that is not safe.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("refusing the path \"{path}\" of the stream: {why}")]
pub struct PathError {
    /// As the stream spells it.
    pub path: StreamPath,
    /// What is wrong with it.
    pub why: Unsafe,
}

/// What can be wrong with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsafe {
    /// Nothing is left of it without its `.` components.
    #[error("it names nothing")]
    Empty,
    /// It begins with `/`.
    #[error("it is absolute")]
    Absolute,
    /// It has a component `..`.
    #[error("it leads upwards")]
    Upwards,
    /// It has a NUL byte.
    #[error("it contains a NUL byte")]
    Nul,
    /// It ends in `/` where a file is meant.
    #[error("a file's name cannot end in a slash")]
    TrailingSlash,
    /// A component is longer than any file system takes.
    #[error("it has a name of more than 255 bytes")]
    LongName,
    /// It begins with what the staging folder is called.
    #[error("names that begin with .xbrecv- are this program's own")]
    Reserved,
}

impl SafePath {
    /// Checks a path and normalises its spelling.
    ///
    /// # Errors
    /// [`PathError`] with the first thing that is wrong.
    pub(in crate::extract) fn parse(path: &StreamPath, trailing: Trailing) -> Result<SafePath, PathError> {
        let bytes = path.as_bytes();
        match judge(bytes, trailing) {
            Err(why) => Err(PathError { path: path.clone(), why }),
            Ok(()) if is_normal(bytes) => Ok(SafePath(path.clone())),
            Ok(()) => Ok(SafePath(StreamPath(components(bytes).collect::<Vec<_>>().join(&b'/').into()))),
        }
    }

    /// The path for system calls.
    pub(in crate::extract) fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(self.0.as_bytes()))
    }

    /// The directory it lies in; empty for the directory it starts from.
    pub(in crate::extract) fn parent(&self) -> &Path {
        self.as_path().parent().unwrap_or(Path::new(""))
    }

    /// Its last name.
    pub(in crate::extract) fn name(&self) -> &OsStr {
        self.as_path().file_name().unwrap_or_default()
    }

    /// The path as a key for the ledger, which compares spellings.
    pub(in crate::extract) fn into_stream(self) -> StreamPath {
        self.0
    }
}

/// Checks every path of an item and gives it its normal spelling, so that two spellings are not taken for two files.
///
/// # Errors
/// [`PathError`] for the first path that is not safe.
pub(crate) fn make_safe(item: &mut Item) -> Result<(), PathError> {
    let (paths, trailing) = match item {
        Item::Payload { path, .. }
        | Item::Sparse { path, .. }
        | Item::Ignored { path, .. }
        | Item::Seek { path, .. }
        | Item::End { path } => ([Some(path), None], Trailing::Refused),
        Item::Rename { from, to } => ([Some(from), Some(to)], Trailing::Refused),
        Item::Remove { path } => ([Some(path), None], Trailing::Allowed),
        Item::Data(_) | Item::Verified => ([None, None], Trailing::Refused),
    };
    for path in paths.into_iter().flatten() {
        *path = SafePath::parse(path, trailing)?.into_stream();
    }
    Ok(())
}

fn judge(path: &[u8], trailing: Trailing) -> Result<(), Unsafe> {
    if path.contains(&0) {
        return Err(Unsafe::Nul);
    }
    if path.starts_with(b"/") {
        return Err(Unsafe::Absolute);
    }
    if components(path).any(|name| name == b"..") {
        return Err(Unsafe::Upwards);
    }
    if components(path).any(|name| name.len() > MAX_NAME) {
        return Err(Unsafe::LongName);
    }
    let first = components(path).next().ok_or(Unsafe::Empty)?;
    if first.starts_with(STAGING_PREFIX.as_bytes()) {
        return Err(Unsafe::Reserved);
    }
    let names_a_directory = path.ends_with(b"/") || path.ends_with(b"/.");
    if names_a_directory && trailing == Trailing::Refused {
        return Err(Unsafe::TrailingSlash);
    }
    Ok(())
}

/// The names of a path, without what means nothing.
fn components(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".")
}

fn is_normal(path: &[u8]) -> bool {
    path.split(|byte| *byte == b'/').all(|name| !name.is_empty() && name != b".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(path: &[u8]) -> StreamPath {
        StreamPath(path.into())
    }

    fn parse(path: &[u8]) -> Result<Vec<u8>, Unsafe> {
        let parsed = SafePath::parse(&stream(path), Trailing::Refused);
        parsed.map(|safe| safe.into_stream().as_bytes().to_vec()).map_err(|error| error.why)
    }

    #[test]
    fn names_that_tools_write_are_kept() {
        let names: [&[u8]; 10] = [
            b"ibdata1",
            b".rocksdb/000012.sst",
            b"#innodb_redo/#ib_redo6",
            b"db/t#P#p0.ibd",
            b"a b/@0024.frm",
            b"..a",
            b"a/..b",
            b"a..b",
            b"bytes/\xff\xfe.ibd",
            b"x.xbrecv-1",
        ];
        for name in names {
            assert_eq!(parse(name).unwrap(), name);
        }
    }

    #[test]
    fn spellings_of_one_path_become_one() {
        for (spelling, normal) in [("./a", "a"), ("a//b", "a/b"), ("a/./b", "a/b"), (".//./a/././b", "a/b")] {
            assert_eq!(parse(spelling.as_bytes()).unwrap(), normal.as_bytes());
        }
    }

    #[test]
    fn hostile_names_are_refused() {
        let long = vec![b'a'; 256];
        let names: [(&[u8], Unsafe); 15] = [
            (b"", Unsafe::Empty),
            (b".", Unsafe::Empty),
            (b"./", Unsafe::Empty),
            (b"/", Unsafe::Absolute),
            (b"/etc/passwd", Unsafe::Absolute),
            (b"//a", Unsafe::Absolute),
            (b"..", Unsafe::Upwards),
            (b"../a", Unsafe::Upwards),
            (b"a/..", Unsafe::Upwards),
            (b"a/../../b", Unsafe::Upwards),
            (b"a\0b", Unsafe::Nul),
            (b"a/", Unsafe::TrailingSlash),
            (b"a/.", Unsafe::TrailingSlash),
            (b"./.xbrecv-0123456789abcdef/tree/a", Unsafe::Reserved),
            (&long, Unsafe::LongName),
        ];
        for (name, why) in names {
            assert_eq!(parse(name).unwrap_err(), why, "{}", name.escape_ascii());
        }
    }

    #[test]
    fn a_directory_to_remove_may_end_in_a_slash() {
        let mut item = Item::Remove { path: stream(b"d1//") };
        make_safe(&mut item).unwrap();
        assert_eq!(item, Item::Remove { path: stream(b"d1") });
    }

    #[test]
    fn every_path_of_every_item_is_checked() {
        let bad = || stream(b"a/../..");
        let good = || stream(b"a");
        let items = [
            Item::Payload { path: bad(), opening: xbproto::xbstream::Opening::New, offset: 0, len: 0 },
            Item::Sparse { path: bad(), offset: 0, len: 0, runs: Vec::new() },
            Item::Ignored { path: bad(), kind: b'x', len: 0 },
            Item::Seek { path: bad(), offset: 0 },
            Item::End { path: bad() },
            Item::Remove { path: bad() },
            Item::Rename { from: bad(), to: good() },
            Item::Rename { from: good(), to: bad() },
        ];
        for mut item in items {
            assert!(make_safe(&mut item).is_err(), "{item:?}");
        }
    }
}
