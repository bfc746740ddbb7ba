//! Which files a whole backup must have brought.
//!
//! A stream has no end marker, so a tool that dies between two files leaves one that looks well.
//! What it has not sent then are the files that every backup, full or incremental, closes with:
//!
//! | part | Percona, MariaDB up to 11.0 | MariaDB from 11.1 |
//! |---|---|---|
//! | redo log | `xtrabackup_logfile`, `ib_logfile0` | `ib_logfile0` |
//! | checkpoints | `xtrabackup_checkpoints` | `mariadb_backup_checkpoints` |
//! | information | `xtrabackup_info` | `mariadb_backup_info` |
//! | tablespace map | `xtrabackup_tablespaces` (Percona 8 and later) | |
//!
//! Compression and encryption append suffixes (`xtrabackup_info.zst.xbcrypt`), and a delta of an
//! incremental backup has its own. The tablespace map is the last file of Percona 8, behind the
//! information; Percona 2.4 has none. The stream tells the two apart: only servers from MySQL 8.0
//! on have a dictionary in `mysql.ibd`, and only Percona's tool calls the redo log
//! `xtrabackup_logfile`.

use std::collections::BTreeSet;
use std::fmt;

use super::Item;

/// What a stream lacks to be a whole backup.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("backup incomplete: {}: the backup tool ended early", listed(parts))]
pub struct Missing {
    parts: Vec<Part>,
}

impl Missing {
    /// What it lacks, at least one.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }
}

fn listed(parts: &[Part]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| format!("no {part}")).collect();
    parts.join(", ")
}

/// A part that no whole backup is without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// The log of what changed during the backup.
    Redo,
    /// Up to where the backup reaches.
    Checkpoints,
    /// How and from what the backup was made.
    Info,
    /// Where each tablespace belongs.
    Tablespaces,
}

/// In words a DBA knows.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Redo => "redo log (xtrabackup_logfile or ib_logfile0)",
            Part::Checkpoints => "checkpoints (xtrabackup_checkpoints or mariadb_backup_checkpoints)",
            Part::Info => "backup information (xtrabackup_info or mariadb_backup_info)",
            Part::Tablespaces => "tablespace map (xtrabackup_tablespaces)",
        })
    }
}

/// Watches the items of a stream, or of all lanes of a backup, for the closing metadata and redo
/// files.
#[derive(Debug, Default)]
pub struct Completeness {
    /// Files of [`NAMES`] that were ended.
    ended: BTreeSet<&'static str>,
}

/// The names that tell something, without suffix. All are in the top directory.
const NAMES: [&str; 8] = [
    "ib_logfile0",
    "mariadb_backup_checkpoints",
    "mariadb_backup_info",
    "mysql.ibd",
    "xtrabackup_checkpoints",
    "xtrabackup_info",
    "xtrabackup_logfile",
    "xtrabackup_tablespaces",
];

impl Completeness {
    /// Takes note of one item.
    pub fn apply(&mut self, item: &Item) {
        if let Item::End { path } = item {
            self.ended.extend(NAMES.iter().find(|name| is_named(path.as_bytes(), name)));
        }
    }

    /// To be called at the end of all lanes.
    pub fn finish(&self) -> Result<(), Missing> {
        let parts: Vec<Part> = [Part::Redo, Part::Checkpoints, Part::Info, Part::Tablespaces]
            .into_iter()
            .filter(|part| !self.has(*part))
            .collect();
        if parts.is_empty() { Ok(()) } else { Err(Missing { parts }) }
    }

    fn has(&self, part: Part) -> bool {
        let ended = |name| self.ended.contains(name);
        match part {
            Part::Redo => ended("xtrabackup_logfile") || ended("ib_logfile0"),
            Part::Checkpoints => ended("xtrabackup_checkpoints") || ended("mariadb_backup_checkpoints"),
            Part::Info => ended("xtrabackup_info") || ended("mariadb_backup_info"),
            Part::Tablespaces => ended("xtrabackup_tablespaces") || !self.is_percona_8(),
        }
    }

    fn is_percona_8(&self) -> bool {
        self.ended.contains("mysql.ibd") && self.ended.contains("xtrabackup_logfile")
    }
}

/// Whether a path is this name, with or without suffixes.
fn is_named(path: &[u8], name: &str) -> bool {
    let suffix = path.strip_prefix(name.as_bytes());
    suffix.is_some_and(|suffix| suffix.is_empty() || suffix.starts_with(b".") && !suffix.contains(&b'/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xbstream::{Opening, StreamPath};

    fn missing(names: &[&str]) -> String {
        let mut completeness = Completeness::default();
        for name in names {
            completeness.apply(&Item::End { path: StreamPath::from(*name) });
        }
        completeness.finish().err().map_or(String::new(), |missing| missing.to_string())
    }

    #[test]
    fn backups_of_all_vendors_are_complete() {
        let complete: [&[&str]; 5] = [
            &["ibdata1", "ib_logfile0", "xtrabackup_checkpoints", "xtrabackup_info"],
            &["ib_logfile0", "mariadb_backup_checkpoints", "mariadb_backup_info"],
            &["mysql/user.MYD.qp", "xtrabackup_logfile.qp", "xtrabackup_checkpoints", "xtrabackup_info.qp"],
            &["mysql.ibd", "xtrabackup_logfile", "xtrabackup_checkpoints", "xtrabackup_info", "xtrabackup_tablespaces"],
            &[
                "mysql.ibd.delta.zst.xbcrypt",
                "xtrabackup_logfile.zst.xbcrypt",
                "xtrabackup_checkpoints.xbcrypt",
                "xtrabackup_info.zst.xbcrypt",
                "xtrabackup_tablespaces.zst.xbcrypt",
            ],
        ];
        for names in complete {
            assert_eq!(missing(names), "", "{names:?}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(
            missing(&["ibdata1", "xtrabackup_checkpoints"]),
            "backup incomplete: no redo log (xtrabackup_logfile or ib_logfile0), \
             no backup information (xtrabackup_info or mariadb_backup_info): the backup tool ended early"
        );
    }

    #[test]
    fn percona_8_is_not_complete_without_its_last_file() {
        assert_eq!(
            missing(&["mysql.ibd.qp", "xtrabackup_logfile.qp", "xtrabackup_checkpoints.qp", "xtrabackup_info.qp"]),
            "backup incomplete: no tablespace map (xtrabackup_tablespaces): the backup tool ended early"
        );
    }

    #[test]
    fn a_file_counts_only_in_the_top_directory_by_its_whole_name() {
        let all = "backup incomplete: no redo log (xtrabackup_logfile or ib_logfile0), \
                   no checkpoints (xtrabackup_checkpoints or mariadb_backup_checkpoints), \
                   no backup information (xtrabackup_info or mariadb_backup_info): the backup tool ended early";
        assert_eq!(missing(&["shop/ib_logfile0", "xtrabackup_checkpoints2", "xtrabackup_info.d/a"]), all);
    }

    #[test]
    fn a_file_counts_only_when_it_is_ended() {
        let mut completeness = Completeness::default();
        let path = StreamPath::from("ib_logfile0");
        completeness.apply(&Item::Payload { path, opening: Opening::New, offset: 0, len: 1 });
        assert!(completeness.finish().expect_err("nothing was ended").parts().contains(&Part::Redo));
    }
}
