//! The other direction: chunks as bytes.
//!
//! One function for each chunk, and [`FileEncoder`] for a whole file.

use std::num::NonZeroUsize;

use super::limits::FILE_END;
use super::{Limits, MAGIC, Opening, SparseRun};

/// A chunk that no reader would take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The path is empty or too long.
    #[error("path \"{}\" has {len} bytes, expected 1 to {limit}", path.escape_ascii())]
    PathLength {
        /// The path.
        path: Vec<u8>,
        /// Its length in bytes.
        len: usize,
        /// The longest path allowed.
        limit: u32,
    },
    /// The path has a NUL in it.
    #[error("path \"{}\" contains a NUL byte", path.escape_ascii())]
    PathNul {
        /// The path.
        path: Vec<u8>,
    },
    /// The sparse map is too long.
    #[error("sparse map of {runs} entries, expected at most {limit}")]
    SparseRuns {
        /// How many entries it has.
        runs: usize,
        /// Most entries allowed.
        limit: u32,
    },
    /// The sparse map does not fit the payload.
    #[error("the sparse map writes {mapped} bytes, expected the payload's {len}")]
    SparseSum {
        /// What the map's entries add up to, in bytes.
        mapped: u64,
        /// Length of the payload in bytes.
        len: u64,
    },
    /// The chunk lies where no file reaches.
    #[error("{len} bytes at offset {offset} reach beyond the largest file (2^63 - 1)")]
    BeyondFile {
        /// Offset in the file, in bytes.
        offset: u64,
        /// Bytes from there, holes included.
        len: u64,
    },
}

/// A payload chunk: `data` at `offset` of the file.
pub fn payload(path: &[u8], opening: Opening, offset: u64, data: &[u8]) -> Result<Vec<u8>, EncodeError> {
    payload_like(b'P', flags(opening), path, offset, data)
}

/// What stands before `data` in a payload chunk at `offset` of the file: for whoever would rather not copy `data`.
pub fn payload_head(path: &[u8], opening: Opening, offset: u64, data: &[u8]) -> Result<Vec<u8>, EncodeError> {
    payload_head_like(b'P', flags(opening), path, offset, data)
}

/// A chunk of an unknown type, marked as one that readers may ignore.
pub fn ignorable(path: &[u8], kind: u8, data: &[u8]) -> Result<Vec<u8>, EncodeError> {
    payload_like(kind, 0x01, path, 0, data)
}

/// A sparse chunk (Percona): holes and pieces of `data` in turn, from `offset` of the file.
pub fn sparse(path: &[u8], offset: u64, runs: &[SparseRun], data: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut chunk = sparse_head(path, offset, runs, data)?;
    chunk.extend_from_slice(data);
    Ok(chunk)
}

/// What stands before `data` in a [`sparse`] chunk: for whoever would rather not copy `data`.
pub fn sparse_head(path: &[u8], offset: u64, runs: &[SparseRun], data: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let len = data.len() as u64;
    let limit = Limits::default().sparse_runs;
    let count = u32::try_from(runs.len()).ok().filter(|count| *count <= limit);
    let count = count.ok_or(EncodeError::SparseRuns { runs: runs.len(), limit })?;
    let mapped = runs.iter().map(|run| u64::from(run.write)).sum();
    if mapped != len {
        return Err(EncodeError::SparseSum { mapped, len });
    }
    check_end(offset, len + runs.iter().map(|run| u64::from(run.skip)).sum::<u64>())?;
    let map: Vec<u8> = runs.iter().flat_map(|run| [run.skip.to_le_bytes(), run.write.to_le_bytes()].concat()).collect();
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&map);
    hasher.update(data);
    let mut chunk = head(b'S', 0, path)?;
    chunk.extend_from_slice(&count.to_le_bytes());
    chunk.extend_from_slice(&len.to_le_bytes());
    chunk.extend_from_slice(&offset.to_le_bytes());
    chunk.extend_from_slice(&hasher.finalize().to_le_bytes());
    chunk.extend_from_slice(&map);
    Ok(chunk)
}

/// A seek (MariaDB): the file's next payload goes to `offset`. Another chunk must follow, at the
/// latest the file's end.
pub fn seek(path: &[u8], offset: u64) -> Result<Vec<u8>, EncodeError> {
    check_end(offset, 0)?;
    let mut chunk = head(b'S', 0, path)?;
    chunk.extend_from_slice(&offset.to_le_bytes());
    Ok(chunk)
}

/// A rename (MariaDB).
pub fn rename(from: &[u8], to: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut chunk = head(b'R', 0, from)?;
    push_path(&mut chunk, to)?;
    Ok(chunk)
}

/// A removal (MariaDB) of a file, a directory, or all files with a prefix (`*` at the end).
pub fn remove(path: &[u8]) -> Result<Vec<u8>, EncodeError> {
    head(b'D', 0, path)
}

/// The end of a file; alone, an empty file.
pub fn end(path: &[u8]) -> Result<Vec<u8>, EncodeError> {
    head(b'E', 0, path)
}

/// A whole file: payload chunks of `chunk` bytes and its end.
pub fn file(path: &[u8], content: &[u8], chunk: NonZeroUsize) -> Result<Vec<u8>, EncodeError> {
    let mut encoder = FileEncoder::new(path, Opening::New)?;
    let mut stream = Vec::new();
    for data in content.chunks(chunk.get()) {
        stream.extend(encoder.payload(data)?);
    }
    stream.extend(encoder.end()?);
    Ok(stream)
}

