//! The environment as a source of settings: `XB_RATE_LIMIT` is `--rate-limit`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::error::SettingsError;
use super::known::{Given, Known, Options};
use super::layer::{Layer, add};
use super::name::{PREFIX, nearest, variable};
use super::origin::Origin;
use super::scope::TOLD;
use crate::process::{FILE_KEY_VARIABLE, KEY_VARIABLE};

/// The environment of a process.
pub(super) type Environment = BTreeMap<OsString, OsString>;

/// What the environment says. A variable that is empty says nothing, as for a shell's `${XB_WAIT:-6h}`.
///
/// # Errors
/// When a value means nothing for its option.
pub(super) fn layer(options: &Options, environment: &Environment) -> Result<Layer, SettingsError> {
    let mut layer = Layer::new();
    for known in options.all.iter().filter(|known| known.scope.has_environment()) {
        let variable = variable(&known.name);
        if let Some(value) = said(environment, &variable) {
            add(&mut layer, known, &Given::Value(value.to_owned()), Origin::Environment(variable))?;
        }
    }
    Ok(layer)
}

/// The value of a variable that is set and not empty.
pub(super) fn said<'a>(environment: &'a Environment, variable: &str) -> Option<&'a OsStr> {
    environment.get(OsStr::new(variable)).filter(|value| !value.is_empty()).map(OsString::as_os_str)
}

/// Words about the variables that begin as ours do and are none: others use such names too, so they are no error.
pub(super) fn strangers(options: &Options, environment: &Environment) -> Vec<String> {
    let set = environment.keys().filter_map(|name| name.to_str()).filter(|name| name.starts_with(PREFIX));
    let ours: Vec<String> =
        options.all.iter().filter(|known| is_variable(known)).map(|known| variable(&known.name)).collect();
    let strange = set.filter(|name| !ours.iter().any(|ours| ours == name) && !is_spoken_for(name));
    let words = |name: &str| {
        let meant = nearest(name, ours.iter().map(String::as_str));
        let meant = meant.map(|meant| format!("; is {meant} meant?")).unwrap_or_default();
        format!("the environment variable {name} is no setting of {}, and is ignored{meant}", options.program)
    };
    strange.map(words).collect()
}

fn is_variable(known: &Known) -> bool {
    known.scope.has_environment()
}

/// Whether a variable of ours is something else than a setting.
fn is_spoken_for(name: &str) -> bool {
    let is_told =
        TOLD.iter().any(|told| name.strip_prefix(told).is_some_and(|rest| rest.is_empty() || rest.starts_with('_')));
    is_told || [KEY_VARIABLE, FILE_KEY_VARIABLE].contains(&name)
}
