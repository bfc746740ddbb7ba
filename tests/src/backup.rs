//! Made-up backups.

use std::fs;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::Path;

use sha1::{Digest, Sha1};
use xbproto::xbstream::{Opening, SparseRun, encode};

/// Payload bytes in a chunk.
const CHUNK: NonZeroUsize = NonZeroUsize::new(64 << 10).expect("not zero");

/// What every backup closes with.
const CLOSING: [(&str, &str); 3] = [
    ("ib_logfile0", "the redo log"),
    ("xtrabackup_checkpoints", "backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 42\n"),
    ("xtrabackup_info", "tool_name = mariadb-backup\nserver_version = 10.11.19-MariaDB\n"),
];

/// The files of a backup, to be streamed and to be compared with.
#[derive(Clone, Debug)]
pub struct Backup {
    files: Vec<(String, Vec<u8>)>,
}

impl Backup {
    /// A complete one of `count` tables with `size` bytes each.
    pub fn new(count: usize, size: usize) -> Backup {
        let tables = (0..count).map(|n| (format!("shop/t{n}.ibd"), noise(n as u64, size)));
        Backup { files: tables.chain(closing()).collect() }
    }

    /// A complete one of some hundred kilobytes, with an empty file and names that vendors use.
    pub fn small() -> Backup {
        let names =
            ["ibdata1", "shop/orders.ibd", "shop/t#P#p0.ibd", "@0024x/a b.MYD", ".rocksdb/000001.log", "a/b/c/deep"];
        let files = names.iter().enumerate().map(|(n, name)| ((*name).to_owned(), noise(n as u64, 70_000 + n)));
        let empty = std::iter::once(("mysql/slow_log.CSV".to_owned(), Vec::new()));
        Backup { files: files.chain(empty).chain(closing()).collect() }
    }

    /// One that was left before its closing files: a tool died between two files.
    pub fn without_its_end() -> Backup {
        Backup { files: vec![("shop/orders.ibd".to_owned(), noise(1, 200_000))] }
    }

    /// A complete one with one more file, first.
    pub fn with(mut self, name: &str, content: &[u8]) -> Backup {
        self.files.insert(0, (name.to_owned(), content.to_vec()));
        self
    }

    /// The same with another content of one of its files.
    pub fn replacing(mut self, name: &str, content: &[u8]) -> Backup {
        let file = self.files.iter_mut().find(|(file, _)| file == name).expect("a file of this backup");
        file.1 = content.to_vec();
        self
    }

    /// It as an xbstream.
    pub fn stream(&self) -> Vec<u8> {
        let files = self.files.iter();
        files.flat_map(|(name, content)| encode::file(name.as_bytes(), content, CHUNK).expect("a valid file")).collect()
    }

    /// It as so many streams, as a tool with several outputs deals its files out.
    pub fn streams<const N: usize>(&self) -> [Vec<u8>; N] {
        std::array::from_fn(|stream| {
            let files = self.files.iter().skip(stream).step_by(N).cloned().collect();
            Backup { files }.stream()
        })
    }

    /// The stream without its second half, which ends it inside a chunk.
    pub fn cut(&self) -> Vec<u8> {
        let mut stream = self.stream();
        stream.truncate(stream.len() / 2);
        stream
    }

    /// The stream with one byte of a payload flipped.
    pub fn damaged(&self) -> Vec<u8> {
        let mut stream = self.stream();
        // Behind the first chunk's header, in the first chunk's payload.
        stream[1000] ^= 0x20;
        stream
    }

    /// Its files' names, in order.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.files.iter().map(|(name, _)| name.clone()).collect();
        names.sort();
        names
    }

    /// The SHA-1 of its stream, in hexadecimal digits.
    pub fn sha1(&self) -> String {
        sha1_of(&self.stream())
    }

    /// Every file of it is in this folder as it should be, and nothing else is.
    pub fn expect_in(&self, folder: &Path) {
        for (name, content) in &self.files {
            let path = folder.join(name);
            let found = fs::read(&path).unwrap_or_else(|error| panic!("reading {}: {error}", path.display()));
            assert!(found == *content, "{} is not as it was sent", path.display());
        }
        let found: Vec<String> = crate::Tree::of(folder).0.into_keys().map(|name| name.display().to_string()).collect();
        let mut found = found;
        found.sort();
        assert_eq!(found, self.names());
    }
}

