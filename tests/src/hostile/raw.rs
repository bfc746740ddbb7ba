//! Chunks whose numbers can lie.

/// A chunk, or what is left of one.
#[derive(Clone, Debug)]
pub struct Chunk {
    kind: u8,
    flags: u8,
    path: Vec<u8>,
    path_len: u32,
    /// What follows the path.
    rest: Vec<u8>,
}

impl Chunk {
    fn new(kind: u8, path: impl AsRef<[u8]>, rest: Vec<u8>) -> Chunk {
        let path = path.as_ref().to_vec();
        let path_len = path.len() as u32;
        Chunk { kind, flags: 0, path, path_len, rest }
    }

    /// `P`: these bytes at this offset.
    pub fn payload(path: impl AsRef<[u8]>, offset: u64, content: &[u8]) -> Chunk {
        Chunk::claiming(path, content.len() as u64, offset, content)
    }

    /// The same with a length that may be a lie.
    pub fn claiming(path: impl AsRef<[u8]>, len: u64, offset: u64, content: &[u8]) -> Chunk {
        Chunk::new(b'P', path, [&len.to_le_bytes()[..], &offset.to_le_bytes(), &crc(&[content]), content].concat())
    }

    /// `S` of Percona: a map of pairs, skipped and written, and the bytes.
    pub fn sparse(path: impl AsRef<[u8]>, offset: u64, runs: &[(u32, u32)], content: &[u8]) -> Chunk {
        let len = content.len() as u64;
        Chunk::mapping(path, [runs.len() as u64, len, offset], runs, content)
    }

    /// The same with a number of runs, a length and an offset that may be lies.
    pub fn mapping(path: impl AsRef<[u8]>, numbers: [u64; 3], runs: &[(u32, u32)], content: &[u8]) -> Chunk {
        let map: Vec<u8> =
            runs.iter().flat_map(|(skip, write)| [skip.to_le_bytes(), write.to_le_bytes()].concat()).collect();
        let [count, len, offset] = numbers;
        let sum = crc(&[&map, content]);
        let head = [&(count as u32).to_le_bytes()[..], &len.to_le_bytes(), &offset.to_le_bytes(), &sum].concat();
        Chunk::new(b'S', path, [&head[..], &map, content].concat())
    }

    /// `S` of MariaDB.
    pub fn seek(path: impl AsRef<[u8]>, offset: u64) -> Chunk {
        Chunk::new(b'S', path, offset.to_le_bytes().to_vec())
    }

    /// `E`.
    pub fn end(path: impl AsRef<[u8]>) -> Chunk {
        Chunk::new(b'E', path, Vec::new())
    }

    /// `D`.
    pub fn remove(path: impl AsRef<[u8]>) -> Chunk {
        Chunk::new(b'D', path, Vec::new())
    }

    /// `R`.
    pub fn rename(from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> Chunk {
        let len = to.as_ref().len() as u32;
        Chunk::renaming(from, len, to)
    }

    /// The same with a length of the new name that may be a lie.
    pub fn renaming(from: impl AsRef<[u8]>, len: u32, to: impl AsRef<[u8]>) -> Chunk {
        Chunk::new(b'R', from, [&len.to_le_bytes()[..], to.as_ref()].concat())
    }

    /// A whole small file.
    pub fn file(path: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Vec<u8> {
        [Chunk::payload(&path, 0, content.as_ref()).bytes(), Chunk::end(path).bytes()].concat()
    }

    /// It with other flags.
    pub fn flags(self, flags: u8) -> Chunk {
        Chunk { flags, ..self }
    }

    /// It with another type.
    pub fn kind(self, kind: u8) -> Chunk {
        Chunk { kind, ..self }
    }

    /// It with another length of its path than it has.
    pub fn path_len(self, path_len: u32) -> Chunk {
        Chunk { path_len, ..self }
    }

    /// It with a wrong byte at the end of what follows the path.
    pub fn damaged(mut self) -> Chunk {
        *self.rest.last_mut().expect("a payload") ^= 0x40;
        self
    }

    /// It as bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"XBSTCK01".to_vec();
        bytes.extend([self.flags, self.kind]);
        bytes.extend(self.path_len.to_le_bytes());
        bytes.extend(&self.path);
        bytes.extend(&self.rest);
        bytes
    }
}

fn crc(parts: &[&[u8]]) -> [u8; 4] {
    let mut hasher = crc32fast::Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().to_le_bytes()
}
