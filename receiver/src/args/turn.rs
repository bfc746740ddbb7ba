//! Places that are another one for each of several backups.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// What stands for the number of the backup.
const NUMBER: &[u8] = b"%n";

/// The second backup would want what the first has had.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum TurnError {
    /// The same place.
    #[error(
        "--times needs a place for each backup: write %n for its number, as in -o 'FILE-%n.xbstream' or -C 'DIR-%n'"
    )]
    Place,
    /// The same manifest.
    #[error("--times needs a manifest for each backup: write %n for its number, as in --manifest 'FILE-%n'")]
    Manifest,
    /// The same standard output, on which nobody could tell them apart.
    #[error("--times does not go with --stdout: nobody could tell one backup from the next; hand them to a command")]
    Stdout,
}

/// `path` with the number of the backup in it; `None` if it has no place for that.
pub(super) fn numbered(path: Option<&Path>, turn: u64) -> Option<PathBuf> {
    let bytes = path?.as_os_str().as_bytes();
    let at = bytes.windows(NUMBER.len()).position(|window| window == NUMBER)?;
    let (before, after) = (&bytes[..at], &bytes[at + NUMBER.len()..]);
    let text = [before, turn.to_string().as_bytes(), after].concat();
    Some(PathBuf::from(OsString::from_vec(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_takes_its_place() {
        assert_eq!(numbered(Some(Path::new("/b/day-%n.xb")), 12), Some("/b/day-12.xb".into()));
        assert_eq!(numbered(Some(Path::new("/b/day.xb")), 1), None);
    }
}
