//! From the command line to what is done after the commit.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{AfterCommit, Decoded, Place, Preparation, is_any_tool_installed};
use crate::args::Args;
use crate::destination::tenancy;
use crate::disk::shown;
use crate::extract::Tenancy;
use crate::sink::is_command;

/// What was asked for cannot be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// Nobody could prepare anything.
    #[error(
        "--prepare: none of mariadb-backup, mariabackup and xtrabackup is in PATH; install the one that makes the backups"
    )]
    NoTool,
    /// A tool would take what is there for a part of the backup.
    #[error(
        "--prepare: {} is not empty, and what is there would be taken for a part of the backup; give a new or an empty \
         directory",
        shown(.0)
    )]
    NotEmpty(PathBuf),
    /// A device or FIFO is not ours to give away.
    #[error("--owner and --mode are for files that xbrecv makes, and {} is there already", shown(.0))]
    InPlace(PathBuf),
    /// The current directory is gone.
    #[error("the current directory: {0}")]
    NoDirectory(#[from] io::Error),
}

impl AfterCommit {
    /// What `args` ask for. The destination was opened already.
    ///
    /// # Errors
    /// When it certainly cannot be done.
    pub fn requested(args: &Args) -> Result<AfterCommit, RequestError> {
        let (ownership, then) = (args.after.ownership(), args.after.then.clone());
        let place = match (args.directory(), &args.output) {
            (Some(dir), _) => Place::Directory(std::path::absolute(dir)?),
            (None, Some(path)) => Place::File(std::path::absolute(path)?),
            (None, None) => Place::Elsewhere,
        };
        let tenancy = args.directory().map_or(Tenancy::Shared, tenancy);
        let preparation = match (&place, args.after.prepare) {
            (Place::Directory(dir), true) => preparation(dir, tenancy, args.unpack.decoded())?,
            _ => Preparation::None,
        };
        match &place {
            Place::File(path) if !ownership.is_nothing() && is_in_place(path) => {
                Err(RequestError::InPlace(path.clone()))
            }
            _ => Ok(AfterCommit { place, tenancy, preparation, ownership, then }),
        }
    }
}

fn preparation(dir: &Path, tenancy: Tenancy, decoded: Decoded) -> Result<Preparation, RequestError> {
    if tenancy == Tenancy::Shared {
        return Err(RequestError::NotEmpty(dir.into()));
    }
    if !is_any_tool_installed(|tool| is_command(tool.as_ref())) {
        return Err(RequestError::NoTool);
    }
    Ok(Preparation::ByItsTool(decoded))
}

fn is_in_place(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file())
}
