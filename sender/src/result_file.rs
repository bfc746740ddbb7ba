//! A file for what was confirmed, of `--checksum-file` or `--receipt`.
//!
//! What can be wrong with its place shows before the backup runs. Nothing that existed is overwritten.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use tempfile::NamedTempFile;
use xbproto::failure::Cause;

/// Where the lines will go.
#[derive(Debug)]
pub struct ResultFile {
    path: PathBuf,
    form: Form,
}

#[derive(Debug)]
enum Form {
    /// A file that has no name yet.
    New(NamedTempFile),
    /// A FIFO or a device, which keeps its place.
    InPlace,
}

/// The lines have no place to go, or have not come there.
#[derive(Debug, thiserror::Error)]
pub enum ResultFileError {
    /// A file of that name is there already.
    #[error("{option} {}: the file exists; move it away, or give another name", path.display())]
    Exists {
        /// The option that names it.
        option: &'static str,
        /// As it was given.
        path: PathBuf,
    },
    /// Something is there that bytes cannot be written to.
    #[error("{option} {}: this is neither a file, a FIFO nor a device; give another name", path.display())]
    Unfit {
        /// The option that names it.
        option: &'static str,
        /// As it was given.
        path: PathBuf,
    },
    /// The place cannot be looked at, or nothing can be made there.
    #[error("{option} {}: {error}", path.display())]
    Prepare {
        /// The option that names it.
        option: &'static str,
        /// As it was given.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The backup is good, but the lines were not written.
    #[error("the backup is confirmed, but {} could not be written: {error}", path.display())]
    Write {
        /// As it was given.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl ResultFileError {
    /// What the program exits for.
    pub fn cause(&self) -> Cause {
        match self {
            ResultFileError::Write { .. } => Cause::AfterCommit,
            _ => Cause::Usage,
        }
    }
}

impl ResultFile {
    /// Makes sure, as far as that can be known beforehand, that lines can be written to `path`, the value of `option`.
    ///
    /// # Errors
    /// All but [`ResultFileError::Write`].
    pub fn prepare(option: &'static str, path: &Path) -> Result<ResultFile, ResultFileError> {
        let exists = || ResultFileError::Exists { option, path: path.to_owned() };
        let failed = |error| ResultFileError::Prepare { option, path: path.to_owned(), error };
        let form = match fs::metadata(path).map(|metadata| metadata.file_type()) {
            Ok(kind) if kind.is_file() => return Err(exists()),
            Ok(kind) if kind.is_fifo() || kind.is_char_device() || kind.is_block_device() => Form::InPlace,
            Ok(_) => return Err(ResultFileError::Unfit { option, path: path.to_owned() }),
            // A link to nothing: a new file would have to take its place.
            Err(_) if path.is_symlink() => return Err(exists()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Form::New(new_in(directory(path)).map_err(failed)?)
            }
            Err(error) => return Err(failed(error)),
        };
        Ok(ResultFile { path: path.to_owned(), form })
    }

    /// Writes `lines`, and syncs them; a new file appears whole, or not at all.
    ///
    /// # Errors
    /// [`ResultFileError::Write`], also when something has taken the name meanwhile.
    pub fn write(self, lines: &str) -> Result<(), ResultFileError> {
        let written = match self.form {
            Form::New(file) => publish(file, &self.path, lines),
            Form::InPlace => write_in_place(&self.path, lines),
        };
        written.map_err(|error| ResultFileError::Write { path: self.path, error })
    }
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn new_in(directory: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(".xbsend-").permissions(Permissions::from_mode(0o644)).tempfile_in(directory)
}

fn publish(mut file: NamedTempFile, path: &Path, lines: &str) -> io::Result<()> {
    file.write_all(lines.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    File::open(directory(path))?.sync_all()
}

fn write_in_place(path: &Path, lines: &str) -> io::Result<()> {
    // With O_NONBLOCK a FIFO that nobody reads is an error, not a program that never ends.
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    OpenOptions::new().write(true).custom_flags(flags).open(path)?.write_all(lines.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    /// The SHA-1 of nothing, as `sha1sum` prints it for stdin.
    const LINE: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709  -\n";

    fn prepare(path: &Path) -> Result<ResultFile, ResultFileError> {
        ResultFile::prepare("--checksum-file", path)
    }

    fn names(directory: &Path) -> Vec<std::ffi::OsString> {
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn a_new_name_appears_with_the_lines() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sums");
        let file = prepare(&path).unwrap();
        assert!(!path.exists());
        file.write(LINE).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), LINE);
        assert_eq!(names(dir.path()), ["sums"]);
    }

    #[test]
    fn what_exists_is_refused_beforehand() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link, dangling) = (dir.path().join("file"), dir.path().join("link"), dir.path().join("dangling"));
        fs::write(&file, "kept").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        std::os::unix::fs::symlink("/no/such", &dangling).unwrap();
        for path in [&file, &link, &dangling] {
            let error = prepare(path).unwrap_err();
            assert!(matches!(error, ResultFileError::Exists { .. }), "{error}");
            assert_eq!(error.cause(), Cause::Usage);
        }
        assert!(matches!(prepare(dir.path()), Err(ResultFileError::Unfit { .. })));
        let error = prepare(Path::new("/no/such/file")).unwrap_err();
        assert!(error.to_string().starts_with("--checksum-file /no/such/file: No such file"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
    }

    #[test]
    fn a_name_taken_meanwhile_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sums");
        let file = prepare(&path).unwrap();
        fs::write(&path, "another's").unwrap();
        assert_eq!(file.write(LINE).unwrap_err().cause(), Cause::AfterCommit);
        assert_eq!(fs::read_to_string(&path).unwrap(), "another's");
        assert_eq!(names(dir.path()), ["sums"]);
    }

    #[test]
    fn a_fifo_behind_a_link_stays_and_gets_the_lines() {
        let dir = tempfile::tempdir().unwrap();
        let (fifo, link) = (dir.path().join("fifo"), dir.path().join("link"));
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        std::os::unix::fs::symlink(&fifo, &link).unwrap();
        let reader = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(&fifo);
        prepare(&link).unwrap().write(LINE).unwrap();
        let mut lines = String::new();
        reader.unwrap().read_to_string(&mut lines).unwrap();
        assert_eq!(lines, LINE);
        assert!(link.is_symlink() && fs::metadata(&fifo).unwrap().file_type().is_fifo());
    }

    #[test]
    fn a_fifo_that_nobody_reads_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let error = prepare(&fifo).unwrap().write(LINE).unwrap_err();
        assert_eq!(error.cause(), Cause::AfterCommit);
    }

    #[test]
    fn a_device_is_written_in_place() {
        prepare(Path::new("/dev/null")).unwrap().write(LINE).unwrap();
    }
}
