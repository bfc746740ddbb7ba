//! What can be wrong with settings: every error names where they are from.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::known::Known;
use super::option_file::{LineError, Position};
use super::origin::Origin;

/// Why the settings are refused. All of it is wrong usage.
#[derive(Debug, thiserror::Error)]
pub(super) enum SettingsError {
    /// The command line alone is wrong, or asks for the help.
    #[error(transparent)]
    CommandLine(clap::Error),
    /// A value is none.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// clap has a fault to find with it.
    #[error("{origin}: {words}")]
    Wrong {
        /// Where.
        origin: Origin,
        /// What clap says.
        words: String,
    },
    /// Two options of one source exclude each other.
    #[error("{origin}: {name} does not go with {with}")]
    Conflict {
        /// Where one of them stands.
        origin: Origin,
        /// What it is.
        name: String,
        /// The other.
        with: String,
    },
    /// An option that makes the connection safe does not go with what stands above it.
    #[error(
        "{origin}: {name} does not go with {with} ({above}), and is not left out: it says who may be at the other end; give one of them"
    )]
    Unguarded {
        /// Where it stands.
        origin: Origin,
        /// What it is.
        name: String,
        /// The other.
        with: String,
        /// Where that stands.
        above: String,
    },
    /// An option that makes the connection safe needs another one.
    #[error("{origin}: {name} needs {needs}")]
    Needs {
        /// Where it stands.
        origin: Origin,
        /// What it is.
        name: String,
        /// The other.
        needs: String,
    },
    /// There is no such option.
    #[error("{origin}: {program} has no option {name}{}", proposed(nearest))]
    Unknown {
        /// Where.
        origin: Origin,
        /// The program.
        program: String,
        /// As it is written.
        name: String,
        /// One that may have been meant.
        nearest: Option<String>,
    },
    /// One of the group for both programs is not for both.
    #[error(
        "{origin}: {program} has no option {name}: what only one program knows belongs in its own group{}",
        proposed(nearest)
    )]
    NotForBoth {
        /// Where.
        origin: Origin,
        /// The program.
        program: String,
        /// As it is written.
        name: String,
        /// One that may have been meant.
        nearest: Option<String>,
    },
    /// A file of ours has a group that nobody reads.
    #[error("{origin}: nobody reads the group [{group}]; there are [xb], [xbsend] and [xbrecv]")]
    Group {
        /// Its first option.
        origin: Origin,
        /// The group.
        group: String,
    },
    /// The option may not be set here.
    #[error("{origin}: {name} cannot be set in a file: it is for {place}")]
    Place {
        /// Where.
        origin: Origin,
        /// The option.
        name: String,
        /// Where it may be given.
        place: &'static str,
    },
    /// A line of a file is not understood.
    #[error("{position}: {error}")]
    Line {
        /// Which.
        position: Position,
        /// What is expected.
        error: LineError,
    },
    /// A file cannot be had.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file that another one includes cannot be had.
    #[error("{position}: {error}")]
    Included {
        /// Where it is named.
        position: Position,
        /// Why.
        error: FileError,
    },
    /// Files include each other.
    #[error("{0}: files include each other too deep, or too many of them")]
    TooMany(Position),
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    /// The system refuses.
    #[error("reading the settings in {}: {error}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is no file of settings.
    #[error("reading the settings in {}: it has more than {limit} bytes", path.display())]
    Long {
        /// Which.
        path: PathBuf,
        /// What is allowed.
        limit: u64,
    },
    /// Everybody on the host may write it, or into it.
    #[error(
        "the settings in {} are not read: everybody may write there (mode {mode:04o}), and settings name commands to run; run chmod o-w {}",
        path.display(), path.display()
    )]
    Exposed {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It belongs to somebody else, and nobody has said that it is to be read all the same.
    #[error(
        "the settings in {} are not read: the user with number {owner} may change them, and settings name commands to run; make them root's or yours (chown), or name that file with --config or --defaults-file",
        path.display()
    )]
    Foreign {
        /// Which.
        path: PathBuf,
        /// Its owner.
        owner: u32,
    },
}

impl FileError {
    pub(super) fn read(path: &Path, error: io::Error) -> FileError {
        FileError::Read { path: path.to_owned(), error }
    }
}

/// What is given means nothing for its option.
#[derive(Debug, thiserror::Error)]
#[error("{origin}: {name}: {error}")]
pub(super) struct Refused {
    origin: Origin,
    name: String,
    error: GivenError,
}

impl Refused {
    pub(super) fn new(origin: &Origin, known: &Known, error: GivenError) -> Refused {
        Refused { origin: origin.clone(), name: known.name.clone(), error }
    }
}

/// Why a value is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum GivenError {
    /// An option that takes a value has none.
    #[error("a value is needed, as in NAME = VALUE")]
    NoValue,
    /// A switch is neither on nor off.
    #[error("expected 1, 0, true, false, on or off, found {0:?}")]
    NoSwitch(OsString),
    /// A value would be taken for an option.
    #[error("expected a value that does not begin with a hyphen, found {0:?}")]
    LikeAnOption(OsString),
}

fn proposed(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!("; is {name} meant?")).unwrap_or_default()
}
