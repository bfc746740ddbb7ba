//! Options for a stream that is stored on this host, and needs no network.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::modes::SESSION;

/// Where a stored stream is, and what is to be done with it.
#[derive(Args, Clone, Debug, Default)]
pub struct LocalArgs {
    /// Read the stream from FILE, or from standard input if FILE is -, instead of the network
    ///
    /// Given more than once, the files are the streams of one backup, read in parallel. If FILE.sha1 stands beside FILE,
    /// as xbrecv -o writes it, the SHA-1 is compared, and nothing is unpacked if it differs.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "generate_key",
        conflicts_with_all = SESSION,
        help_heading = "Stored stream"
    )]
    pub from: Vec<PathBuf>,

    /// Tell what is in the stream of --from: every file with its size, as a table or as JSON
    ///
    /// What the stream sends again, renames or removes is resolved: listed is what unpacking would leave. SIZE is the
    /// length of the unpacked file, STORED the bytes of it that are in the stream, HOLES what reads as zeros. A file that
    /// the backup tool has compressed or encrypted is listed as that file.
    #[arg(
        long,
        value_enum,
        value_name = "FORM",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "table",
        requires = "from",
        conflicts_with_all = SESSION,
        help_heading = "Stored stream"
    )]
    pub list: Option<ListForm>,

    /// Check all that can be checked of the stream of --from, and write nothing
    ///
    /// Every chunk, its CRC, the name, the order and the end of every file, what a backup closes with (see --expect), and
    /// FILE.sha1 if it stands beside FILE; with --decompress and --decrypt, also what is in the files. A stream that passes
    /// can be unpacked with the same options into an empty directory.
    #[arg(long, requires = "from", conflicts_with_all = SESSION, help_heading = "Stored stream")]
    pub verify: bool,

    /// How much is required of the stream of --from: a whole backup, or any well-formed xbstream
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "WHAT",
        requires = "from",
        conflicts_with_all = ["list", "generate_key"],
        conflicts_with_all = SESSION,
        help_heading = "Stored stream"
    )]
    pub expect: Whole,
}

/// What a stored stream must be. One that is neither cannot be unpacked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Whole {
    /// An xbstream that holds the closing metadata and redo files of a backup
    #[default]
    Backup,
    /// An xbstream whose chunks and files are whole
    Xbstream,
}

/// How a listing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListForm {
    /// Aligned columns, for people
    Table,
    /// One JSON document, for programs
    Json,
}
