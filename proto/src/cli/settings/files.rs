//! Files as sources of settings: ours, and MySQL's.

use std::path::Path;

use super::disk::Disk;
use super::error::{FileError, SettingsError};
use super::known::{Given, Options};
use super::layer::{Layer, add};
use super::name::{WhenUnknown, Wish, Written};
use super::option_file::{Entry, ReadError, read};
use super::origin::Origin;
use super::scope::Scope;

/// The group for both programs.
const BOTH: &str = "xb";

/// The groups of each.
const EACH: [&str; 2] = ["xbsend", "xbrecv"];

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Ours alone: a group that we do not know is a mistake.
    Us,
    /// MySQL's: most groups are other programs'.
    MySql,
}

/// What a file says, as far as it is for this program. What comes later holds.
///
/// # Errors
/// When it cannot be read, or says to this program what means nothing.
pub(super) fn layer(options: &Options, path: &Path, owner: Owner, disk: &mut Disk) -> Result<Layer, SettingsError> {
    let mut layer = Layer::new();
    for entry in read(path, disk)? {
        if is_for(&options.program, &entry.group) {
            take(&mut layer, options, &entry, owner)?;
        } else if owner == Owner::Us && !EACH.contains(&entry.group.as_str()) {
            return Err(SettingsError::Group { origin: Origin::ConfigFile(entry.position), group: entry.group });
        }
    }
    Ok(layer)
}

fn is_for(program: &str, group: &str) -> bool {
    group == BOTH || group == program
}

fn take(layer: &mut Layer, options: &Options, entry: &Entry, owner: Owner) -> Result<(), SettingsError> {
    let (written, origin) = (Written::new(&entry.name), origin(entry, owner));
    match options.find(&written) {
        None if written.when_unknown == WhenUnknown::Ignore => Ok(()),
        None => Err(unknown(options, entry, &written, origin)),
        Some((known, _)) if !known.scope.has_files() => {
            let place = match known.scope {
                Scope::Environment => "the command line or the environment",
                _ => "the command line",
            };
            Err(SettingsError::Place { origin, name: known.name.clone(), place })
        }
        Some((known, wish)) => {
            let given = match (wish, &entry.value) {
                (Wish::Skip, _) => Given::Skip,
                (Wish::Have, None) => Given::Bare,
                (Wish::Have, Some(value)) => Given::Value(value.clone()),
            };
            add(layer, known, &given, origin)
        }
    }
}

fn origin(entry: &Entry, owner: Owner) -> Origin {
    match owner {
        Owner::Us => Origin::ConfigFile(entry.position.clone()),
        Owner::MySql => Origin::DefaultsFile { position: entry.position.clone(), group: entry.group.clone() },
    }
}

fn unknown(options: &Options, entry: &Entry, written: &Written, origin: Origin) -> SettingsError {
    let (program, name) = (options.program.clone(), entry.name.clone());
    let nearest = options.nearest(&written.name).map(str::to_owned);
    match entry.group.as_str() {
        // Its programs do not know each other, so that neither can tell a slip from an option of the other.
        BOTH => SettingsError::NotForBoth { origin, program, name, nearest },
        _ => SettingsError::Unknown { origin, program, name, nearest },
    }
}

impl From<ReadError<FileError>> for SettingsError {
    fn from(error: ReadError<FileError>) -> SettingsError {
        match error {
            ReadError::Line(position, error) => SettingsError::Line { position, error },
            ReadError::File(error) => SettingsError::File(error),
            ReadError::Included(position, error) => SettingsError::Included { position, error },
            ReadError::TooMany(position) => SettingsError::TooMany(position),
        }
    }
}
