//! clap, asked by trying: it knows which of its options exclude or need each other, and nothing of that is written down twice.
//! A try costs a fraction of a millisecond, and there are as many as there are settings.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Command};

use super::error::SettingsError;
use super::layer::Setting;

/// A program's definition, and a command line to be tried with settings.
pub(super) struct Trial {
    /// The definition.
    command: Command,
    /// The same with every value allowed, to see which options go together before values are looked at: a value that is not
    /// used may be wrong.
    shape: Command,
    /// The program's name, and what was typed after it.
    line: Vec<OsString>,
}

/// How a command line fares.
pub(super) enum Verdict {
    /// It is right, or a value in it is not: that is looked at later.
    Stands,
    /// An option of it excludes this one, as clap writes it.
    Excludes(String),
    /// It needs these.
    Lacks(BTreeSet<String>),
}

impl Trial {
    /// One of the program with this definition, and this command line, whose first word is the program's name.
    pub(super) fn new(command: &Command, line: Vec<OsString>) -> Trial {
        let shape = command.clone().mut_args(|arg| match arg.get_action().takes_values() {
            true => arg.value_parser(ValueParser::os_string()),
            false => arg,
        });
        Trial { command: command.clone(), shape, line }
    }

    /// What the command line says, even where it lacks something that settings may add.
    ///
    /// # Errors
    /// When it is wrong by itself, or asks for the help or the version.
    pub(super) fn command_line(&self) -> Result<ArgMatches, SettingsError> {
        let parse = |command: Command| command.try_get_matches_from(&self.line);
        let matches = parse(self.command.clone()).or_else(|error| match error.kind() {
            ErrorKind::MissingRequiredArgument => parse(self.command.clone().ignore_errors(true)),
            _ => Err(error),
        });
        matches.map_err(SettingsError::CommandLine)
    }

    /// The command line with settings. They come first: what is typed may end with words for another program.
    pub(super) fn whole_line(&self, settings: &[Setting]) -> Vec<OsString> {
        let settings = settings.iter().flat_map(Setting::arguments).cloned();
        self.line.iter().take(1).cloned().chain(settings).chain(self.line.iter().skip(1).cloned()).collect()
    }

    /// How the command line fares with these settings, of which `newest` is the one that is being tried.
    pub(super) fn verdict(&mut self, settings: &[Setting], newest: Option<&Setting>) -> Verdict {
        let Err(error) = self.shape.try_get_matches_from_mut(self.whole_line(settings)) else { return Verdict::Stands };
        match error.kind() {
            ErrorKind::ArgumentConflict => Verdict::Excludes(self.other(&error, newest)),
            ErrorKind::MissingRequiredArgument => Verdict::Lacks(strings(error.get(ContextKind::InvalidArg)).collect()),
            _ => Verdict::Stands,
        }
    }

    /// What the command line lacks with these settings.
    pub(super) fn lacking(&mut self, settings: &[Setting]) -> BTreeSet<String> {
        match self.verdict(settings, None) {
            Verdict::Lacks(what) => what,
            Verdict::Stands | Verdict::Excludes(_) => BTreeSet::new(),
        }
    }

    /// Whether the values of a setting are some.
    ///
    /// # Errors
    /// What clap says of the first that is none.
    pub(super) fn check(&self, setting: &Setting) -> Result<(), SettingsError> {
        for said in &setting.said {
            let one = Setting { said: vec![said.clone()], ..setting.clone() };
            let Err(error) = self.command.clone().try_get_matches_from(self.whole_line(&[one])) else { continue };
            if !matches!(error.kind(), ErrorKind::MissingRequiredArgument | ErrorKind::ArgumentConflict) {
                return Err(SettingsError::Wrong { origin: said.origin.clone(), words: words(&error) });
            }
        }
        Ok(())
    }

    /// The option of a setting, as clap writes it.
    pub(super) fn written(&self, setting: &Setting) -> Option<String> {
        let arg = self.command.get_arguments().find(|arg| arg.get_id() == setting.id.as_str());
        arg.map(ToString::to_string)
    }

    /// The name of the option that clap writes so.
    pub(super) fn name(&self, written: &str) -> Option<&str> {
        self.command.get_arguments().find(|arg| arg.to_string() == written).and_then(Arg::get_long)
    }

    /// What a conflict is with.
    fn other(&self, error: &clap::Error, newest: Option<&Setting>) -> String {
        let own = newest.and_then(|setting| self.written(setting));
        let all = [ContextKind::InvalidArg, ContextKind::PriorArg].map(|kind| strings(error.get(kind)));
        let other = all.into_iter().flatten().find(|name| Some(name) != own.as_ref());
        other.unwrap_or_else(|| "another option".to_owned())
    }
}

fn strings(value: Option<&ContextValue>) -> impl Iterator<Item = String> {
    let strings = match value {
        Some(ContextValue::String(one)) => vec![one.clone()],
        Some(ContextValue::Strings(several)) => several.clone(),
        _ => Vec::new(),
    };
    strings.into_iter()
}

/// What clap says, without what it adds for a command line.
fn words(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let ends = ["\n\nUsage:", "\n\nFor more information"].map(|end| text.find(end).unwrap_or(text.len()));
    text[..ends.into_iter().min().unwrap_or(text.len())].trim_end().to_owned()
}
