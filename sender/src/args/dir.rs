//! A directory as the source.

use std::path::PathBuf;

use clap::Args;

/// The option for a directory.
#[derive(Args, Debug)]
#[command(next_help_heading = "Source")]
pub(super) struct DirArgs {
    /// Send the files of DIR, as xbstream -c would; means --expect xbstream unless said otherwise
    ///
    /// Nothing may write there meanwhile. Holes in files arrive as holes: such files need an xbrecv or Percona's xbstream
    /// to unpack them, MariaDB's mbstream cannot. Anything but files and directories is refused.
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
}
