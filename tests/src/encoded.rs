//! Backups as Percona's tools make them, from the encoders in `tests/encoders`, which share no code with the programs.

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

impl Encoded {
    /// Makes all there are in a folder, always the same; says that `test` is skipped if something for that is missing.
    pub fn make_all(test: &str, folder: &Path) -> Option<Vec<Encoded>> {
        let modules = ["-c", "import cryptography, lz4.block, zstandard"];
        if !Command::new("python3").args(modules).output().is_ok_and(|output| output.status.success()) {
            let packages = "python3-cryptography, python3-lz4, python3-zstandard";
            skip(test, &format!("Python or its modules are not installed (Debian: {packages})"));
            return None;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("encoders/make.py");
        let made = Command::new("python3").arg("-B").arg(script).arg(folder).output().expect("Python");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let entries = fs::read_dir(folder).expect("a folder").flatten();
        Some(entries.map(|entry| Encoded::at(&entry.path())).collect())
    }

    fn at(folder: &Path) -> Encoded {
        let cipher = fs::read_to_string(folder.join("cipher")).ok();
        let encryption = cipher.map(|cipher| Encryption { cipher, key_file: folder.join("key") });
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        Encoded { name, stream: folder.join("stream.xbstream"), tree: folder.join("tree"), encryption }
    }
}
