//! Backups as Percona's tools make them, from the encoders in `tests/encoders`, which share no code with the programs.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::skip::skip;

/// A backup that was made up.
pub struct Encoded {
    /// What it is of.
    pub name: String,
    /// The stream.
    pub stream: PathBuf,
    /// The original files.
    pub tree: PathBuf,
    /// How its files are encrypted, if they are.
    pub encryption: Option<Encryption>,
}

/// How files are encrypted.
pub struct Encryption {
    /// As in xtrabackup's `--encrypt`.
    pub cipher: String,
    /// A file with the key and nothing else.
    pub key_file: PathBuf,
}

/// The first on the path may be one without the modules that the system's has.
const PYTHONS: [&str; 2] = ["python3", "/usr/bin/python3"];

fn has_modules(python: &str) -> bool {
    let modules = ["-c", "import cryptography, lz4.block, zstandard"];
    Command::new(python).args(modules).output().is_ok_and(|output| output.status.success())
}

impl Encoded {
    /// Makes all there are in a folder, always the same; says that `test` is skipped if something for that is missing.
    pub fn make_all(test: &str, folder: &Path) -> Option<Vec<Encoded>> {
        let Some(python) = PYTHONS.into_iter().find(|python| has_modules(python)) else {
            let packages = "python3-cryptography, python3-lz4, python3-zstandard";
            skip(test, &format!("Python or its modules are not installed (Debian: {packages})"));
            return None;
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("encoders/make.py");
        let made = Command::new(python).arg("-B").arg(script).arg(folder).output().expect("Python");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let entries = fs::read_dir(folder).expect("a folder").flatten();
        Some(entries.map(|entry| Encoded::at(&entry.path())).collect())
    }

    /// The options of `xbrecv` that undo all of it.
    pub fn options(&self) -> Vec<OsString> {
        let mut options = vec!["--decompress".into()];
        if let Some(Encryption { cipher, key_file }) = &self.encryption {
            options.extend(["--decrypt".into(), cipher.into(), "--encrypt-key-file".into(), key_file.into()]);
        }
        options
    }

    fn at(folder: &Path) -> Encoded {
        let cipher = fs::read_to_string(folder.join("cipher")).ok();
        let encryption = cipher.map(|cipher| Encryption { cipher, key_file: folder.join("key") });
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        Encoded { name, stream: folder.join("stream.xbstream"), tree: folder.join("tree"), encryption }
    }
}
