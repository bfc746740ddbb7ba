//! The xbstream container of Percona XtraBackup and MariaDB, as bytes in and items out.
//!
//! A stream is a sequence of chunks without header, trailer or padding. All integers are
//! little-endian. Every chunk begins alike:
//!
//! | offset | size | field |
//! |---|---|---|
//! | 0 | 8 | magic `XBSTCK01` |
//! | 8 | 1 | flags: 0x01 ignorable, 0x02 rewrite (MariaDB) |
//! | 9 | 1 | type |
//! | 10 | 4 | path length n |
//! | 14 | n | path |
//!
//! and goes on by type:
//!
//! | type | after the path |
//! |---|---|
//! | `P` payload | u64 len, u64 offset, u32 crc, `len` bytes |
//! | `E` end of file | nothing |
//! | `S` sparse (Percona) | u32 m, u64 len, u64 offset, u32 crc, m × (u32 skip, u32 write), `len` bytes |
//! | `S` seek (MariaDB) | u64 offset |
//! | `R` rename (MariaDB) | u32 n2, n2 bytes: the new path |
//! | `D` remove (MariaDB) | nothing |
//!
//! `S` means two things under one magic. After the path of a seek, which is never the last chunk
//! of its file, bytes 8..16 are the magic of the next chunk; after the path of a sparse chunk
//! bytes 8..12 are the high half of a length, where the magic would mean 6 × 10^18 bytes.
//!
//! The CRC is CRC-32/ISO-HDLC over the payload (for a sparse chunk over map, then payload).
//!
//! * [`Decoder`] turns bytes into [`Item`]s and checks every CRC; it never holds a payload.
//! * [`encode`] is the other direction.
//! * [`Ledger`] knows the order that files must keep: what is open, at which offset, what is closed.
//! * [`Completeness`] knows which files a whole backup must have brought.

mod completeness;
mod decoder;
pub mod encode;
mod error;
mod foreign;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod item;
mod ledger;
mod limits;

pub use completeness::{Completeness, Missing, Part};
pub use decoder::Decoder;
pub use error::{DecodeError, Inside, OrderError, StreamError};
pub use foreign::{Foreign, Quote};
pub use item::{Item, Opening, SparseRun, StreamPath};
pub use ledger::{Ledger, Selection, StartingAt};
pub use limits::Limits;

/// How the folders begin in which `xbrecv` unpacks, inside the target directory. Paths of a stream that begin so are refused by
/// it, and none of such a folder is sent by `xbsend --dir`: half a backup is no part of what is beside it.
pub const STAGING_PREFIX: &str = ".xbrecv-";

/// What every chunk begins with.
const MAGIC: &[u8; 8] = b"XBSTCK01";

#[cfg(test)]
mod tests;
