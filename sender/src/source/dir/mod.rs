//! `--dir`: a directory as the stream that `xbstream -c` would make of it.
//!
//! | module | owns |
//! |---|---|
//! | `inventory` | what is in it, and how long the stream will be |
//! | `holes` | where a file has no data, as its file system reports it |
//! | `proven` | reading what is reported, so that nothing is lost to a wrong report |
//! | `layout` | files cut into chunks (pure) |
//! | `feed` | the thread that reads, and the lane |
//! | `difference` | what has happened to the directory meanwhile (pure) |
//!
//! Holes become Percona's sparse chunks, which MariaDB's `mbstream` cannot read; files without holes are plain. The format
//! has regular files only: of anything else in the directory nothing would arrive, so that is an error, except for empty
//! directories, which are counted.

mod difference;
mod error;
mod feed;
mod holes;
mod inventory;
mod layout;
mod proven;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use difference::Happened;
pub use error::DirError;

use self::feed::Feed;
use self::inventory::Inventory;
use super::{Ending, Kind, LaneInput, Note, OnNote, Started};

/// The length of the stream of `dir` in bytes.
///
/// # Errors
/// When there is something in it that cannot be sent, or nothing.
pub(super) fn length(dir: &Path) -> Result<u64, DirError> {
    Inventory::of(dir)?.length()
}

/// The files of `dir`, listed but not read yet, and the length of their stream in bytes.
///
/// # Errors
/// As [`length`].
pub(super) fn open(dir: PathBuf, on_note: &OnNote) -> Result<(Started, u64), DirError> {
    let inventory = Inventory::of(&dir)?;
    let (length, count) = (inventory.length()?, inventory.empty_directories);
    if count > 0 {
        on_note.tell(Note::EmptyDirectories { dir, count });
    }
    // What has no name is what `xbstream -c` writes to its standard output.
    let lane = LaneInput::new("-", move || Ok(Box::new(Feed::start(inventory)?)));
    Ok((Started { lanes: vec![lane], ending: Ending(Kind::Listed) }, length))
}
