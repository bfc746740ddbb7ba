//! Full or incremental.

use std::fmt;

use super::FactText;

/// What kind of backup it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackupKind {
    /// Everything; the tools say `full-backuped`.
    Full,
    /// What has changed since an LSN.
    Incremental,
    /// What else a tool may say, such as `log-applied` of a backup that was prepared.
    Other(FactText),
}

impl BackupKind {
    /// What the tools write as `backup_type`.
    pub fn of(backup_type: FactText) -> BackupKind {
        match &*backup_type {
            "full-backuped" => BackupKind::Full,
            "incremental" => BackupKind::Incremental,
            _ => BackupKind::Other(backup_type),
        }
    }

    /// As the tools write it.
    pub fn backup_type(&self) -> &str {
        match self {
            BackupKind::Full => "full-backuped",
            BackupKind::Incremental => "incremental",
            BackupKind::Other(other) => other,
        }
    }
}

/// In the word that people use: `full`, `incremental`, or the tool's own.
impl fmt::Display for BackupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BackupKind::Full => "full",
            other => other.backup_type(),
        })
    }
}
