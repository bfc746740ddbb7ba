//! Running the backup tool that is installed, when no source was named.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::SourceError;
use super::command::is_tool;

/// A tool's command line and the directory it may leave its traces in.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) command: Vec<OsString>,
    /// Vanishes with this value.
    pub(super) target: TempDir,
}

/// Completes the command line of `tool` with `args`, and makes its directory.
pub(super) fn prepare(tool: PathBuf, args: Vec<OsString>) -> Result<Prepared, SourceError> {
    let target = target_dir()?;
    // The user's options come first: `--defaults-file` is only understood as the very first one.
    let mut command = vec![tool.into_os_string()];
    command.extend(args);
    command.extend(["--backup".into(), "--stream=xbstream".into()]);
    let mut option = OsString::from("--target-dir=");
    option.push(target.path());
    command.push(option);
    Ok(Prepared { command, target })
}

/// Finds the tool on `path` (as in `$PATH`): the one of this name or at this place, or the only one.
pub(super) fn find(name: Option<&OsStr>, path: &OsStr) -> Result<PathBuf, SourceError> {
    let look = |name: &OsStr| which::which_in(name, Some(path), Path::new(".")).ok();
    if let Some(name) = name {
        if !is_tool(name) {
            return Err(SourceError::UnknownTool(name.to_owned()));
        }
        return look(name).ok_or_else(|| SourceError::ToolNotFound(name.to_owned()));
    }
    let percona = look(OsStr::new("xtrabackup"));
    // Two names of one program.
    let mariadb = look(OsStr::new("mariadb-backup")).or_else(|| look(OsStr::new("mariabackup")));
    match (percona, mariadb) {
        (Some(tool), None) | (None, Some(tool)) => Ok(tool),
        (Some(percona), Some(mariadb)) => Err(SourceError::TwoTools(percona, mariadb)),
        (None, None) => Err(SourceError::NoTool),
    }
}

/// The tools want a directory of their own although they stream: for scratch files, which may
/// hold parts of the backup, so nobody else may look into it.
fn target_dir() -> Result<TempDir, SourceError> {
    tempfile::Builder::new()
        .prefix("xbsend-")
        .permissions(std::fs::Permissions::from_mode(0o700))
        .tempdir()
        .map_err(|error| SourceError::TargetDir { dir: std::env::temp_dir(), error })
}

#[cfg(test)]
mod tests {
    use xbproto::failure::Cause;

    use super::*;

    /// A directory with executables of these names.
    fn path_with(tools: &[&str]) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        for tool in tools {
            let file = dir.path().join(tool);
            std::fs::write(&file, "#!/bin/sh\n").unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        dir
    }

    #[test]
    fn the_only_tool_is_taken() {
        for tool in super::super::command::TOOLS {
            let path = path_with(&[tool]);
            assert_eq!(find(None, path.path().as_os_str()).unwrap(), path.path().join(tool));
        }
    }

    #[test]
    fn two_names_of_one_vendor_are_no_choice() {
        let path = path_with(&["mariabackup", "mariadb-backup"]);
        assert!(find(None, path.path().as_os_str()).unwrap().ends_with("mariadb-backup"));
    }

    #[test]
    fn both_vendors_ask_for_a_choice() {
        let path = path_with(&["mariabackup", "xtrabackup"]);
        let error = find(None, path.path().as_os_str()).unwrap_err();
        assert_eq!(error.cause(), Cause::Usage);
        assert!(error.to_string().contains("say with --tool"), "{error}");
        assert!(find(Some(OsStr::new("xtrabackup")), path.path().as_os_str()).unwrap().ends_with("xtrabackup"));
    }

    #[test]
    fn a_missing_tool_is_a_usage_error() {
        let path = path_with(&["xtrabackup"]);
        let absent = find(Some(OsStr::new("mariabackup")), path.path().as_os_str()).unwrap_err();
        let unknown = find(Some(OsStr::new("mysqldump")), path.path().as_os_str()).unwrap_err();
        let none = find(None, path_with(&[]).path().as_os_str()).unwrap_err();
        assert!(absent.to_string().contains("was not found"), "{absent}");
        assert!(unknown.to_string().contains("after `--`"), "{unknown}");
        assert!(none.to_string().contains("xtrabackup, mariadb-backup, mariabackup"), "{none}");
        for error in [absent, unknown, none] {
            assert_eq!(error.cause(), Cause::Usage);
        }
    }

    #[test]
    fn the_users_options_stand_first_and_the_target_is_private() {
        let args = vec!["--defaults-file=/etc/my.cnf".into(), "--parallel=4".into()];
        let prepared = prepare("/usr/bin/xtrabackup".into(), args).unwrap();
        let target = prepared.target.path().to_owned();
        let options = format!(
            "--defaults-file=/etc/my.cnf --parallel=4 --backup --stream=xbstream --target-dir={}",
            target.display()
        );
        assert_eq!(prepared.command[1..].join(OsStr::new(" ")), OsString::from(options));
        assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o7777, 0o700);
        drop(prepared);
        assert!(!target.exists());
    }
}
