//! Which command prepares which backup.

use std::path::Path;
use std::process::Command;

use xbproto::backup::{BackupFacts, BackupKind};

use super::{AfterError, Decoded};
use crate::disk::shown;

/// A command that prepares a backup.
#[derive(Debug)]
pub(super) struct Plan {
    /// It in words.
    pub(super) what: String,
    /// To be run.
    pub(super) command: Command,
}

/// Whose tool has made a backup: each prepares only its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Vendor {
    MariaDb,
    Percona,
}

impl Vendor {
    /// The names its tool may have, the newest first.
    fn tools(self) -> &'static [&'static str] {
        match self {
            Vendor::MariaDb => &["mariadb-backup", "mariabackup"],
            Vendor::Percona => &["xtrabackup"],
        }
    }

    /// Whose tool the facts speak of. What they say is never run, only recognised. A tool may have been started by any name,
    /// but MariaDB's says in its version whose it is.
    fn of(facts: &BackupFacts) -> Option<Vendor> {
        let tool = facts.tool.as_deref().unwrap_or_default();
        let name = tool.rsplit('/').next().unwrap_or_default();
        let versions = [&facts.tool_version, &facts.server_version];
        let is_mariadb = versions.into_iter().flatten().any(|version| version.contains("MariaDB"));
        match [Vendor::MariaDb, Vendor::Percona].into_iter().find(|vendor| vendor.tools().contains(&name)) {
            None if is_mariadb => Some(Vendor::MariaDb),
            known => known,
        }
    }
}

/// Whether the tool of any vendor can be run.
pub(super) fn is_any_tool_installed(is_installed: impl Fn(&str) -> bool) -> bool {
    [Vendor::MariaDb, Vendor::Percona].into_iter().flat_map(Vendor::tools).any(|tool| is_installed(tool))
}

/// The command that prepares the backup of these `facts` in `dir`, whose files were `decoded` so far.
///
/// # Errors
/// When it is no full one, does not say what it is, its files are compressed or encrypted, or its tool is not installed.
pub(super) fn plan(
    facts: &BackupFacts,
    decoded: Decoded,
    dir: &Path,
    is_installed: impl Fn(&str) -> bool,
) -> Result<Plan, AfterError> {
    let unknown = |missing| AfterError::Unknown { dir: dir.into(), missing };
    let vendor = Vendor::of(facts).ok_or_else(|| unknown("xtrabackup_info or mariadb_backup_info"))?;
    let kind = facts.kind.as_ref().ok_or_else(|| unknown("xtrabackup_checkpoints or mariadb_backup_checkpoints"))?;
    let installed = vendor.tools().iter().find(|tool| is_installed(tool));
    let tool = installed.or(vendor.tools().first()).copied().unwrap_or_default();
    if *kind != BackupKind::Full {
        return Err(AfterError::NotByItself { kind: kind.to_string(), command: with_base(vendor, tool, dir) });
    }
    check_plain(facts, decoded, tool, dir)?;
    // What a server's option files say is not about this backup; what is about it, the tool reads in its directory.
    let arguments = ["--no-defaults", "--prepare"];
    let words = format!("{tool} {} --target-dir={}", arguments.join(" "), shown(dir));
    if installed.is_none() {
        return Err(AfterError::NoTool { names: vendor.tools().join(" or "), command: words });
    }
    let mut target = std::ffi::OsString::from("--target-dir=");
    target.push(dir);
    let mut command = Command::new(tool);
    command.args(arguments).arg(target);
    Ok(Plan { what: format!("{tool} --prepare"), command })
}

/// Whether nothing is left of what the tool did to the files.
fn check_plain(facts: &BackupFacts, decoded: Decoded, tool: &str, dir: &Path) -> Result<(), AfterError> {
    const DECRYPT: &str = "--decrypt=ALGO --encrypt-key-file=FILE";
    let compressed = facts.compressed == Some(true) && !decoded.decompressed;
    let encrypted = facts.encrypted == Some(true) && !decoded.decrypted;
    let (how, options) = match (compressed, encrypted) {
        (false, false) => return Ok(()),
        (true, false) => ("compressed", "--decompress"),
        (false, true) => ("encrypted", DECRYPT),
        (true, true) => ("compressed and encrypted", "--decompress --decrypt=ALGO --encrypt-key-file=FILE"),
    };
    let command = format!("{tool} {options} --target-dir={}", shown(dir));
    Err(AfterError::Encoded { dir: dir.into(), how, command, options })
}

/// What merges an incremental backup in `dir` into the full one it is based on, for a person to complete.
fn with_base(vendor: Vendor, tool: &str, dir: &Path) -> String {
    let log_only = match vendor {
        Vendor::MariaDb => "",
        // Left out for the last increment only.
        Vendor::Percona => " --apply-log-only",
    };
    format!("{tool} --prepare{log_only} --target-dir=BASE --incremental-dir={}", shown(dir))
}

