//! What all measurements of a run have in common.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;
use xbproto::key::Key;
use xbproto::tls::random;

/// A folder for what is received, the programs, a key, and who makes long links. Dropping it removes the folder.
pub(crate) struct Stage {
    folder: TempDir,
    path: OsString,
    key: Key,
    emulator: Option<PathBuf>,
}

impl Stage {
    /// Makes one below `parent`, with the programs of ours in `programs`.
    pub(crate) fn set(parent: &Path, programs: &Path, emulator: Option<PathBuf>) -> Result<Stage> {
        let folder = tempfile::Builder::new().prefix("run-").tempdir_in(parent);
        let folder = folder.with_context(|| format!("making a folder in {}", parent.display()))?;
        let inherited = env::var_os("PATH").unwrap_or_default();
        // Debian puts servers into the last two.
        let servers = ["/usr/sbin", "/sbin"].map(PathBuf::from);
        let path =
            env::join_paths([programs.to_owned()].into_iter().chain(env::split_paths(&inherited)).chain(servers))?;
        Ok(Stage { folder, path, key: Key::new(random()?), emulator })
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The program that makes long links, if one was named.
    pub(crate) fn emulator(&self) -> Option<&Path> {
        self.emulator.as_deref()
    }

    /// A line of `bash` on this host, on stage.
    pub(crate) fn bash(&self, line: &str) -> Command {
        let mut command = Command::new("bash");
        command.args(["-eu", "-o", "pipefail", "-c", line]);
        self.furnish(&mut command);
        command
    }

    /// Gives a command what peers find in their environment, but for the two ends.
    pub(crate) fn furnish(&self, command: &mut Command) {
        let command = command.env("PATH", &self.path).env("XB_KEY", self.key.reveal());
        command.env("XB_CONFIG", "/dev/null").env("DIR", self.folder());
    }
}
