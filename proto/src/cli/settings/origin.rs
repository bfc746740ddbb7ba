//! Where a setting comes from.

use std::fmt;

use super::option_file::Position;

/// Where a setting comes from, in the words of an error: `XB_WAIT`, `/etc/xb/xb.conf:7`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// This environment variable.
    Environment(String),
    /// A line of the user's, the system's or a named file.
    ConfigFile(Position),
    /// A line of a MySQL option file.
    DefaultsFile {
        /// Where.
        position: Position,
        /// The group it stands in.
        group: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Environment(variable) => formatter.write_str(variable),
            Origin::ConfigFile(position) | Origin::DefaultsFile { position, .. } => position.fmt(formatter),
        }
    }
}

impl Origin {
    /// The same with what it is: `environment XB_WAIT`.
    pub(super) fn describe(&self) -> String {
        match self {
            Origin::Environment(variable) => format!("environment {variable}"),
            Origin::ConfigFile(position) => position.to_string(),
            Origin::DefaultsFile { position, group } => format!("defaults-file {position} [{group}]"),
        }
    }
}
