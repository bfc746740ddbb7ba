//! Settings: what a program is told beside its command line.
//!
//! What is typed holds before the environment (`XB_RATE_LIMIT` for `--rate-limit`), that before one file (the one of
//! `--config`, else the user's, else the system's), and that before the groups for our programs in a MySQL option file
//! (`--defaults-file`). clap's definition of a program is all there is to know about its options, so that an option that is added
//! there is a setting at once.
//!
//! | module | owns |
//! |---|---|
//! | `option_file` | files as MySQL has them: lines in, entries with file and line out; pure |
//! | `name` `scope` `known` | what options are called where; which may be set where; what a program's definition says of them |
//! | `origin` `layer` | where a setting comes from; all that one source says |
//! | `environment` `files` `disk` | the sources; which files there are, and whether they can be trusted |
//! | `merge` `trial` | what holds; what clap says of it |
//! | `show` | `--show-config` |
//! | `args` `error` | the options about settings; what can be wrong |

mod args;
mod disk;
mod environment;
mod error;
mod files;
mod known;
mod layer;
mod merge;
mod name;
mod option_file;
mod origin;
mod scope;
mod show;
#[cfg(test)]
mod tests;
mod trial;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches, Parser};

pub use self::args::SettingsArgs;
use self::args::ShowForm;
use self::disk::{Disk, SYSTEM_FILE};
use self::environment::Environment;
use self::error::SettingsError;
use self::files::Owner;
use self::known::Options;
use self::layer::Layer;
use self::merge::{Chosen, choose};
pub use self::scope::TOLD;
use self::show::Shown;
use self::trial::Trial;
use super::Event;

/// A program's arguments, from all sources.
#[derive(Debug)]
pub struct Settled<A> {
    /// The arguments.
    pub args: A,
    /// What is to be told about their sources, once something can be told.
    pub notes: Vec<Event>,
}

/// The arguments of this process: its command `line`, the name of the program first, and the settings of its environment and files.
/// Everything that ends it here, the help, `--show-config` and errors, is printed.
///
/// # Errors
/// What the process is to end with.
pub fn parse<A: Parser>(line: Vec<OsString>) -> Result<Settled<A>, ExitCode> {
    let surroundings = Surroundings { environment: std::env::vars_os().collect(), system_file: SYSTEM_FILE.into() };
    match settle(line, &surroundings) {
        Ok(Outcome::Run(settled)) => Ok(settled),
        Ok(Outcome::Show(text)) => Err(print(&text)),
        Err(error) => Err(refuse(error)),
    }
}

/// Where a process finds settings.
struct Surroundings {
    environment: Environment,
    system_file: PathBuf,
}

/// What is to be done with the arguments.
#[derive(Debug)]
enum Outcome<A> {
    /// What the program does.
    Run(Settled<A>),
    /// Only this is to be shown.
    Show(String),
}

fn settle<A: Parser>(line: Vec<OsString>, surroundings: &Surroundings) -> Result<Outcome<A>, SettingsError> {
    let mut command = A::command();
    command.build();
    let options = Options::of(&command);
    let mut trial = Trial::new(&command, line);
    let given = trial.command_line()?;
    let mut disk = Disk::default();
    let layers = layers(&options, &given, surroundings, &mut disk)?;
    let chosen = choose(&mut trial, layers, &typed(&options, &given))?;
    if let Some(form) = show_form(&given) {
        return Ok(Outcome::Show(
            Shown::new(&options, &given, &chosen, disk.config.as_deref(), &surroundings.environment).text(form),
        ));
    }
    let args = A::try_parse_from(trial.whole_line(&chosen.taken)).map_err(SettingsError::CommandLine)?;
    Ok(Outcome::Run(Settled { args, notes: notes(disk, &options, &chosen, surroundings) }))
}

/// What the sources say, the uppermost first.
fn layers(
    options: &Options,
    given: &ArgMatches,
    surroundings: &Surroundings,
    disk: &mut Disk,
) -> Result<Vec<Layer>, SettingsError> {
    let mut environment = environment::layer(options, &surroundings.environment)?;
    let args = SettingsArgs::from_arg_matches(given).map_err(SettingsError::CommandLine)?;
    let named = |typed: Option<PathBuf>, id: &str, layer: &Layer| typed.or_else(|| path(layer, id));
    let config = named(args.config, "config", &environment);
    let defaults = named(args.defaults_file, "defaults_file", &environment);
    disk.named.extend(config.iter().chain(&defaults).cloned());
    let config = match config {
        Some(path) => Some(path),
        None => disk.find(&surroundings.environment, &surroundings.system_file)?,
    };
    disk.config.clone_from(&config);
    let mut layers = Vec::new();
    for (path, owner) in [(config, Owner::Us), (defaults, Owner::MySql)] {
        layers.extend(path.map(|path| files::layer(options, &path, owner, disk)).transpose()?);
    }
    layers.insert(0, std::mem::take(&mut environment));
    Ok(layers)
}

/// The path that a layer has for an option.
fn path(layer: &Layer, id: &str) -> Option<PathBuf> {
    let setting = layer.iter().find(|setting| setting.id == id)?;
    setting.said.last().map(|said| PathBuf::from(&said.value))
}

/// The options on the command line.
fn typed(options: &Options, given: &ArgMatches) -> BTreeSet<String> {
    let is_typed = |id: &str| given.value_source(id) == Some(ValueSource::CommandLine);
    options.all.iter().filter(|known| is_typed(&known.id)).map(|known| known.id.clone()).collect()
}

fn show_form(given: &ArgMatches) -> Option<ShowForm> {
    SettingsArgs::from_arg_matches(given).ok().and_then(|args| args.show_config)
}

fn notes(disk: Disk, options: &Options, chosen: &Chosen, surroundings: &Surroundings) -> Vec<Event> {
    let idle = chosen.idle.iter().map(|idle| format!("a setting is not used: {}", idle.words()));
    let details = environment::strangers(options, &surroundings.environment).into_iter().chain(idle);
    disk.warnings.into_iter().map(Event::Warning).chain(details.map(Event::Detail)).collect()
}

fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Prints an error as clap does, and says what to end with. The help and the version are such errors, too.
fn refuse(error: SettingsError) -> ExitCode {
    let error = match error {
        SettingsError::CommandLine(error) => error,
        other => clap::Error::raw(ErrorKind::ValueValidation, format!("{other}\n")),
    };
    // Nobody may be listening.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1))
}
