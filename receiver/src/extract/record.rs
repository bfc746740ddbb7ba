//! The commit record: what a commit is about to put in place, on disk before the first rename.
//!
//! | what | bytes |
//! |---|---|
//! | version | `xbrecv commit 1\n` |
//! | one entry per rename | inode number in decimal, space, path, NUL |
//! | end | `crc32 ` and the CRC-32 of all before it, 8 hex digits, `\n` |
//!
//! The inode number tells what we put in place from what somebody else did under the same name. A path is read by the
//! rules for the paths of a stream: no record leads outside of the target directory.

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use xbproto::xbstream::StreamPath;

use super::naming::path::{SafePath, Trailing};

const VERSION: &[u8] = b"xbrecv commit 1\n";
const TRAILER_LEN: usize = "crc32 00000000\n".len();

/// Largest record that is read, in bytes: ten million entries.
pub(super) const MAX_RECORD: u64 = 1 << 30;

/// One rename of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Move {
    /// The path below the staging tree, and below the target directory.
    pub(super) path: PathBuf,
    /// Which file or directory it is.
    pub(super) inode: u64,
}

/// The record of these renames.
pub(super) fn encode(moves: &[Move]) -> Vec<u8> {
    let mut record = VERSION.to_vec();
    for entry in moves {
        record.extend(format!("{} ", entry.inode).as_bytes());
        record.extend(entry.path.as_os_str().as_bytes());
        record.push(0);
    }
    let trailer = trailer(&record);
    record.extend(trailer.as_bytes());
    record
}

/// The renames of a record; or what is wrong with it.
pub(super) fn decode(record: &[u8]) -> Result<Vec<Move>, &'static str> {
    let split = record.len().checked_sub(TRAILER_LEN).ok_or("the record is too short")?;
    let (body, end) = record.split_at(split);
    if end != trailer(body).as_bytes() {
        return Err("the checksum of the record is wrong");
    }
    let entries = body.strip_prefix(VERSION).ok_or("the record was written by another version")?;
    entries.split_inclusive(|byte| *byte == 0).map(|entry| decode_entry(entry).ok_or("an entry is garbled")).collect()
}

fn decode_entry(entry: &[u8]) -> Option<Move> {
    let entry = entry.strip_suffix(b"\0")?;
    let space = entry.iter().position(|byte| *byte == b' ')?;
    let inode = std::str::from_utf8(&entry[..space]).ok()?.parse().ok()?;
    let path = SafePath::parse(&StreamPath(entry[space + 1..].into()), Trailing::Refused).ok()?;
    Some(Move { path: path.as_path().into(), inode })
}

fn trailer(body: &[u8]) -> String {
    format!("crc32 {:08x}\n", crc32fast::hash(body))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    use proptest::prelude::*;

    use super::*;

    fn moves() -> impl Strategy<Value = Vec<Move>> {
        let name = proptest::collection::vec(b'0'.., 1..20).prop_map(OsString::from_vec);
        let path = proptest::collection::vec(name, 1..4).prop_map(PathBuf::from_iter);
        let entry = (path, any::<u64>()).prop_map(|(path, inode)| Move { path, inode });
        proptest::collection::vec(entry, 0..5)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(moves in moves()) {
            prop_assert_eq!(decode(&encode(&moves)), Ok(moves));
        }

        #[test]
        fn damage_is_seen(moves in moves(), at: prop::sample::Index, bit in 0_u8..8) {
            let mut record = encode(&moves);
            let at = at.index(record.len());
            record[at] ^= 1_u8 << bit;
            prop_assert!(decode(&record).is_err());
        }

        #[test]
        fn a_cut_is_seen(moves in moves(), at: prop::sample::Index) {
            let record = encode(&moves);
            prop_assert!(decode(&record[..at.index(record.len())]).is_err());
        }
    }

    #[test]
    fn a_path_that_leads_outside_is_refused() {
        for path in ["../x", "a/../../x", "/etc/passwd", "", ".xbrecv-0123456789abcdef/lock"] {
            assert_eq!(decode(&encode(&[Move { path: path.into(), inode: 1 }])), Err("an entry is garbled"), "{path}");
        }
    }

    #[test]
    fn another_version_is_named() {
        let mut record = b"xbrecv commit 2\n".to_vec();
        record.extend(trailer(&record).as_bytes());
        assert_eq!(decode(&record), Err("the record was written by another version"));
    }
}
