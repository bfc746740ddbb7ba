//! What a program's own definition of its command line says of its options. Nothing is listed twice: an option that is added there
//! is a setting here.

use std::ffi::{OsStr, OsString};

use clap::{Arg, ArgAction, Command};

use super::error::GivenError;
use super::name::{Wish, Written, nearest};
use super::scope::Scope;

/// The options of a program.
#[derive(Debug)]
pub(super) struct Options {
    /// The program.
    pub(super) program: String,
    /// In the order of the help.
    pub(super) all: Vec<Known>,
}

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// clap's name of it.
    pub(super) id: String,
    /// The long one, without hyphens before it; of an argument without one, that of the field.
    pub(super) name: String,
    /// What it takes.
    pub(super) takes: Takes,
    /// Whether all values hold, or the last one.
    pub(super) holds: Holds,
    /// Where it may be set.
    pub(super) scope: Scope,
}

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing.
    Nothing,
    /// A value, or none.
    MaybeValue,
    /// A value.
    Value,
    /// It is a value itself, and has no name on the command line.
    Place,
}

/// Which values of an option hold when several are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// The last.
    Last,
    /// All of them.
    All,
}

/// What somebody has written for an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// Its name alone.
    Bare,
    /// A value.
    Value(OsString),
    /// That it is not wanted.
    Skip,
}

impl Options {
    /// The options of a program that is built.
    pub(super) fn of(command: &Command) -> Options {
        let all = command.get_arguments().filter(|arg| !only_tells(arg)).map(Known::of).collect();
        Options { program: command.get_name().to_owned(), all }
    }

    /// The option that a file means by this name, and whether it is wanted.
    pub(super) fn find(&self, written: &Written) -> Option<(&Known, Wish)> {
        let named = |name: &str| self.all.iter().find(|known| known.name == name);
        named(&written.whole).map(|known| (known, Wish::Have)).or_else(|| Some((named(&written.name)?, written.wish)))
    }

    /// A name that may stand in a file, and is much like this one.
    pub(super) fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.all.iter().filter(|known| known.scope.has_files()).map(|known| known.name.as_str()))
    }
}

impl Known {
    fn of(arg: &Arg) -> Known {
        let id = arg.get_id().to_string();
        let name = arg.get_long().map_or_else(|| id.replace('_', "-"), str::to_owned);
        let least = arg.get_num_args().map_or(1, |range| range.min_values());
        let takes = match (arg.get_action().takes_values(), least) {
            (false, _) => Takes::Nothing,
            _ if arg.is_positional() => Takes::Place,
            (true, 0) => Takes::MaybeValue,
            (true, _) => Takes::Value,
        };
        let holds = if matches!(arg.get_action(), ArgAction::Append) { Holds::All } else { Holds::Last };
        Known { scope: Scope::of(&name), id, name, takes, holds }
    }

    /// What is given, as an argument; nothing, if the option is not wanted.
    ///
    /// # Errors
    /// When it cannot be told from other arguments, or means nothing for this option.
    pub(super) fn argument(&self, given: &Given) -> Result<Option<OsString>, GivenError> {
        let option = || OsString::from(format!("--{}", self.name));
        match (self.takes, given) {
            (_, Given::Skip) => Ok(None),
            (Takes::Nothing, Given::Value(value)) => Ok(yes(value)?.then(option)),
            (Takes::Nothing | Takes::MaybeValue, Given::Bare) => Ok(Some(option())),
            (Takes::Value | Takes::Place, Given::Bare) => Err(GivenError::NoValue),
            (Takes::Place, Given::Value(value)) if is_option(value) => Err(GivenError::LikeAnOption(value.clone())),
            (Takes::Place, Given::Value(value)) => Ok(Some(value.clone())),
            (Takes::MaybeValue | Takes::Value, Given::Value(value)) => {
                let mut argument = option();
                argument.push("=");
                argument.push(value);
                Ok(Some(argument))
            }
        }
    }
}

/// Whether an argument makes clap tell something, and nothing else.
fn only_tells(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version)
}

fn is_option(value: &OsStr) -> bool {
    value.as_encoded_bytes().starts_with(b"-")
}

/// What the value of a switch says.
fn yes(value: &OsStr) -> Result<bool, GivenError> {
    match value.to_string_lossy().to_ascii_lowercase().as_str() {
        "1" | "true" | "on" => Ok(true),
        "0" | "false" | "off" => Ok(false),
        _ => Err(GivenError::NoSwitch(value.to_owned())),
    }
}