/// A stream with all that happens in one: a sparse file, a seek, a file that is renamed, one that is removed, one that is
/// sent twice. It is no backup.
pub fn every_kind_of_chunk() -> Vec<u8> {
    let runs = [(0, 2), (4096, 2), (100, 0)].map(|(skip, write)| SparseRun { skip, write });
    let file = |path: &[u8], content: &[u8]| encode::file(path, content, CHUNK);
    [
        encode::sparse(b"db/sparse.ibd", 0, &runs, b"abcd"),
        encode::payload(b"sought.ibd", Opening::New, 0, b"xy"),
        encode::seek(b"sought.ibd", 8192),
        encode::payload(b"sought.ibd", Opening::New, 8192, b"z"),
        encode::end(b"db/sparse.ibd"),
        encode::end(b"sought.ibd"),
        file(b"old.ibd", b"renamed"),
        encode::rename(b"old.ibd", b"new.ibd"),
        file(b"gone.ibd", b"removed"),
        encode::remove(b"gone.ibd"),
        file(b"again.frm", b"first version"),
        encode::payload(b"again.frm", Opening::Rewrite, 0, b"second"),
        encode::end(b"again.frm"),
    ]
    .into_iter()
    .flat_map(|chunk| chunk.expect("a valid chunk"))
    .collect()
}

/// The SHA-1 of some bytes, in hexadecimal digits.
pub fn sha1_of(bytes: &[u8]) -> String {
    Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A complete backup of any size that is never in memory.
pub struct Endless {
    /// What is being read, and from where.
    current: Vec<u8>,
    at: usize,
    payload: Vec<u8>,
    /// Chunks that are still to come, the file's number and the offset in it.
    chunks: u64,
    file: u64,
    offset: u64,
    closed: bool,
}

/// A file's length in an endless backup, in bytes.
const FILE: u64 = 1 << 30;

impl Endless {
    /// A stream with about this many bytes.
    pub fn new(bytes: u64) -> Endless {
        let payload = noise(7, 1 << 20);
        let chunks = bytes.div_ceil(payload.len() as u64);
        Endless { current: Vec::new(), at: 0, payload, chunks, file: 0, offset: 0, closed: false }
    }

    fn next_piece(&mut self) -> Vec<u8> {
        let name = format!("shop/t{}.ibd", self.file);
        let file_ends = self.offset == FILE || self.chunks == 0 && self.offset > 0;
        if file_ends {
            self.offset = 0;
            self.file += 1;
            return encode::end(name.as_bytes()).expect("a valid end");
        }
        if self.chunks > 0 {
            let chunk = encode::payload(name.as_bytes(), Opening::New, self.offset, &self.payload);
            self.chunks -= 1;
            self.offset += self.payload.len() as u64;
            return chunk.expect("a valid chunk");
        }
        match std::mem::replace(&mut self.closed, true) {
            false => Backup { files: closing().collect() }.stream(),
            true => Vec::new(),
        }
    }
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.current.len() {
            (self.current, self.at) = (self.next_piece(), 0);
        }
        let len = buffer.len().min(self.current.len() - self.at);
        buffer[..len].copy_from_slice(&self.current[self.at..self.at + len]);
        self.at += len;
        Ok(len)
    }
}

fn closing() -> impl Iterator<Item = (String, Vec<u8>)> {
    CLOSING.iter().map(|(name, content)| ((*name).to_owned(), content.as_bytes().to_vec()))
}

/// Bytes that look random and are the same for every run (splitmix64).
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let words = (0..len.div_ceil(8) as u64).flat_map(|n| {
        let mut word = (seed << 40 | n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ word >> 31).to_le_bytes()
    });
    words.take(len).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use xbproto::xbstream::{Completeness, Decoder, Ledger, Limits};

    /// Decodes a stream and checks the order and the completeness of its files.
    fn check(mut stream: impl Read) -> u64 {
        let (mut decoder, mut ledger, mut completeness) =
            (Decoder::new(Limits::default()), Ledger::default(), Completeness::default());
        let (mut total, mut buffer) = (0, vec![0; 1 << 20]);
        loop {
            let read = stream.read(&mut buffer).expect("readable");
            if read == 0 {
                break;
            }
            total += read as u64;
            decoder.feed(bytes::Bytes::copy_from_slice(&buffer[..read]));
            while let Some(item) = decoder.next().expect("an xbstream") {
                ledger.apply(&item).expect("in order");
                completeness.apply(&item);
            }
        }
        decoder.finish().expect("whole");
        ledger.finish().expect("all files ended");
        completeness.finish().expect("complete");
        total
    }

    #[test]
    fn made_up_backups_are_complete() {
        check(io::Cursor::new(Backup::small().stream()));
        check(io::Cursor::new(Backup::new(3, 100_000).stream()));
        let total = check(Endless::new((1 << 30) + (5 << 20)));
        assert!(total > (1 << 30) + (5 << 20), "{total}");
    }
}
