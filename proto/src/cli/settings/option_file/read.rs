//! An option file with what it includes.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::line::{Line, LineError, line};

/// How deep files may include each other, as in MySQL.
const MAX_DEPTH: usize = 10;

/// How many files may be read for one, so that two files that include each other twice end soon.
const MAX_FILES: usize = 200;

/// Where files come from.
pub(in super::super) trait Files {
    /// Why one cannot be had.
    type Error;

    /// What is in a file.
    fn content(&mut self, path: &Path) -> Result<Vec<u8>, Self::Error>;

    /// The files `*.cnf` of a directory, in order.
    fn option_files(&mut self, dir: &Path) -> Result<Vec<PathBuf>, Self::Error>;
}

/// One option in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Entry {
    /// The group it stands in.
    pub(in super::super) group: String,
    /// As it is written.
    pub(in super::super) name: String,
    /// What follows the `=`, if there is one.
    pub(in super::super) value: Option<OsString>,
    /// Where it stands.
    pub(in super::super) position: Position,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Position {
    /// The file, as it was named.
    pub(in super::super) file: Arc<Path>,
    /// From 1.
    pub(in super::super) line: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file.display(), self.line)
    }
}

/// Why a file, or one that it includes, cannot be read. `E` is why [`Files`] has it not.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum ReadError<E> {
    /// A line is not understood.
    Line(Position, LineError),
    /// The file itself.
    File(E),
    /// One that is included here.
    Included(Position, E),
    /// Files include each other too deep, or too many of them.
    TooMany(Position),
}

/// Reads a file. A path that it includes starts in its folder unless it is absolute.
///
/// # Errors
/// At the first line that is not understood, and for every file that cannot be read: what is named must be there.
pub(in super::super) fn read<F: Files>(path: &Path, files: &mut F) -> Result<Vec<Entry>, ReadError<F::Error>> {
    let content = files.content(path).map_err(ReadError::File)?;
    let mut reader = Reader { files, entries: Vec::new(), read: 1 };
    reader.lines(path, &content, MAX_DEPTH)?;
    Ok(reader.entries)
}

struct Reader<'a, F> {
    files: &'a mut F,
    entries: Vec<Entry>,
    /// How many files were read.
    read: usize,
}

impl<F: Files> Reader<'_, F> {
    fn lines(&mut self, path: &Path, content: &[u8], depth: usize) -> Result<(), ReadError<F::Error>> {
        let (file, mut group): (Arc<Path>, _) = (path.into(), None);
        for (index, bytes) in content.split(|byte| *byte == b'\n').enumerate() {
            let position = Position { file: file.clone(), line: index + 1 };
            match line(bytes).map_err(|error| ReadError::Line(position.clone(), error))? {
                Line::Nothing => {}
                Line::Group(name) => group = Some(name),
                Line::Include(other) => self.include(&[beside(path, &other)], &position, depth)?,
                Line::IncludeDir(dir) => {
                    let found = self.files.option_files(&beside(path, &dir));
                    let found = found.map_err(|error| ReadError::Included(position.clone(), error))?;
                    self.include(&found, &position, depth)?;
                }
                Line::Entry(name, value) => match group.clone() {
                    Some(group) => self.entries.push(Entry { group, name, value, position }),
                    None => return Err(ReadError::Line(position, LineError::NoGroup)),
                },
            }
        }
        Ok(())
    }

    fn include(&mut self, paths: &[PathBuf], position: &Position, depth: usize) -> Result<(), ReadError<F::Error>> {
        for path in paths {
            self.read += 1;
            if depth == 0 || self.read > MAX_FILES {
                return Err(ReadError::TooMany(position.clone()));
            }
            let content = self.files.content(path);
            let content = content.map_err(|error| ReadError::Included(position.clone(), error))?;
            self.lines(path, &content, depth - 1)?;
        }
        Ok(())
    }
}

/// The path `other`, as the file `path` means it.
fn beside(path: &Path, other: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(other)
}
