//! One source of settings: what it says of each option.

use std::ffi::OsString;

use super::error::{Refused, SettingsError};
use super::known::{Given, Holds, Known};
use super::origin::Origin;

/// What one source says, an option to an element.
pub(super) type Layer = Vec<Setting>;

/// What one source says of one option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    /// clap's name of the option.
    pub(super) id: String,
    /// Its own.
    pub(super) name: String,
    /// What holds of what was said, in order; never nothing.
    pub(super) said: Vec<Said>,
}

/// One thing that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    /// As an argument; nothing if the option is not wanted.
    pub(super) argument: Option<OsString>,
    /// As it is shown.
    pub(super) value: OsString,
    /// Where.
    pub(super) origin: Origin,
}

impl Setting {
    /// The arguments that say the same.
    pub(super) fn arguments(&self) -> impl Iterator<Item = &OsString> {
        self.said.iter().filter_map(|said| said.argument.as_ref())
    }

    /// Where it was said last.
    pub(super) fn origin(&self) -> Option<&Origin> {
        self.said.last().map(|said| &said.origin)
    }

    /// What was said, as it is shown.
    pub(super) fn value(&self) -> String {
        let values: Vec<_> = self.said.iter().map(|said| said.value.to_string_lossy()).collect();
        values.join(", ")
    }
}

/// Adds what was said to a layer. Of an option that is not repeatable, the last word holds.
///
/// # Errors
/// When it means nothing for this option.
pub(super) fn add(layer: &mut Layer, known: &Known, given: &Given, origin: Origin) -> Result<(), SettingsError> {
    let argument = known.argument(given);
    let argument = argument.map_err(|error| Refused::new(&origin, known, error))?;
    let value = match (given, &argument) {
        (Given::Value(value), Some(_)) => value.clone(),
        (_, Some(_)) => "true".into(),
        (_, None) => "false".into(),
    };
    let said = Said { argument, value, origin };
    match layer.iter_mut().find(|setting| setting.id == known.id) {
        None => layer.push(Setting { id: known.id.clone(), name: known.name.clone(), said: vec![said] }),
        Some(before) if known.holds == Holds::All && adds_up(before, &said) => before.said.push(said),
        Some(before) => before.said = vec![said],
    }
    Ok(())
}

/// Whether something stands beside what was said before, rather than in its place.
fn adds_up(before: &Setting, said: &Said) -> bool {
    said.argument.is_some() && before.said.iter().all(|said| said.argument.is_some())
}
