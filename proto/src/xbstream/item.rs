//! What a stream consists of, once decoded.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

/// A path as the stream spells it: arbitrary bytes, not checked for anything but its length.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamPath(pub Arc<[u8]>);

impl StreamPath {
    /// The bytes of the path.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<&str> for StreamPath {
    fn from(path: &str) -> StreamPath {
        StreamPath(path.as_bytes().into())
    }
}

/// Ordered maps of paths can be searched by any bytes.
impl Borrow<[u8]> for StreamPath {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

/// Shows the path with everything unprintable escaped, so that it is safe on a terminal.
impl fmt::Display for StreamPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match std::str::from_utf8(&self.0) {
            Ok(text) => text
                .chars()
                .try_for_each(|c| if c.is_control() { write!(f, "{}", c.escape_default()) } else { write!(f, "{c}") }),
            Err(_) => write!(f, "{}", self.0.escape_ascii()),
        }
    }
}

impl fmt::Debug for StreamPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// What a payload chunk may find under its path when it opens the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Nothing: the file must not exist yet.
    New,
    /// Anything: an earlier version is replaced (flags exactly 0x02, MariaDB).
    Rewrite,
}

/// One entry of a sparse map: leave a hole of `skip` bytes, then write `write` bytes of payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SparseRun {
    /// Length of the hole, in bytes.
    pub skip: u32,
    /// Bytes of payload after the hole.
    pub write: u32,
}

/// One step of a stream. `Payload`, `Sparse` and `Ignored` are each followed by any number of
/// `Data` (together as long as announced) and one `Verified`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A payload chunk begins.
    Payload {
        /// The file it belongs to.
        path: StreamPath,
        /// What opening the file may find, if this chunk opens it.
        opening: Opening,
        /// Where in the file its first byte belongs.
        offset: u64,
        /// Bytes of payload.
        len: u64,
    },
    /// A sparse chunk (Percona) begins. The runs' `write`s add up to `len`.
    Sparse {
        /// The file it belongs to.
        path: StreamPath,
        /// Where in the file the first hole begins.
        offset: u64,
        /// Bytes of payload.
        len: u64,
        /// Holes and data, in order.
        runs: Vec<SparseRun>,
    },
    /// A chunk of an unknown type that says it may be ignored begins; its `Data` means nothing.
    Ignored {
        /// The path it names.
        path: StreamPath,
        /// Its type byte.
        kind: u8,
        /// Bytes of payload.
        len: u64,
    },
    /// The next payload bytes of the chunk that began last. Their CRC is not checked yet.
    Data(Bytes),
    /// The payload that began last is complete and its CRC was right.
    Verified,
    /// The next payload of this file goes to this offset (MariaDB).
    Seek {
        /// The file; opened by this if it is not open.
        path: StreamPath,
        /// From the start of the file, in bytes.
        offset: u64,
    },
    /// A closed file gets another name (MariaDB).
    Rename {
        /// The name it had.
        from: StreamPath,
        /// The name it gets.
        to: StreamPath,
    },
    /// A file, a directory with all in it, or (`*` at the end) all files with this prefix go (MariaDB).
    Remove {
        /// What goes.
        path: StreamPath,
    },
    /// The file is complete.
    End {
        /// The file.
        path: StreamPath,
    },
}
