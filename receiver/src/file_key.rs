//! The key that the backup's files are encrypted with: from a file or the environment, never from the command line, which
//! everybody on the host can read.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use xbproto::process::FILE_KEY_VARIABLE;
use xbproto::stage::{Cipher, FileKey, KeyLengthError};
use zeroize::Zeroizing;

/// The most that is read of a key file, in bytes; the longest key has 32.
const MAX_KEY_FILE: u64 = 4096;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum FileKeyError {
    /// Neither a file nor the variable.
    #[error(
        "--decrypt needs the key that the backup tool encrypted with: use --encrypt-key-file FILE or set XB_ENCRYPT_KEY"
    )]
    Missing,
    /// The file cannot be read.
    #[error("reading the key file {}: {error}", path.display())]
    Read {
        /// As it was given.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is no key of this cipher.
    #[error("{origin}: {error}")]
    Length {
        /// The file or variable.
        origin: String,
        /// What is wrong with it.
        error: KeyLengthError,
    },
}

/// The key of `cipher` from `file`, byte for byte as the tools read it, else from `XB_ENCRYPT_KEY`.
///
/// # Errors
/// When there is none, or it is of another length.
pub fn file_key(cipher: Cipher, file: Option<&Path>) -> Result<FileKey, FileKeyError> {
    let (origin, bytes) = match file {
        Some(path) => (format!("key file {}", path.display()), read(path)?),
        None => {
            let variable = std::env::var_os(FILE_KEY_VARIABLE).filter(|text| !text.is_empty());
            let text = variable.ok_or(FileKeyError::Missing)?;
            (FILE_KEY_VARIABLE.to_owned(), Zeroizing::new(text.as_bytes().to_vec()))
        }
    };
    FileKey::new(cipher, &bytes).map_err(|error| FileKeyError::Length { origin, error })
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileKeyError> {
    let failed = |error| FileKeyError::Read { path: path.to_owned(), error };
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_KEY_FILE as usize));
    File::open(path).and_then(|file| file.take(MAX_KEY_FILE).read_to_end(&mut bytes)).map_err(failed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_file(content: &str) -> Result<FileKey, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let said = |error: FileKeyError| error.to_string().replace(&file.path().display().to_string(), "FILE");
        file_key(Cipher::Aes128, Some(file.path())).map_err(said)
    }

    #[test]
    fn a_file_is_taken_byte_for_byte() {
        assert!(from_file("0123456789abcdef").is_ok());
        let error = from_file("0123456789abcdef\n").unwrap_err();
        assert!(error.starts_with("key file FILE: AES128 takes a key of 16 bytes, this one has 17"), "{error}");
    }

    #[test]
    fn a_file_that_is_missing_is_named() {
        let error = file_key(Cipher::Aes256, Some(Path::new("/no/such"))).unwrap_err();
        assert!(error.to_string().starts_with("reading the key file /no/such: No such file"), "{error}");
    }
}
