//! Whole extractions, into real directories.

mod commit;
mod encoded;
mod full_disk;
mod hostile;
mod inventory;
mod many;
mod recovery;
mod renamed;
mod semantics;

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use tempfile::TempDir;
use xbproto::failure::Cause;
use xbproto::xbstream::Opening::{New, Rewrite};
use xbproto::xbstream::{STAGING_PREFIX, SparseRun, encode};

use super::*;

const ID: u64 = 0x0123_4567_89ab_cdef;

/// A place for a target directory, and for things outside of it.
struct Room(TempDir);

impl Room {
    fn new() -> Room {
        let room = Room(tempfile::tempdir().unwrap());
        fs::create_dir(room.dir()).unwrap();
        room
    }

    fn dir(&self) -> PathBuf {
        self.0.path().join("target")
    }

    fn at(&self, path: &str) -> PathBuf {
        self.dir().join(path)
    }

    fn staged(&self, path: &str) -> PathBuf {
        self.at(&format!("{STAGING_PREFIX}{ID:016x}/tree")).join(path)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap()
    }

    fn extraction(&self) -> Extraction {
        let (extraction, Recovered { notices, .. }) =
            Extraction::create(&self.dir(), ID, Unpacking::default()).unwrap();
        assert_eq!(notices, []);
        extraction
    }

    /// Unpacks these chunks, all of them or up to the first error.
    fn unpack(&self, chunks: &[Vec<u8>]) -> Result<(), ExtractError> {
        let mut extraction = self.extraction();
        feed(&extraction, chunks)?;
        extraction.commit()
    }

    /// Every path below the target directory, directories with a slash.
    fn paths(&self) -> Vec<String> {
        fn walk(dir: &Path, prefix: &str, paths: &mut Vec<String>) {
            for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
                let path = format!("{prefix}{}", entry.file_name().display());
                if entry.file_type().unwrap().is_dir() {
                    walk(&entry.path(), &format!("{path}/"), paths);
                    paths.push(path + "/");
                } else {
                    paths.push(path);
                }
            }
        }
        let mut paths = Vec::new();
        walk(&self.dir(), "", &mut paths);
        paths.sort();
        paths
    }
}

/// Unpacks these chunks as lane 0, whose end follows.
fn feed(extraction: &Extraction, chunks: &[Vec<u8>]) -> Result<(), ExtractError> {
    let mut lane = extraction.lane(LaneId(0));
    for chunk in chunks {
        lane.write(&Bytes::copy_from_slice(chunk))?;
    }
    lane.finish()
}

fn payload(path: &str, offset: u64, data: &str) -> Vec<u8> {
    encode::payload(path.as_bytes(), New, offset, data.as_bytes()).unwrap()
}

fn rewrite(path: &str, data: &str) -> Vec<u8> {
    encode::payload(path.as_bytes(), Rewrite, 0, data.as_bytes()).unwrap()
}

fn sparse(path: &str, offset: u64, runs: &[(u32, u32)], data: &str) -> Vec<u8> {
    let runs: Vec<_> = runs.iter().map(|&(skip, write)| SparseRun { skip, write }).collect();
    encode::sparse(path.as_bytes(), offset, &runs, data.as_bytes()).unwrap()
}

fn seek(path: &str, offset: u64) -> Vec<u8> {
    encode::seek(path.as_bytes(), offset).unwrap()
}

fn end(path: &str) -> Vec<u8> {
    encode::end(path.as_bytes()).unwrap()
}

fn rename(from: &str, to: &str) -> Vec<u8> {
    encode::rename(from.as_bytes(), to.as_bytes()).unwrap()
}

fn remove(path: &str) -> Vec<u8> {
    encode::remove(path.as_bytes()).unwrap()
}

/// A whole small file.
fn file(path: &str, data: &str) -> Vec<u8> {
    [payload(path, 0, data), end(path)].concat()
}
