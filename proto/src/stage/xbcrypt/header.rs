//! What stands before the encrypted bytes of a chunk.

use super::LONGEST_CHUNK;
use crate::stage::gather::{Gather, u32_at, u64_at};
use crate::stage::{Fault, Field, Part};
use crate::xbstream::Quote;

/// The magics of versions 1, 2 and 3 differ in their last byte.
const MAGIC: &[u8; 7] = b"XBCRYP0";

/// Magic, reserved, two lengths, CRC.
const COMMON: usize = 8 + 8 + 8 + 8 + 4;

/// Length of a counter, and so of the longest initialisation vector.
const IV: usize = 16;

/// Length of the hash behind the data in version 3.
const HASH: usize = 32;

/// Of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    One = 1,
    Two,
    Three,
}

/// A valid header.
pub(super) struct Header {
    pub(super) version: Version,
    /// Length of what is encrypted, in bytes.
    pub(super) encrypted_len: usize,
    /// CRC of that.
    pub(super) crc: u32,
    /// Where the counter begins.
    pub(super) counter: [u8; IV],
}

impl Header {
    /// Reads on in a header, and judges each part of it as soon as it is there; none if more bytes are needed.
    pub(super) fn read(header: &mut Gather, input: &mut &[u8]) -> Result<Option<Header>, Fault> {
        let Some(magic) = header.fill(input, 8) else { return Ok(None) };
        let version = version(magic)?;
        let Some(common) = header.fill(input, COMMON) else { return Ok(None) };
        let encrypted_len = lengths(version, common)?;
        let crc = u32_at(common, 32);
        let mut counter = [0; IV];
        if version != Version::One {
            let Some(with_len) = header.fill(input, COMMON + 8) else { return Ok(None) };
            let iv_len = iv_len(version, u64_at(with_len, COMMON))?;
            let Some(whole) = header.fill(input, COMMON + 8 + iv_len) else { return Ok(None) };
            if version == Version::Three {
                counter.copy_from_slice(&whole[COMMON + 8..]);
            }
        }
        Ok(Some(Header { version, encrypted_len, crc, counter }))
    }

    /// Whether the hash of the data follows it.
    pub(super) fn is_hashed(&self) -> bool {
        self.version == Version::Three
    }

    /// Length of the data, in bytes.
    pub(super) fn len(&self) -> usize {
        self.encrypted_len - hash_len(self.version)
    }
}

fn hash_len(version: Version) -> usize {
    if version == Version::Three { HASH } else { 0 }
}

fn version(magic: &[u8]) -> Result<Version, Fault> {
    match magic.strip_prefix(MAGIC) {
        Some(b"1") => Ok(Version::One),
        Some(b"2") => Ok(Version::Two),
        Some(b"3") => Ok(Version::Three),
        _ => Err(Fault::Magic { expected: Part::ChunkHeader, found: Quote::new(magic) }),
    }
}

/// The encrypted length, which the original one must equal.
fn lengths(version: Version, common: &[u8]) -> Result<usize, Fault> {
    let (reserved, original, encrypted) = (u64_at(common, 8), u64_at(common, 16), u64_at(common, 24));
    if reserved != 0 {
        return Err(Fault::Mismatch { field: Field::Reserved, expected: 0, actual: reserved });
    }
    let hash = hash_len(version) as u64;
    if encrypted > LONGEST_CHUNK + hash {
        let limit = LONGEST_CHUNK + hash;
        return Err(Fault::Limit { field: Field::ChunkEncrypted, limit, actual: encrypted });
    }
    if original != encrypted {
        return Err(Fault::Mismatch { field: Field::ChunkOriginal, expected: encrypted, actual: original });
    }
    if encrypted < hash {
        return Err(Fault::Mismatch { field: Field::ChunkEncrypted, expected: hash, actual: encrypted });
    }
    Ok(encrypted as usize)
}

/// The length of the initialisation vector. Version 2 does not use it.
fn iv_len(version: Version, len: u64) -> Result<usize, Fault> {
    if len > IV as u64 {
        return Err(Fault::Limit { field: Field::ChunkIv, limit: IV as u64, actual: len });
    }
    if version == Version::Three && len != IV as u64 {
        return Err(Fault::Mismatch { field: Field::ChunkIv, expected: IV as u64, actual: len });
    }
    Ok(len as usize)
}
