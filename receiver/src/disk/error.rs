//! What went wrong with a file, in the system's words, and what was found of an earlier run.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::io::Errno;
use xbproto::xbstream::StreamPath;

/// A system call on a file failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{doing} {}: {}", shown(.path), reason(.error))]
pub struct DiskError {
    /// What was being done, such as `writing`.
    pub doing: &'static str,
    /// The file, as the operator or the stream spells it.
    pub path: PathBuf,
    /// What the system said. Shared, because the first failure of a background sync is reported to everyone who asks.
    pub error: Arc<io::Error>,
}

impl DiskError {
    /// `doing` something to `path` failed with `error`.
    pub fn new(doing: &'static str, path: impl AsRef<Path>, error: impl Into<io::Error>) -> DiskError {
        DiskError { doing, path: path.as_ref().to_owned(), error: Arc::new(error.into()) }
    }
}

/// Says which file a system call was about.
pub(crate) trait At<T> {
    /// Names what was being done, and to which file.
    fn at(self, doing: &'static str, path: impl AsRef<Path>) -> Result<T, DiskError>;
}

impl<T, E: Into<io::Error>> At<T> for Result<T, E> {
    fn at(self, doing: &'static str, path: impl AsRef<Path>) -> Result<T, DiskError> {
        self.map_err(|error| DiskError::new(doing, path, error))
    }
}

/// What was found of an earlier run and put right before this one began.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Notice {
    /// A partial file that nobody was writing any more.
    #[error("replaced {}, which an interrupted run left", shown(.0))]
    ReplacedPartial(PathBuf),
    /// A staging folder that nobody was filling any more.
    #[error("removed {}, which an interrupted run left", shown(.0))]
    RemovedStaging(PathBuf),
    /// An extraction that ended amid its commit: what it had put in place was taken back.
    #[error("took back the half-finished commit of an interrupted run and removed {}", shown(.0))]
    UndidCommit(PathBuf),
    /// An extraction that ended when everything was in place.
    #[error("an interrupted run had put all its files in place; finished it and removed {}", shown(.0))]
    FinishedCommit(PathBuf),
}

/// A path in a form that is safe on a terminal.
pub(crate) fn shown(path: &Path) -> StreamPath {
    StreamPath(path.as_os_str().as_bytes().into())
}

/// A path of the stream as a path.
pub(crate) fn as_path(path: &StreamPath) -> &Path {
    Path::new(OsStr::from_bytes(path.as_bytes()))
}

/// The system's words for an error, without Rust's ` (os error 28)`, and with the cure where there is a plain one.
pub(crate) fn reason(error: &io::Error) -> String {
    let mut text = error.to_string();
    if let Some(end) = text.find(" (os error ") {
        text.truncate(end);
    }
    if error.raw_os_error() == Some(Errno::MFILE.raw_os_error()) {
        text.push_str("; raise the limit of open files (ulimit -n)");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_has_deed_file_and_the_systems_words() {
        let error = DiskError::new("writing", "shop/orders.ibd", Errno::NOSPC);
        assert_eq!(error.to_string(), "writing shop/orders.ibd: No space left on device");
    }

    #[test]
    fn message_escapes_what_a_terminal_would_obey() {
        let error = DiskError::new("writing", "a\x1b[2Jb", Errno::IO);
        assert_eq!(error.to_string(), "writing a\\u{1b}[2Jb: Input/output error");
    }

    #[test]
    fn too_many_open_files_names_the_cure() {
        let error = DiskError::new("creating", "a", Errno::MFILE);
        assert_eq!(error.to_string(), "creating a: Too many open files; raise the limit of open files (ulimit -n)");
    }
}
