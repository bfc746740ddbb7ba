//! The files that say something of a backup, by name, and what they say.

use super::pairs::pairs;
use super::{BackupFacts, BackupKind, FactText};

/// The most that is read of a metadata file, in bytes. They have a few hundred; a longer one is not read at all.
pub const MAX_METADATA: usize = 64 << 10;

/// A kind of file that says something of the backup. In order of how much its word counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetadataFile {
    /// `xtrabackup_checkpoints` or `mariadb_backup_checkpoints`.
    Checkpoints,
    /// `xtrabackup_info` or `mariadb_backup_info`.
    Info,
    /// `backup-my.cnf`.
    Config,
}

/// All names there are, without suffix; all are in the top directory.
const NAMES: [(&str, MetadataFile); 5] = [
    ("xtrabackup_checkpoints", MetadataFile::Checkpoints),
    ("mariadb_backup_checkpoints", MetadataFile::Checkpoints),
    ("xtrabackup_info", MetadataFile::Info),
    ("mariadb_backup_info", MetadataFile::Info),
    ("backup-my.cnf", MetadataFile::Config),
];

impl MetadataFile {
    /// Which of them the path of a stream names, and the suffixes behind that: empty for a plain file, `.zst.xbcrypt` and
    /// the like for one that is compressed or encrypted.
    pub fn of(path: &[u8]) -> Option<(MetadataFile, &[u8])> {
        NAMES.iter().find_map(|(name, file)| {
            let suffix = path.strip_prefix(name.as_bytes())?;
            let is_suffix = suffix.is_empty() || suffix.starts_with(b".") && !suffix.contains(&b'/');
            is_suffix.then_some((*file, suffix))
        })
    }

    /// Every plain name there is, with the kind of file it has.
    pub fn names() -> impl Iterator<Item = (&'static str, MetadataFile)> {
        NAMES.into_iter()
    }

    /// What the plain bytes of such a file say; nothing if they are more than [`MAX_METADATA`] or no UTF-8. Unknown keys,
    /// and values that are not what they should be, say nothing.
    pub fn read(self, plain: &[u8]) -> BackupFacts {
        let text = if plain.len() <= MAX_METADATA { std::str::from_utf8(plain).unwrap_or_default() } else { "" };
        let pairs = pairs(text);
        let text = |key: &str| pairs.iter().find(|(name, _)| *name == key).and_then(|(_, value)| FactText::new(value));
        match self {
            MetadataFile::Checkpoints => checkpoints(&text),
            MetadataFile::Info => info(&text),
            MetadataFile::Config => BackupFacts { server_uuid: text("server_uuid"), ..BackupFacts::default() },
        }
    }
}

fn checkpoints(text: &dyn Fn(&str) -> Option<FactText>) -> BackupFacts {
    BackupFacts {
        kind: text("backup_type").map(BackupKind::of),
        from_lsn: number(text("from_lsn")),
        to_lsn: number(text("to_lsn")),
        last_lsn: number(text("last_lsn")),
        ..BackupFacts::default()
    }
}

fn info(text: &dyn Fn(&str) -> Option<FactText>) -> BackupFacts {
    let incremental = yes(text("incremental"));
    BackupFacts {
        kind: incremental.map(|is| if is { BackupKind::Incremental } else { BackupKind::Full }),
        from_lsn: number(text("innodb_from_lsn")),
        to_lsn: number(text("innodb_to_lsn")),
        last_lsn: None,
        tool: text("tool_name"),
        tool_version: text("tool_version"),
        server_version: text("server_version"),
        backup_uuid: text("uuid"),
        server_uuid: None,
        binlog_position: text("binlog_pos"),
        compressed: yes(text("compressed")),
        encrypted: yes(text("encrypted")),
    }
}

fn number(text: Option<FactText>) -> Option<u64> {
    text?.parse().ok()
}

/// `N` is no; what is done is said by `Y`, or by a word such as `compressed`.
fn yes(text: Option<FactText>) -> Option<bool> {
    text.map(|text| &*text != "N")
}

#[cfg(test)]
mod tests;
