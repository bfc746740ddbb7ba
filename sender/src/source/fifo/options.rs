//! FIFO streams on two command lines: `xbsend`'s own, and that of the tool it runs. Pure.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::FifoError;
use super::gate::refuse_existing;
use crate::source::command::{Tool, tool_of};

/// What the command line of `xbsend` says about FIFO streams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FifoWish {
    /// How many, 1 being the standard output.
    pub streams: Option<u16>,
    /// Where the tool makes them.
    pub dir: Option<PathBuf>,
    /// How long the tool may take to make them.
    pub timeout: Duration,
}

/// FIFO streams to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FifoPlan {
    /// How many, at least 2.
    pub streams: u16,
    /// Where the tool makes them; in a private directory, if nothing was said.
    pub dir: Option<PathBuf>,
    /// How long the tool may take to make them.
    pub timeout: Duration,
}

/// How a command hands over its backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// On its standard output.
    Stdout,
    /// In FIFOs.
    Fifos(FifoPlan),
}

impl Output {
    /// How many streams there are.
    pub fn streams(&self) -> u16 {
        match self {
            Output::Stdout => 1,
            Output::Fifos(plan) => plan.streams,
        }
    }
}

impl Output {
    /// Makes sure that nothing stands in the way.
    ///
    /// # Errors
    /// [`FifoError::Exists`].
    pub(in crate::source) fn preflight(&self) -> Result<(), FifoError> {
        match self {
            Output::Fifos(FifoPlan { dir: Some(dir), streams, .. }) => refuse_existing(dir, *streams),
            _ => Ok(()),
        }
    }

    /// Makes sure that the tool at `path` can do it.
    ///
    /// # Errors
    /// [`FifoError::MariaDb`].
    pub(in crate::source) fn suits(&self, path: &Path) -> Result<(), FifoError> {
        match (self, tool_of(&[path.into()])) {
            (Output::Fifos(_), Some(Tool::MariaDb)) => Err(FifoError::MariaDb),
            _ => Ok(()),
        }
    }
}

const STREAMS: &str = "--fifo-streams";
const DIR: &str = "--fifo-dir";

/// How the command of these words will hand over its backup. Of an xtrabackup its own options are believed.
///
/// # Errors
/// A usage error if the two command lines contradict each other, or no FIFOs can come of them.
pub(in crate::source) fn output(words: &[OsString], wish: &FifoWish) -> Result<Output, FifoError> {
    planned(words, tool_of(words), wish)
}

/// The same for the options of the tool that is installed, whichever it is.
pub(in crate::source) fn output_of_tool(options: &[OsString], wish: &FifoWish) -> Result<Output, FifoError> {
    planned(options, Some(Tool::Percona), wish)
}

fn planned(words: &[OsString], tool: Option<Tool>, wish: &FifoWish) -> Result<Output, FifoError> {
    let told = told_streams(words)?;
    let streams = match (wish.streams, told) {
        (Some(ours), Some(theirs)) if ours != theirs => return Err(FifoError::Streams { ours, theirs }),
        (Some(ours), _) => ours,
        (None, Some(theirs)) if tool == Some(Tool::Percona) => theirs,
        _ => 1,
    };
    if streams <= 1 {
        return Ok(Output::Stdout);
    }
    let dir = match (&wish.dir, value(words, DIR).map(PathBuf::from)) {
        (Some(ours), Some(theirs)) if !is_same(ours, &theirs) => {
            return Err(FifoError::Dirs { ours: ours.clone(), theirs });
        }
        (ours, theirs) => ours.clone().or(theirs),
    };
    match (tool, &dir) {
        (Some(Tool::MariaDb), _) => Err(FifoError::MariaDb),
        (None, None) => Err(FifoError::NoDir),
        _ => Ok(Output::Fifos(FifoPlan { streams, dir, timeout: wish.timeout })),
    }
}

/// Adds what the command line of an xtrabackup lacks to make these FIFOs. Other commands are to know by themselves.
pub(in crate::source) fn complete(mut words: Vec<OsString>, streams: u16, dir: &Path) -> Vec<OsString> {
    if tool_of(&words) == Some(Tool::Percona) {
        let lacking = [(STREAMS, OsString::from(streams.to_string())), (DIR, dir.into())];
        for (option, value_to_be) in lacking {
            if value(&words, option).is_none() {
                words.push([OsStr::new(option), OsStr::new("="), &value_to_be].into_iter().collect());
            }
        }
    }
    words
}

fn told_streams(words: &[OsString]) -> Result<Option<u16>, FifoError> {
    let Some(told) = value(words, STREAMS) else { return Ok(None) };
    let number = told.to_str().and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| FifoError::NoNumber { told: told.to_owned() })
}

/// The value of an option, as the tools read them: `--option=VALUE` or `--option VALUE`, `_` as good as `-`, and the last
/// one counts.
fn value<'a>(words: &'a [OsString], option: &str) -> Option<&'a OsStr> {
    let mut found = None;
    for (at, word) in words.iter().enumerate() {
        let bytes = word.as_bytes();
        let (name, inline) = match bytes.iter().position(|byte| *byte == b'=') {
            Some(equals) => (&bytes[..equals], Some(OsStr::from_bytes(&bytes[equals + 1..]))),
            None => (bytes, None),
        };
        let dashed = |byte: &u8| if *byte == b'_' { b'-' } else { *byte };
        if name.iter().map(dashed).eq(option.bytes()) {
            found = inline.or(words.get(at + 1).map(OsString::as_os_str));
        }
    }
    found
}

/// Whether two spellings name one directory.
fn is_same(ours: &Path, theirs: &Path) -> bool {
    ours == theirs || ours.canonicalize().is_ok_and(|ours| theirs.canonicalize().is_ok_and(|theirs| ours == theirs))
}

#[cfg(test)]
mod tests;
