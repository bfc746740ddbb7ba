//! The SHA-1 of every unpacked file.
//!
//! Digests are kept by inode: whatever renames and removals come later, a file that is there at the end is found.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::{Mutex, PoisonError};

use xbproto::lane::{LaneDigest, Sha1Sum};

use crate::stop::Stop;

/// How much of a file, in bytes, is read or made up at a time.
const PIECE: usize = 256 << 10;

/// The sums of the files that are complete.
#[derive(Debug, Default)]
pub(in crate::extract) struct Manifest(Mutex<HashMap<u64, Sha1Sum>>);

impl Manifest {
    /// Keeps the sum of `file`, which is complete and `len` bytes long. It is read again if it was not written in order.
    /// Once `stop` is raised, the sum is wanted by nobody.
    pub(in crate::extract) fn keep(&self, file: &File, digest: FileDigest, len: u64, stop: &Stop) -> io::Result<()> {
        let sum = match digest.finish(len, stop) {
            Some(sum) => sum,
            None => read_again(file, len, stop)?,
        };
        let inode = file.metadata()?.ino();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(inode, sum);
        Ok(())
    }

    /// The sum of the file with this inode number.
    pub(in crate::extract) fn sum(&self, inode: u64) -> Option<Sha1Sum> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&inode).copied()
    }
}

/// The digest of one new file while it is written.
#[derive(Clone, Debug, Default)]
pub(in crate::extract) struct FileDigest {
    /// `None` once something was written before the end.
    state: Option<Option<LaneDigest>>,
}

impl FileDigest {
    /// Takes in `bytes`, which belong at `offset`. What lies between is a hole, which may be very long.
    pub(in crate::extract) fn update(&mut self, offset: u64, bytes: &[u8], stop: &Stop) {
        let state = self.state.get_or_insert_with(|| Some(LaneDigest::default()));
        if state.as_ref().is_some_and(|digest| offset < digest.len()) {
            *state = None;
        }
        if let Some(digest) = state {
            zeros_to(digest, offset, stop);
            digest.update(bytes);
        }
    }

    /// The sum of a file of `len` bytes, if all of it came in order.
    fn finish(mut self, len: u64, stop: &Stop) -> Option<Sha1Sum> {
        let mut digest = self.state.take().unwrap_or_else(|| Some(LaneDigest::default()))?;
        zeros_to(&mut digest, len, stop);
        Some(digest.sum())
    }
}

/// Takes in the zeros that a hole reads as, up to the offset `end`.
fn zeros_to(digest: &mut LaneDigest, end: u64, stop: &Stop) {
    const ZEROS: &[u8] = &[0; PIECE];
    while digest.len() < end && !stop.is_raised() {
        let now = (end - digest.len()).min(PIECE as u64);
        digest.update(&ZEROS[..now as usize]);
    }
}

fn read_again(file: &File, len: u64, stop: &Stop) -> io::Result<Sha1Sum> {
    let (mut digest, mut piece) = (LaneDigest::default(), vec![0; PIECE]);
    while digest.len() < len && !stop.is_raised() {
        let now = (len - digest.len()).min(PIECE as u64) as usize;
        file.read_exact_at(&mut piece[..now], digest.len())?;
        digest.update(&piece[..now]);
    }
    Ok(digest.sum())
}
