//! Places that are another one for each of several backups.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// What stands for the number of the backup.
const NUMBER: &[u8] = b"%n";

/// The second backup would want the place of the first.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("--times needs a place for each backup: write %n for its number, as in -o 'FILE-%n.xbstream' or -C 'DIR-%n'")]
pub struct TurnError;

/// `path` with the number of the backup in it; `None` if it has no place for that.
pub(super) fn numbered(path: &Path, turn: u32) -> Option<PathBuf> {
    let bytes = path.as_os_str().as_bytes();
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
        assert_eq!(numbered(Path::new("/b/day-%n.xb"), 12), Some("/b/day-12.xb".into()));
        assert_eq!(numbered(Path::new("/b/day.xb"), 1), None);
    }
}
