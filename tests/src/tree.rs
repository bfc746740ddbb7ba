//! The files below a folder, to be compared.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use rustix::fs::SeekFrom;
use sha1::{Digest, Sha1};

/// Names, lengths and digests of all files below a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree(pub BTreeMap<PathBuf, (u64, String)>);

impl Tree {
    /// Reads a folder.
    pub fn of(folder: &Path) -> Tree {
        let mut tree = Tree::default();
        tree.add(folder, folder);
        tree
    }

    /// What is different: a sentence for each name that is only in one of the two, or is not the same in both.
    pub fn differences(&self, other: &Tree) -> BTreeMap<PathBuf, &'static str> {
        let names = self.0.keys().chain(other.0.keys());
        let compare = |name: &PathBuf| match (self.0.get(name), other.0.get(name)) {
            (Some(here), Some(there)) if here == there => None,
            (Some(_), Some(_)) => Some("differs"),
            (Some(_), None) => Some("only in the first"),
            (None, _) => Some("only in the second"),
        };
        names.filter_map(|name| Some((name.clone(), compare(name)?))).collect()
    }

    fn add(&mut self, root: &Path, folder: &Path) {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("reading {}: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                self.add(root, &path);
            } else {
                let name = path.strip_prefix(root).expect("below the root").to_owned();
                self.0.insert(name, measure(&path));
            }
        }
    }
}

/// Which bytes of a file are stored: the others are holes.
pub fn stored_at(path: &Path) -> Vec<Range<u64>> {
    let file = File::open(path).unwrap_or_else(|error| panic!("opening {}: {error}", path.display()));
    let (mut ranges, mut at) = (Vec::new(), 0);
    while let Ok(start) = rustix::fs::seek(&file, SeekFrom::Data(at)) {
        at = rustix::fs::seek(&file, SeekFrom::Hole(start)).expect("a hole at the end");
        ranges.push(start..at);
    }
    ranges
}

fn measure(path: &Path) -> (u64, String) {
    let mut file = File::open(path).unwrap_or_else(|error| panic!("opening {}: {error}", path.display()));
    let (mut digest, mut buffer, mut len) = (Sha1::new(), vec![0; 1 << 20], 0);
    loop {
        match file.read(&mut buffer).unwrap_or_else(|error| panic!("reading {}: {error}", path.display())) {
            0 => break,
            read => {
                digest.update(&buffer[..read]);
                len += read as u64;
            }
        }
    }
    let sum: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    (len, sum)
}