#[cfg(test)]
mod tests {
    use xbproto::backup::FactText;

    use super::*;

    fn facts(tool: &str, kind: &str) -> BackupFacts {
        let kind = FactText::new(kind).map(BackupKind::of);
        BackupFacts { tool: FactText::new(tool), kind, ..BackupFacts::default() }
    }

    fn planned(facts: &BackupFacts, installed: &[&str]) -> Result<Vec<String>, String> {
        planned_of(facts, Decoded { decompressed: false, decrypted: false }, installed)
    }

    fn planned_of(facts: &BackupFacts, decoded: Decoded, installed: &[&str]) -> Result<Vec<String>, String> {
        let plan = plan(facts, decoded, Path::new("/restore"), |tool| installed.contains(&tool));
        let words = |command: &Command| {
            std::iter::once(command.get_program())
                .chain(command.get_args())
                .map(|word| word.display().to_string())
                .collect()
        };
        plan.map(|plan| words(&plan.command)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_full_backup_is_prepared_by_its_own_tool() {
        for (made_by, installed, runs) in [
            ("mariadb-backup", &["xtrabackup", "mariabackup", "mariadb-backup"][..], "mariadb-backup"),
            ("mariabackup", &["mariabackup"], "mariabackup"),
            ("/usr/bin/mariabackup", &["mariadb-backup"], "mariadb-backup"),
            ("xtrabackup", &["xtrabackup", "mariadb-backup"], "xtrabackup"),
        ] {
            let command = planned(&facts(made_by, "full-backuped"), installed).unwrap();
            assert_eq!(command, [runs, "--no-defaults", "--prepare", "--target-dir=/restore"], "{made_by}");
        }
        let renamed = BackupFacts { tool_version: FactText::new("10.11.19-MariaDB"), ..facts("mb", "full-backuped") };
        assert_eq!(planned(&renamed, &["mariabackup"]).unwrap()[0], "mariabackup");
    }

    #[test]
    fn what_the_backup_calls_its_tool_is_not_run() {
        let error = planned(&facts("/tmp/evil", "full-backuped"), &["/tmp/evil", "evil", "xtrabackup"]).unwrap_err();
        assert!(error.contains("prepare it by hand"), "{error}");
    }

    #[test]
    fn a_missing_tool_is_named_with_what_to_run() {
        let error = planned(&facts("mariadb-backup", "full-backuped"), &["xtrabackup"]).unwrap_err();
        assert_eq!(
            error,
            "mariadb-backup or mariabackup is not installed here; install it, and prepare the backup with: \
             mariadb-backup --no-defaults --prepare --target-dir=/restore"
        );
    }

    #[test]
    fn an_incremental_backup_needs_its_base() {
        let error = planned(&facts("mariabackup", "incremental"), &["mariabackup"]).unwrap_err();
        assert_eq!(
            error,
            "this is a backup of type incremental, which cannot be prepared by itself; prepare it with: \
             mariabackup --prepare --target-dir=BASE --incremental-dir=/restore"
        );
        let error = planned(&facts("xtrabackup", "incremental"), &[]).unwrap_err();
        assert!(error.ends_with("xtrabackup --prepare --apply-log-only --target-dir=BASE --incremental-dir=/restore"));
    }

    #[test]
    fn files_that_are_not_plain_are_to_be_decoded_first() {
        let made = |compressed, encrypted| BackupFacts {
            compressed: Some(compressed),
            encrypted: Some(encrypted),
            ..facts("xtrabackup", "full-backuped")
        };
        let said = |compressed, encrypted, decompressed, decrypted| {
            let decoded = Decoded { decompressed, decrypted };
            planned_of(&made(compressed, encrypted), decoded, &["xtrabackup"]).err()
        };
        assert_eq!(said(false, false, false, false), None);
        assert_eq!(said(true, true, true, true), None);
        assert_eq!(
            said(true, true, false, true).unwrap(),
            "the files in /restore are compressed, and only plain ones can be prepared; decode them with: xtrabackup \
             --decompress --target-dir=/restore; then prepare them. With --decompress, xbrecv does that while it unpacks"
        );
        assert!(said(true, true, true, false).unwrap().contains("xtrabackup --decrypt=ALGO --encrypt-key-file=FILE "));
        assert!(said(true, true, false, false).unwrap().contains("xtrabackup --decompress --decrypt=ALGO "));
    }

    #[test]
    fn a_backup_that_does_not_say_what_it_is_is_left_alone() {
        assert!(planned(&BackupFacts::default(), &["xtrabackup"]).unwrap_err().contains("xtrabackup_info"));
        let kindless = BackupFacts { kind: None, ..facts("xtrabackup", "x") };
        assert!(planned(&kindless, &["xtrabackup"]).unwrap_err().contains("xtrabackup_checkpoints"));
    }
}
