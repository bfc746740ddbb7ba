//! How the key comes in: a file, the environment, or a person; and how it is kept.

mod prompt;

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

pub use prompt::ask_for_key;

use crate::failure::Cause;
use crate::key::{Key, KeyError};
use crate::process::KEY_VARIABLE;

/// The most that is read of a key file, in bytes; a key has 38.
const MAX_KEY_FILE: u64 = 4096;

/// A key somebody has provided beforehand.
#[derive(Debug)]
pub struct GivenKey {
    /// The key.
    pub key: Key,
    /// What the user should change about it.
    pub warning: Option<String>,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// Neither file nor variable, and nobody to ask.
    #[error(
        "there is no key: set XB_KEY or use --key-file FILE with the key that the other side shows, \
         or with one made by `xbrecv --generate-key FILE` and copied to both hosts"
    )]
    Missing,
    /// What was given is not a key.
    #[error("{origin}: {error}")]
    Malformed {
        /// The variable or file it came from.
        origin: String,
        /// What is wrong with it.
        error: KeyError,
    },
    /// The key file cannot be read.
    #[error("reading the key file {}: {error}", path.display())]
    Read {
        /// As it was given.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A key file cannot be made.
    #[error("making the key file {}: {error}; an existing file is never overwritten", path.display())]
    Write {
        /// As it was given.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The person at the terminal gave up.
    #[error("no key was entered")]
    NotEntered,
    /// The terminal does not do as it is told.
    #[error("asking for the key on the terminal: {0}; set XB_KEY or use --key-file FILE instead")]
    Terminal(io::Error),
}

impl SecretError {
    /// What a program without a key exits for: whoever gives up at the prompt interrupts it, all else
    /// is wrong usage.
    pub fn cause(&self) -> Cause {
        match self {
            SecretError::NotEntered => Cause::Interrupted,
            _ => Cause::Usage,
        }
    }
}

/// The key from `--key-file`, else from `XB_KEY`; `None` if neither is given.
pub fn given_key(key_file: Option<&Path>) -> Result<Option<GivenKey>, SecretError> {
    given(key_file, std::env::var_os(KEY_VARIABLE))
}

/// Makes a file that holds a key, readable by its owner only and safe on disk when this returns.
pub fn generate_key_file(path: &Path, key: &Key) -> Result<(), SecretError> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        let text = Zeroizing::new(key.reveal() + "\n");
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(parent)?.sync_all()
    };
    write().map_err(|error| SecretError::Write { path: path.to_owned(), error })
}

fn given(key_file: Option<&Path>, variable: Option<OsString>) -> Result<Option<GivenKey>, SecretError> {
    if let Some(path) = key_file {
        return read_key_file(path).map(Some);
    }
    let Some(variable) = variable.filter(|text| !text.is_empty()) else { return Ok(None) };
    let text = Zeroizing::new(variable.to_string_lossy().into_owned());
    let key = parse(&text, KEY_VARIABLE.to_owned())?;
    Ok(Some(GivenKey { key, warning: None }))
}

fn read_key_file(path: &Path) -> Result<GivenKey, SecretError> {
    let failed = |error| SecretError::Read { path: path.to_owned(), error };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_KEY_FILE as usize));
    file.take(MAX_KEY_FILE).read_to_end(&mut bytes).map_err(failed)?;
    let text = Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned());
    let key = parse(&text, format!("key file {}", path.display()))?;
    // A pipe, as in --key-file <(pass show backup), is nobody else's to open.
    let exposed = metadata.is_file() && metadata.mode() & 0o077 != 0;
    let warning = exposed.then(|| {
        let (path, mode) = (path.display(), metadata.mode() & 0o7777);
        format!("the key file {path} has mode {mode:04o}: others may read it; run chmod 600 {path}")
    });
    Ok(GivenKey { key, warning })
}

fn parse(text: &str, origin: String) -> Result<Key, SecretError> {
    text.parse().map_err(|error| SecretError::Malformed { origin, error })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn key() -> Key {
        Key::new([0x5a; 16])
    }

    #[test]
    fn a_generated_file_is_private_and_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        generate_key_file(&path, &key()).expect("made");
        assert_eq!(std::fs::metadata(&path).expect("there").mode() & 0o7777, 0o600);
        let given = given(Some(&path), Some("ignored".into())).expect("valid").expect("given");
        assert_eq!(given.key.as_bytes(), key().as_bytes());
        assert_eq!(given.warning, None);
    }

    #[test]
    fn an_existing_file_is_not_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        std::fs::write(&path, "mine").expect("written");
        let refused = generate_key_file(&path, &key()).expect_err("refused").to_string();
        assert!(refused.starts_with("making the key file ") && refused.contains("never overwritten"), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "mine");
    }

    #[test]
    fn a_file_that_others_may_read_is_warned_of() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        generate_key_file(&path, &key()).expect("made");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).expect("changed");
        let warning = read_key_file(&path).expect("valid").warning.expect("a warning");
        assert!(warning.contains("has mode 0640") && warning.contains("chmod 600"), "{warning}");
    }

    #[test]
    fn the_variable_counts_where_there_is_no_file() {
        let found = given(None, Some(key().reveal().into())).expect("valid").expect("given");
        assert_eq!(found.key.as_bytes(), key().as_bytes());
        assert!(given(None, None).expect("valid").is_none());
        assert!(given(None, Some("".into())).expect("valid").is_none());
    }

    #[test]
    fn messages_name_the_origin_and_not_the_key() {
        let wrong = key().reveal().replacen("B", "C", 1);
        let message = given(None, Some(wrong.clone().into())).expect_err("refused").to_string();
        assert!(message.starts_with("XB_KEY: the key's check digits do not fit"), "{message}");
        assert!(!message.contains(&wrong[4..9]), "{message}");
        let message = given(Some(Path::new("/nonexistent/key")), None).expect_err("refused").to_string();
        assert!(message.starts_with("reading the key file /nonexistent/key: "), "{message}");
    }
}
