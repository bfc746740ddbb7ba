//! What is known of a backup.

use super::{BackupKind, FactText};

/// What a backup says of itself, as far as it does. All of it is as the backup's files have it, and none is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupFacts {
    /// Full or incremental.
    pub kind: Option<BackupKind>,
    /// The LSN an incremental backup starts from; 0 of a full one.
    pub from_lsn: Option<u64>,
    /// The checkpoint it reaches: where the next incremental backup starts.
    pub to_lsn: Option<u64>,
    /// How far its redo log goes.
    pub last_lsn: Option<u64>,
    /// The tool that made it, such as `mariadb-backup`.
    pub tool: Option<FactText>,
    /// The tool's version.
    pub tool_version: Option<FactText>,
    /// The server's version.
    pub server_version: Option<FactText>,
    /// The backup's own uuid.
    pub backup_uuid: Option<FactText>,
    /// The server's uuid. MariaDB has none.
    pub server_uuid: Option<FactText>,
    /// Where in the binlog it stands, in the tool's words.
    pub binlog_position: Option<FactText>,
    /// Whether the tool has compressed its files.
    pub compressed: Option<bool>,
    /// Whether the tool has encrypted its files.
    pub encrypted: Option<bool>,
}

impl BackupFacts {
    /// These facts, and where one is missing that of `other`.
    #[must_use]
    pub fn or(self, other: BackupFacts) -> BackupFacts {
        BackupFacts {
            kind: self.kind.or(other.kind),
            from_lsn: self.from_lsn.or(other.from_lsn),
            to_lsn: self.to_lsn.or(other.to_lsn),
            last_lsn: self.last_lsn.or(other.last_lsn),
            tool: self.tool.or(other.tool),
            tool_version: self.tool_version.or(other.tool_version),
            server_version: self.server_version.or(other.server_version),
            backup_uuid: self.backup_uuid.or(other.backup_uuid),
            server_uuid: self.server_uuid.or(other.server_uuid),
            binlog_position: self.binlog_position.or(other.binlog_position),
            compressed: self.compressed.or(other.compressed),
            encrypted: self.encrypted.or(other.encrypted),
        }
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == BackupFacts::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_filled_in_and_nothing_is_replaced() {
        let receipt = BackupFacts { to_lsn: Some(7), encrypted: Some(false), ..BackupFacts::default() };
        let own = BackupFacts { to_lsn: Some(8), from_lsn: Some(0), encrypted: Some(true), ..BackupFacts::default() };
        let merged = receipt.or(own);
        assert_eq!((merged.from_lsn, merged.to_lsn, merged.encrypted), (Some(0), Some(7), Some(false)));
        assert!(!merged.is_empty() && BackupFacts::default().is_empty());
    }
}
