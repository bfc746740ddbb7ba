//! Option files as MySQL and MariaDB have them: lines in, entries with file and line out.
//!
//! | module | owns |
//! |---|---|
//! | `line` | what one line says |
//! | `value` | comments at its end, quotes, escapes |
//! | `read` | a file, and what it includes |
//!
//! Pure: what is read comes in through [`Files`].

mod line;
mod read;
mod value;

pub(super) use line::LineError;
pub(super) use read::{Entry, Files, Position, ReadError, read};

#[cfg(test)]
mod tests;
