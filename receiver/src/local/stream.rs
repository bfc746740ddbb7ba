//! One `--from`: where it is read, and what it should come to.

use std::path::{Path, PathBuf};

use xbproto::cli::{Event, Reporter};

use super::LocalError;
use super::input::Input;
use super::stored_sum::{StoredSum, place};
use crate::disk::shown;

/// A stored stream.
#[derive(Debug)]
pub(super) struct Stream {
    /// Its bytes.
    pub(super) input: Input,
    /// The SHA-1 that stands beside it, if any does.
    pub(super) sum: Option<StoredSum>,
    /// Where that was looked for; nowhere for standard input.
    looked: Option<PathBuf>,
}

impl Stream {
    /// The streams of one backup.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub(super) fn find_all(paths: &[PathBuf]) -> Result<Vec<Stream>, LocalError> {
        if paths.iter().filter(|path| path.as_os_str() == "-").count() > 1 {
            return Err(LocalError::StdinTwice);
        }
        paths.iter().map(|path| Stream::find(path)).collect()
    }

    fn find(path: &Path) -> Result<Stream, LocalError> {
        let input = Input::find(path)?;
        if path.as_os_str() == "-" {
            return Ok(Stream { input, sum: None, looked: None });
        }
        Ok(Stream { input, sum: StoredSum::beside(path)?, looked: Some(place(path)) })
    }

    /// Tells where there is no SHA-1 to compare with.
    pub(super) fn tell(&self, reporter: &Reporter) {
        if let (None, Some(looked)) = (&self.sum, &self.looked) {
            let words = format!("there is no {}: the SHA-1 is not compared", shown(looked));
            reporter.tell(Event::Notice(words));
        }
    }
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
