//! What a backup says of itself, in the small text files that close it.
//!
//! | file | Percona, MariaDB up to 11.0 | MariaDB from 11.1 | says |
//! |---|---|---|---|
//! | checkpoints | `xtrabackup_checkpoints` | `mariadb_backup_checkpoints` | full or incremental, LSNs |
//! | information | `xtrabackup_info` | `mariadb_backup_info` | tool, versions, uuid, binlog position |
//! | configuration | `backup-my.cnf` | `backup-my.cnf` | the server's uuid (Percona) |
//!
//! All are lines of `key = value`. They come from whoever made the stream, so nothing of them is believed to be there, to be
//! short, or to be fit for a terminal.
//!
//! * [`BackupFacts`] are what is known; every one of them may be missing.
//! * [`MetadataFile`] knows the names, and reads a file's bytes.
//! * [`FactsWatch`] collects the files from a stream that passes by.

mod facts;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod kind;
mod metadata;
mod pairs;
mod text;
mod watch;

pub use facts::BackupFacts;
pub use kind::BackupKind;
pub use metadata::{MAX_METADATA, MetadataFile};
pub use text::FactText;
pub use watch::FactsWatch;
