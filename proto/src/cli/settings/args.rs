//! The options about settings themselves.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Which settings are read, and whether they are only shown.
#[derive(Args, Clone, Debug, Default)]
pub struct SettingsArgs {
    /// Read settings from FILE instead of ~/.config/xb/xb.conf or else /etc/xb/xb.conf
    ///
    /// What is typed holds before the environment (XB_RATE_LIMIT for --rate-limit), that before FILE, and that before
    /// --defaults-file. In FILE, options stand without hyphens in the groups xb, xbsend and xbrecv. /dev/null has none.
    #[arg(long, value_name = "FILE", help_heading = "Settings")]
    pub(super) config: Option<PathBuf>,

    /// Read settings also from the groups xb, and xbsend or xbrecv, of a MySQL option file
    #[arg(long, value_name = "FILE", help_heading = "Settings")]
    pub(super) defaults_file: Option<PathBuf>,

    /// Print every option with its value and where that came from, and do nothing else
    #[arg(
        long,
        value_enum,
        value_name = "FORM",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "table",
        help_heading = "Settings"
    )]
    pub(super) show_config: Option<ShowForm>,
}

/// How settings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ShowForm {
    /// Aligned columns, for people
    Table,
    /// One JSON document, for programs
    Json,
}
