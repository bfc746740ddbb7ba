//! Whether a command is there, which ones are known backup tools, and what is asked of each.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::SourceError;

/// What proves that a command ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// Exit status 0.
    Status,
    /// Exit status 0, and the success line of a backup tool as the last line on stderr.
    StatusAndMarker,
}

/// The file names of the backup tools whose options and success line are known.
pub(super) const TOOLS: [&str; 3] = ["xtrabackup", "mariadb-backup", "mariabackup"];

/// Whose tool it is: they differ in their options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    /// xtrabackup.
    Percona,
    /// mariadb-backup, by either of its names.
    MariaDb,
}

/// Whether the file name of `word` is one of [`TOOLS`].
pub(super) fn is_tool(word: &OsStr) -> bool {
    Path::new(word).file_name().is_some_and(|name| TOOLS.iter().any(|tool| name == *tool))
}

/// Where a program is looked for when there is no `$PATH`, as execvp(3) does.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// Makes sure that a command line begins with a program that may be executed, found on `path` (as in `$PATH`)
/// unless its name says where it is.
pub(super) fn find(command: &[OsString], path: Option<&OsStr>) -> Result<(), SourceError> {
    let program = command.first().map_or(OsStr::new(""), OsString::as_os_str);
    match which::which_in(program, Some(path.unwrap_or(OsStr::new(DEFAULT_PATH))), Path::new(".")) {
        Ok(_) => Ok(()),
        Err(_) => Err(SourceError::NotFound { program: program.display().to_string() }),
    }
}

/// What a command line has to prove.
pub(super) fn proof(command: &[OsString]) -> Proof {
    if tool_of(command).is_some() { Proof::StatusAndMarker } else { Proof::Status }
}

/// The backup tool that a command line runs: one whose name, with or without a path, stands before
/// its first option (`sudo mariabackup`, `env TZ=UTC xtrabackup`), or before a `--backup`
/// (`sudo -u mysql mariabackup --backup`, but not `tar -c /var/lib/mariabackup`).
/// Assignments for `env` and what a shell does with its `-c` are not looked into.
pub(super) fn tool_of(command: &[OsString]) -> Option<Tool> {
    let before_options = command.iter().take_while(|word| !word.as_encoded_bytes().starts_with(b"-"));
    let backup = command.iter().rposition(|word| word == "--backup").unwrap_or(0);
    let mut candidates =
        before_options.chain(&command[..backup]).filter(|word| !word.as_encoded_bytes().contains(&b'='));
    let tool = candidates.find(|word| is_tool(word))?;
    let percona = Path::new(tool).file_name().is_some_and(|name| name == TOOLS[0]);
    Some(if percona { Tool::Percona } else { Tool::MariaDb })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof_of(line: &str) -> Proof {
        proof(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn tools_are_known_behind_paths_and_wrappers() {
        for line in [
            "xtrabackup --backup",
            "/usr/bin/mariadb-backup --defaults-file=x --backup",
            "sudo mariabackup --stream=xbstream",
            "env TZ=UTC xtrabackup",
            "sudo -u mysql nice -n 10 mariabackup --user=x --backup --stream=xbstream",
        ] {
            assert_eq!(proof_of(line), Proof::StatusAndMarker, "{line}");
        }
    }

    #[test]
    fn other_commands_are_judged_by_their_status() {
        for line in [
            "",
            "cat backup.xbstream",
            "tar -c /var/lib/xtrabackup",
            "env TOOL=/usr/bin/xtrabackup sh",
            "mariadb-backup.sh --backup",
            "--backup",
        ] {
            assert_eq!(proof_of(line), Proof::Status, "{line}");
        }
    }
}
