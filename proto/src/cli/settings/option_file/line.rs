//! What one line of an option file says.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::value::{unescaped, unquoted, without_comment};

/// A line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Empty, or a comment.
    Nothing,
    /// `[group]`: what follows belongs to it.
    Group(String),
    /// `!include FILE`.
    Include(PathBuf),
    /// `!includedir DIR`: its files `*.cnf`.
    IncludeDir(PathBuf),
    /// `name` or `name = value`.
    Entry(String, Option<OsString>),
}

/// A line says nothing that could be understood. Its text is not repeated: somebody may have named a file with a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(in super::super) enum LineError {
    /// `[group` without `]`.
    #[error("expected ] at the end of the name of a group")]
    OpenGroup,
    /// `!` and something else than the two that exist.
    #[error("expected !include FILE or !includedir DIR after the !")]
    Directive,
    /// `= value`.
    #[error("expected the name of an option before the =")]
    NoName,
    /// An option before the first group.
    #[error("expected a group such as [xb] before the first option")]
    NoGroup,
}

/// Reads one line, which ends where its bytes do.
pub(super) fn line(bytes: &[u8]) -> Result<Line, LineError> {
    match bytes.trim_ascii() {
        [] | [b'#' | b';', ..] => Ok(Line::Nothing),
        [b'[', rest @ ..] => group(rest),
        [b'!', rest @ ..] => directive(rest),
        rest => entry(without_comment(rest)),
    }
}

fn group(rest: &[u8]) -> Result<Line, LineError> {
    let end = rest.iter().position(|byte| *byte == b']').ok_or(LineError::OpenGroup)?;
    Ok(Line::Group(text(rest[..end].trim_ascii())))
}

fn directive(rest: &[u8]) -> Result<Line, LineError> {
    let end = rest.iter().position(u8::is_ascii_whitespace).ok_or(LineError::Directive)?;
    let path = PathBuf::from(std::ffi::OsStr::from_bytes(rest[end..].trim_ascii()));
    match &rest[..end] {
        b"include" => Ok(Line::Include(path)),
        b"includedir" => Ok(Line::IncludeDir(path)),
        _ => Err(LineError::Directive),
    }
}

fn entry(rest: &[u8]) -> Result<Line, LineError> {
    let (name, value) = match rest.iter().position(|byte| *byte == b'=') {
        Some(end) => (&rest[..end], Some(unescaped(unquoted(rest[end + 1..].trim_ascii())))),
        None => (rest, None),
    };
    match name.trim_ascii() {
        [] => Err(LineError::NoName),
        name => Ok(Line::Entry(text(name), value.map(OsString::from_vec))),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