/// Makes the chunks of one file whose content comes piece by piece.
#[derive(Debug)]
pub struct FileEncoder {
    path: Vec<u8>,
    opening: Opening,
    offset: u64,
}

impl FileEncoder {
    /// A file at its beginning. Fails for a path that cannot be in a stream.
    pub fn new(path: &[u8], opening: Opening) -> Result<FileEncoder, EncodeError> {
        check_path(path)?;
        Ok(FileEncoder { path: path.to_vec(), opening, offset: 0 })
    }

    /// The next piece as one payload chunk.
    pub fn payload(&mut self, data: &[u8]) -> Result<Vec<u8>, EncodeError> {
        let chunk = payload(&self.path, self.opening, self.offset, data)?;
        self.offset += data.len() as u64;
        Ok(chunk)
    }

    /// The file's end.
    pub fn end(self) -> Result<Vec<u8>, EncodeError> {
        end(&self.path)
    }
}

fn flags(opening: Opening) -> u8 {
    match opening {
        Opening::New => 0,
        Opening::Rewrite => 0x02,
    }
}

fn payload_like(kind: u8, flags: u8, path: &[u8], offset: u64, data: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut chunk = payload_head_like(kind, flags, path, offset, data)?;
    chunk.reserve_exact(data.len());
    chunk.extend_from_slice(data);
    Ok(chunk)
}

fn payload_head_like(kind: u8, flags: u8, path: &[u8], offset: u64, data: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let len = data.len() as u64;
    check_end(offset, len)?;
    let mut chunk = head(kind, flags, path)?;
    chunk.reserve_exact(20);
    chunk.extend_from_slice(&len.to_le_bytes());
    chunk.extend_from_slice(&offset.to_le_bytes());
    chunk.extend_from_slice(&crc32fast::hash(data).to_le_bytes());
    Ok(chunk)
}

fn head(kind: u8, flags: u8, path: &[u8]) -> Result<Vec<u8>, EncodeError> {
    let mut chunk = MAGIC.to_vec();
    chunk.extend_from_slice(&[flags, kind]);
    push_path(&mut chunk, path)?;
    Ok(chunk)
}

fn push_path(chunk: &mut Vec<u8>, path: &[u8]) -> Result<(), EncodeError> {
    let len = check_path(path)?;
    chunk.extend_from_slice(&len.to_le_bytes());
    chunk.extend_from_slice(path);
    Ok(())
}

/// The length of a path that every reader takes.
fn check_path(path: &[u8]) -> Result<u32, EncodeError> {
    let limit = Limits::default().path;
    if path.contains(&0) {
        return Err(EncodeError::PathNul { path: path.to_vec() });
    }
    let len = u32::try_from(path.len()).ok().filter(|len| (1..=limit).contains(len));
    len.ok_or_else(|| EncodeError::PathLength { path: path.to_vec(), len: path.len(), limit })
}

fn check_end(offset: u64, len: u64) -> Result<(), EncodeError> {
    match offset.checked_add(len) {
        Some(end) if end <= FILE_END => Ok(()),
        _ => Err(EncodeError::BeyondFile { offset, len }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_no_reader_takes_are_refused() {
        let shown = |path: &[u8]| end(path).expect_err("a bad path").to_string();
        assert_eq!(shown(b""), "path \"\" has 0 bytes, expected 1 to 511");
        assert_eq!(shown(&[b'x'; 512]), format!("path \"{}\" has 512 bytes, expected 1 to 511", "x".repeat(512)));
        assert_eq!(shown(b"a\0b"), "path \"a\\x00b\" contains a NUL byte");
        assert!(end(&[b'x'; 511]).is_ok());
        assert!(rename(b"a", b"").is_err());
        assert!(FileEncoder::new(b"", Opening::New).is_err());
    }

    #[test]
    fn a_sparse_map_must_fit_its_payload() {
        let runs = [SparseRun { skip: 1, write: 2 }];
        assert_eq!(sparse(b"t", 0, &runs, b"abc"), Err(EncodeError::SparseSum { mapped: 2, len: 3 }));
    }

    #[test]
    fn nothing_is_put_beyond_the_largest_file() {
        let runs = [SparseRun { skip: 1, write: 0 }];
        assert_eq!(seek(b"t", 1 << 63), Err(EncodeError::BeyondFile { offset: 1 << 63, len: 0 }));
        assert_eq!(sparse(b"t", FILE_END, &runs, b""), Err(EncodeError::BeyondFile { offset: FILE_END, len: 1 }));
        assert!(payload(b"t", Opening::New, FILE_END, b"").is_ok());
        assert!(payload(b"t", Opening::New, u64::MAX, b"x").is_err());
    }

    #[test]
    fn a_file_is_split_and_ended() {
        let two = NonZeroUsize::new(2).expect("two");
        let expected = [
            payload(b"f", Opening::New, 0, b"ab").expect("valid"),
            payload(b"f", Opening::New, 2, b"c").expect("valid"),
            end(b"f").expect("valid"),
        ];
        assert_eq!(file(b"f", b"abc", two), Ok(expected.concat()));
        assert_eq!(file(b"f", b"", two), end(b"f"));
    }
}
