//! Everything below a folder, links not followed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What stands under each name below a folder: its kind, its mode and its content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot(BTreeMap<PathBuf, (u32, Vec<u8>)>);

impl Snapshot {
    /// Of `folder`; of one that is not there, nothing.
    pub fn of(folder: &Path) -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.add(folder, folder);
        snapshot
    }

    /// The regular files with what is in them.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let regular = |mode: u32| mode & 0o170_000 == 0o100_000;
        let files = self.0.iter().filter(|(_, (mode, _))| regular(*mode));
        files.map(|(path, (_, content))| (path.display().to_string(), content.clone())).collect()
    }

    /// The same without what is in `folder`, and without it.
    pub fn without(mut self, folder: &str) -> Snapshot {
        self.0.retain(|path, _| !path.starts_with(folder));
        self
    }

    /// What is not the same in another.
    pub fn differences(&self, other: &Snapshot) -> Vec<PathBuf> {
        let names = self.0.keys().chain(other.0.keys().filter(|name| !self.0.contains_key(*name)));
        names.filter(|name| self.0.get(*name) != other.0.get(*name)).cloned().collect()
    }

    fn add(&mut self, root: &Path, folder: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            let stat = path.symlink_metadata().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let content = match stat.file_type() {
                kind if kind.is_file() => fs::read(&path).expect("a readable file"),
                kind if kind.is_symlink() => {
                    fs::read_link(&path).expect("a link").into_os_string().into_encoded_bytes()
                }
                _ => Vec::new(),
            };
            let name = path.strip_prefix(root).expect("below the root").to_owned();
            self.0.insert(name, (stat.mode(), content));
            if stat.is_dir() {
                self.add(root, &path);
            }
        }
    }
}
