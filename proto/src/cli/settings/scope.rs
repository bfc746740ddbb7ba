//! Which options may be set beside the command line, and where: the one place that says so.

use super::name::variable;

/// Where an option may be set, beside the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Nowhere.
    CommandLine,
    /// In the environment.
    Environment,
    /// In files.
    Files,
    /// In the environment and in files.
    Everywhere,
}

/// What says what to do now, rather than how. Set for every run, it would do it in every run.
const NOW: [&str; 11] =
    ["command", "input", "dir", "from", "list", "verify", "generate-key", "check", "control", "show-config", "ssh"];

/// What is done without anybody at another end, so that there is nothing to guard.
const ALONE: [&str; 4] = ["from", "list", "verify", "generate-key"];

/// What says which files are read, and so cannot stand in them.
const WHICH_FILES: [&str; 2] = ["config", "defaults-file"];

/// What the command of `xbrecv --then` is told of a backup in its environment. It may well be one of our programs, and much of
/// this is the peer's word: none of it is a setting. Several streams have `NAME_0`, `NAME_1` and so on.
pub const TOLD: [&str; 18] = [
    "XB_DIR",
    "XB_FILE",
    "XB_SHA1",
    "XB_REACHED",
    "XB_BYTES",
    "XB_FILES",
    "XB_BACKUP_TYPE",
    "XB_FROM_LSN",
    "XB_TO_LSN",
    "XB_LAST_LSN",
    "XB_TOOL",
    "XB_TOOL_VERSION",
    "XB_SERVER_VERSION",
    "XB_SERVER_UUID",
    "XB_BACKUP_UUID",
    "XB_BINLOG_POSITION",
    "XB_COMPRESSED",
    "XB_ENCRYPTED",
];

/// Whether an option says who may be at the other end. Where a file has it by half, nothing is done without it.
pub(super) fn is_guard(name: &str) -> bool {
    name.starts_with("ssl-") || name == "fingerprint"
}

/// Whether there is somebody at the other end where this option is given.
pub(super) fn has_peer(name: &str) -> bool {
    !ALONE.contains(&name)
}

impl Scope {
    /// Where the option of this name may be set.
    pub(super) fn of(name: &str) -> Scope {
        match name {
            now if NOW.contains(&now) => Scope::CommandLine,
            which if WHICH_FILES.contains(&which) => Scope::Environment,
            told if TOLD.contains(&variable(told).as_str()) => Scope::Files,
            _ => Scope::Everywhere,
        }
    }

    /// Whether it may be set in the environment.
    pub(super) fn has_environment(self) -> bool {
        matches!(self, Scope::Environment | Scope::Everywhere)
    }

    /// Whether it may be set in files.
    pub(super) fn has_files(self) -> bool {
        matches!(self, Scope::Files | Scope::Everywhere)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_is_told_is_no_setting() {
        assert_eq!(Scope::of("tool"), Scope::Files);
        assert_eq!(Scope::of("dir"), Scope::CommandLine);
        assert_eq!(Scope::of("config"), Scope::Environment);
        assert_eq!(Scope::of("rate-limit"), Scope::Everywhere);
    }
}
