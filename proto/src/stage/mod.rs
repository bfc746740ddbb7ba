//! What xtrabackup did to a file after reading it, undone: encryption and compression, as bytes in and bytes out.
//!
//! A backup tool compresses a file, then encrypts it, and says so in its name: `t1.ibd.zst.xbcrypt`. A [`Chain`] of
//! decoders undoes that in the other order. It is fed the file as it comes, in any pieces, and gives the original.
//!
//! * [`Stages`] are what is to be undone for all files; by a file's name they tell its [`Chain`].
//! * [`FileKey`] is what the tool encrypted with.
//! * [`StageError`] says what is wrong with a file, and where.
//!
//! | format | suffix | file | bound of its memory |
//! |---|---|---|---|
//! | xbcrypt 1, 2, 3 | `.xbcrypt` | `xbcrypt.rs` | one chunk, 64 MiB |
//! | zstd frames | `.zst` | `zstd.rs` | one window, 128 MiB |
//! | LZ4 frames | `.lz4` | `lz4.rs` | two blocks, 16 MiB each |
//! | qpress archive of one file | `.qp` | `qpress.rs` | one packet, 64 MiB, as it is and unpacked |
//!
//! These are what a file can make a decoder hold ([`StageKind::most_memory`]); it takes memory as bytes arrive, not as
//! headers promise, and what the tools write by default costs some hundred KiB. A new chain costs next to nothing.
//!
//! A file that was cut or damaged is an error. But zstd, LZ4 and xbcrypt have no mark of a file's end, only of a
//! frame's or chunk's: a file cut right there is found by its container alone.

mod chain;
mod error;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod gather;
mod key;
mod kind;
mod lz4;
mod part;
mod pieces;
mod qpress;
mod stages;
mod xbcrypt;
mod zstd;

pub use chain::{Chain, PIECE};
pub use error::{Fault, StageError};
pub use key::{Cipher, FileKey, KeyLengthError, UnknownCipher};
pub use kind::StageKind;
pub use part::{Defect, Field, Part, Unsupported};
pub use stages::{Decompress, Stages};

#[cfg(test)]
mod tests;
