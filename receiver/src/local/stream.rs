//! One `--from`: where it is read, and what it should come to.

use std::path::{Path, PathBuf};

use super::LocalError;
use super::input::Input;
use super::stored_sum::{StoredSum, place};
use crate::disk::shown;

/// The most streams that are read at a time: each takes three threads and some megabytes.
const MAX_STREAMS: usize = 128;

/// A stored stream.
#[derive(Debug)]
pub(super) struct Stream {
    /// Its bytes.
    pub(super) input: Input,
    /// The SHA-1 that stands beside it, if any does.
    pub(super) sum: Option<StoredSum>,
    /// As it was given: `-` is standard input.
    path: PathBuf,
}

impl Stream {
    /// The streams of one backup.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub(super) fn find_all(paths: &[PathBuf]) -> Result<Vec<Stream>, LocalError> {
        if paths.len() > MAX_STREAMS {
            return Err(LocalError::TooMany { count: paths.len(), limit: MAX_STREAMS });
        }
        if paths.iter().filter(|path| is_stdin(path)).count() > 1 {
            return Err(LocalError::StdinTwice);
        }
        paths.iter().map(|path| Stream::find(path)).collect()
    }

    fn find(path: &Path) -> Result<Stream, LocalError> {
        let input = Input::find(path)?;
        let sum = if is_stdin(path) { None } else { StoredSum::beside(path)? };
        Ok(Stream { input, sum, path: path.to_owned() })
    }

    /// Whether it is that of another process, with nothing beside it.
    pub(super) fn is_stdin(&self) -> bool {
        is_stdin(&self.path)
    }

    /// What `sha1sum` would call it.
    pub(super) fn sum_name(&self) -> String {
        self.path.display().to_string()
    }

    /// Whether there is a SHA-1 to compare with, in words.
    pub(super) fn compared(&self) -> String {
        let name = self.input.name();
        match &self.sum {
            Some(sum) => format!("{name}: the SHA-1 is compared with {}", shown(&sum.path)),
            None if self.is_stdin() => format!("{name}: the SHA-1 is not compared"),
            None => format!("{name}: the SHA-1 is not compared: there is no {}", shown(&place(&self.path))),
        }
    }
}

/// Whether this means standard input.
pub(super) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// How many bytes all of them have, if that is known.
pub(super) fn total(streams: &[Stream]) -> Option<u64> {
    streams.iter().map(|stream| stream.input.length()).sum()
}

/// What to call all of them.
pub(super) fn names(streams: &[Stream]) -> String {
    let names: Vec<&str> = streams.iter().map(|stream| stream.input.name()).collect();
    names.join(", ")
}
