//! Chunks encrypted by xtrabackup: AES in counter mode, three versions.
//!
//! A file is chunks, one after the other, and nothing else. All integers are little-endian:
//!
//! | size | field |
//! |---|---|
//! | 8 | magic `XBCRYP01`, `XBCRYP02` or `XBCRYP03` |
//! | 8 | reserved, 0 |
//! | 8 | original length, always the same as the encrypted one |
//! | 8 | encrypted length n |
//! | 4 | CRC-32/ISO-HDLC of the encrypted bytes |
//! | 8 | length of the initialisation vector, m (not in version 1) |
//! | m | initialisation vector (not in version 1) |
//! | n | encrypted bytes |
//!
//! The counter is 16 bytes, big-endian, and starts afresh in each chunk: at zero in version 1; at zero in version 2
//! too, which keeps an initialisation vector and does not use it; at the initialisation vector in version 3, where the
//! SHA-256 of the data is encrypted behind the data. Only that tells a wrong key: versions 1 and 2 give what comes out.

mod header;
mod keystream;

use sha2::{Digest, Sha256};

use self::header::{Header, Version};
use self::keystream::{Aes, Keystream};
use super::chain::{Decoder, Step};
use super::gather::{Gather, make_room};
use super::pieces::Pieces;
use super::{Fault, Field, FileKey, Part, StageError, StageKind};

/// The longest chunk, in bytes of data. Writers make chunks of `--encrypt-chunk-size`, 64 KiB by default; `xbcrypt` has a
/// buffer of 10 MiB. A chunk must be held: nothing of it is given out before its checksums agree.
const LONGEST_CHUNK: u64 = 64 << 20;

/// The most that a file makes its decoder hold, in bytes: a chunk and its hash.
pub(super) const MOST_MEMORY: usize = LONGEST_CHUNK as usize + 32;

/// Bytes that are summed, decrypted and hashed in one go, while they are in the cache.
const STRIDE: usize = 16 << 10;

/// Decrypts one file.
pub(super) struct Xbcrypt {
    aes: Option<Aes>,
    /// Where the chunk begins.
    at: u64,
    header: Gather,
    /// That of the first chunk, and so of all.
    version: Option<Version>,
    chunk: Option<Chunk>,
    plain: Pieces,
}

/// A chunk being read.
struct Chunk {
    header: Header,
    crc: crc32fast::Hasher,
    keystream: Keystream,
    sha256: Sha256,
}

impl Xbcrypt {
    pub(super) fn new(key: Option<&FileKey>) -> Xbcrypt {
        let (aes, header) = (key.map(Aes::new), Gather::new());
        Xbcrypt { aes, at: 0, header, version: None, chunk: None, plain: Pieces::default() }
    }

    fn error(&self, fault: Fault) -> StageError {
        StageError::new(StageKind::Xbcrypt, self.at, fault)
    }

    /// Reads on in a header; none if more bytes are needed.
    fn open(&mut self, input: &mut &[u8]) -> Result<Option<Chunk>, Fault> {
        let Some(header) = Header::read(&mut self.header, input)? else { return Ok(None) };
        self.keep_version(header.version)?;
        let aes = self.aes.as_ref().ok_or(Fault::NoKey)?;
        self.plain.bytes.clear();
        let keystream = aes.keystream(&header.counter);
        Ok(Some(Chunk { header, crc: crc32fast::Hasher::new(), keystream, sha256: Sha256::new() }))
    }

    /// A file is of one version. This is what finds damage to the 3 in a magic, which version 2 could not.
    fn keep_version(&mut self, actual: Version) -> Result<(), Fault> {
        let expected = *self.version.get_or_insert(actual);
        if actual == expected {
            return Ok(());
        }
        Err(Fault::Mismatch { field: Field::Version, expected: expected as u64, actual: actual as u64 })
    }
}

impl Chunk {
    /// Decrypts what there is of the chunk to the end of `plain`, and tells whether that is all of it.
    fn decrypt(&mut self, plain: &mut Vec<u8>, input: &mut &[u8]) -> bool {
        let missing = self.header.encrypted_len - plain.len();
        let (encrypted, rest) = input.split_at(missing.min(input.len()));
        *input = rest;
        make_room(plain, encrypted.len(), missing);
        for encrypted in encrypted.chunks(STRIDE) {
            let before = plain.len();
            plain.extend_from_slice(encrypted);
            self.crc.update(encrypted);
            self.keystream.apply(&mut plain[before..]);
            if self.header.is_hashed() {
                let len = self.header.len();
                self.sha256.update(&plain[before.min(len)..plain.len().min(len)]);
            }
        }
        plain.len() == self.header.encrypted_len
    }

    /// Holds the checksums against the whole chunk, decrypted. How much of it is data.
    fn check(self, plain: &[u8]) -> Result<usize, Fault> {
        let (expected, actual) = (self.header.crc, self.crc.finalize());
        if expected != actual {
            return Err(Fault::Checksum { of: Part::Chunk, expected, actual });
        }
        let len = self.header.len();
        if self.header.is_hashed() && self.sha256.finalize()[..] != plain[len..] {
            return Err(Fault::WrongKey);
        }
        Ok(len)
    }
}

impl Decoder for Xbcrypt {
    fn advance(&mut self, input: &mut &[u8]) -> Result<Step, StageError> {
        loop {
            if let Some(step) = self.plain.next() {
                return Ok(step);
            }
            if self.chunk.is_none() {
                self.chunk = self.open(input).map_err(|fault| self.error(fault))?;
            }
            let Some(chunk) = &mut self.chunk else { return Ok(Step::Hungry) };
            if !chunk.decrypt(&mut self.plain.bytes, input) {
                return Ok(Step::Hungry);
            }
            if let Some(chunk) = self.chunk.take() {
                let whole = (self.header.len() + chunk.header.encrypted_len) as u64;
                let len = chunk.check(&self.plain.bytes).map_err(|fault| self.error(fault))?;
                self.plain.give(len);
                self.at += whole;
                self.header.clear();
            }
        }
    }

    fn piece(&self) -> &[u8] {
        self.plain.piece()
    }

    fn takes_any_key(&self) -> bool {
        matches!(self.version, Some(Version::One | Version::Two))
    }

    fn finish(&self) -> Result<(), StageError> {
        let (part, read) = match &self.chunk {
            Some(_) => (Part::Chunk, self.header.len() + self.plain.bytes.len()),
            None if self.header.len() > 0 => (Part::ChunkHeader, self.header.len()),
            None => return Ok(()),
        };
        let offset = self.at + read as u64;
        Err(StageError::new(StageKind::Xbcrypt, offset, Fault::Truncated { inside: part }))
    }

    fn memory(&self) -> usize {
        self.plain.bytes.capacity()
    }
}
