//! The file of `--checksum-file`: the lines that `sha1sum` would print, once the receiver has confirmed.
//!
//! What can be wrong with its place shows before the backup runs. Nothing that existed is overwritten.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use tempfile::NamedTempFile;
use xbproto::failure::Cause;
use xbproto::wire::LaneSum;

/// Where the lines will go.
#[derive(Debug)]
pub struct ChecksumFile {
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
pub enum ChecksumFileError {
    /// A file of that name is there already.
    #[error("--checksum-file {}: the file exists; move it away, or give another name", .0.display())]
    Exists(PathBuf),
    /// Something is there that bytes cannot be written to.
    #[error("--checksum-file {}: this is neither a file, a FIFO nor a device; give another name", .0.display())]
    Unfit(PathBuf),
    /// The place cannot be looked at, or nothing can be made there.
    #[error("--checksum-file {}: {error}", path.display())]
    Prepare {
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

impl ChecksumFileError {
    /// What the program exits for.
    pub fn cause(&self) -> Cause {
        match self {
            ChecksumFileError::Write { .. } => Cause::AfterCommit,
            _ => Cause::Usage,
        }
    }
}

impl ChecksumFile {
    /// Makes sure, as far as that can be known beforehand, that the lines can be written to `path`.
    ///
    /// # Errors
    /// All but [`ChecksumFileError::Write`].
    pub fn prepare(path: &Path) -> Result<ChecksumFile, ChecksumFileError> {
        let failed = |error| ChecksumFileError::Prepare { path: path.to_owned(), error };
        let form = match fs::metadata(path).map(|metadata| metadata.file_type()) {
            Ok(kind) if kind.is_file() => return Err(ChecksumFileError::Exists(path.to_owned())),
            Ok(kind) if kind.is_fifo() || kind.is_char_device() || kind.is_block_device() => Form::InPlace,
            Ok(_) => return Err(ChecksumFileError::Unfit(path.to_owned())),
            // A link to nothing: a new file would have to take its place.
            Err(_) if path.is_symlink() => return Err(ChecksumFileError::Exists(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Form::New(new_in(directory(path)).map_err(failed)?)
            }
            Err(error) => return Err(failed(error)),
        };
        Ok(ChecksumFile { path: path.to_owned(), form })
    }

    /// Writes a line for each of `sums`, with the name of each lane, and syncs them; a new file appears whole, or not at
    /// all.
    ///
    /// # Errors
    /// [`ChecksumFileError::Write`], also when something has taken the name meanwhile.
    pub fn write(self, sums: &[LaneSum], names: &[String]) -> Result<(), ChecksumFileError> {
        let lines: String = sums.iter().zip(names).map(|(sum, name)| format!("{}  {name}\n", sum.sum)).collect();
        let written = match self.form {
            Form::New(file) => publish(file, &self.path, &lines),
            Form::InPlace => write_in_place(&self.path, &lines),
        };
        written.map_err(|error| ChecksumFileError::Write { path: self.path, error })
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

    use xbproto::lane::{LaneDigest, LaneId};

    use super::*;

    /// The SHA-1 of nothing, as `sha1sum` prints it for stdin.
    const LINE: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709  -\n";

    fn sums() -> [LaneSum; 1] {
        [LaneSum { lane: LaneId(0), len: 0, sum: LaneDigest::default().sum() }]
    }

    fn names_of_lanes() -> Vec<String> {
        vec!["-".to_owned()]
    }

    fn names(directory: &Path) -> Vec<std::ffi::OsString> {
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }

    #[test]
    fn a_new_name_appears_with_the_lines() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sums");
        let file = ChecksumFile::prepare(&path).unwrap();
        assert!(!path.exists());
        file.write(&sums(), &names_of_lanes()).unwrap();
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
            let error = ChecksumFile::prepare(path).unwrap_err();
            assert!(matches!(error, ChecksumFileError::Exists(_)), "{error}");
            assert_eq!(error.cause(), Cause::Usage);
        }
        assert!(matches!(ChecksumFile::prepare(dir.path()), Err(ChecksumFileError::Unfit(_))));
        let error = ChecksumFile::prepare(Path::new("/no/such/file")).unwrap_err();
        assert!(error.to_string().starts_with("--checksum-file /no/such/file: No such file"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
    }

    #[test]
    fn a_name_taken_meanwhile_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sums");
        let file = ChecksumFile::prepare(&path).unwrap();
        fs::write(&path, "another's").unwrap();
        assert_eq!(file.write(&sums(), &names_of_lanes()).unwrap_err().cause(), Cause::AfterCommit);
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
        ChecksumFile::prepare(&link).unwrap().write(&sums(), &names_of_lanes()).unwrap();
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
        let error = ChecksumFile::prepare(&fifo).unwrap().write(&sums(), &names_of_lanes()).unwrap_err();
        assert_eq!(error.cause(), Cause::AfterCommit);
    }

    #[test]
    fn a_device_is_written_in_place() {
        ChecksumFile::prepare(Path::new("/dev/null")).unwrap().write(&sums(), &names_of_lanes()).unwrap();
    }
}
