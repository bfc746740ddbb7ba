//! Which settings hold: the command line, and then what each layer adds that goes with what is above it.
//!
//! clap is asked, by trying: it knows which of its options exclude or need each other, and nothing of that is written down
//! twice. A try costs a fraction of a millisecond, and there are as many as there are settings.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::OsString;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Command};

use super::error::SettingsError;
use super::layer::{Layer, Setting};
use super::scope::is_guard;

/// Settings to be chosen from, with a command line above them.
pub(super) struct Merge {
    /// The program's definition.
    command: Command,
    /// The same with every value allowed, to see which options go together before values are looked at: a value that is not
    /// used may be wrong.
    shape: Command,
    /// The program's name, and what was typed after it.
    line: Vec<OsString>,
    /// How each option that may be set is shown by clap.
    shown: BTreeMap<String, String>,
}

/// What holds, and what does not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chosen {
    /// What holds besides the command line, from above to below.
    pub(super) taken: Vec<Setting>,
    /// What nothing above says, and yet does not hold.
    pub(super) idle: Vec<Idle>,
}

/// A setting that does not hold, though nothing above it says anything else about its option.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Idle {
    /// The setting.
    pub(super) setting: Setting,
    /// Why.
    pub(super) reason: Reason,
}

/// Why a setting does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// It excludes what stands above it.
    Excluded(String),
    /// It needs what is not given.
    Needs(String),
}

/// How a command line fares.
enum Verdict {
    /// It is right, or a value in it is not: that is looked at later.
    Stands,
    /// An option of it excludes these.
    Excludes(String),
    /// It needs these.
    Lacks(BTreeSet<String>),
}

impl Merge {
    /// One for the program with this definition, and this command line, whose first word is the program's name.
    pub(super) fn new(command: &Command, line: Vec<OsString>) -> Merge {
        let shape = command.clone().mut_args(|arg| match arg.get_action().takes_values() {
            true => arg.value_parser(ValueParser::os_string()),
            false => arg,
        });
        let shown = command.get_arguments().map(|arg| (arg.get_id().to_string(), arg.to_string())).collect();
        Merge { command: command.clone(), shape, line, shown }
    }

    /// What the command line says, even where it lacks something that settings may add.
    ///
    /// # Errors
    /// When it is wrong by itself, or asks for the help or the version.
    pub(super) fn command_line(&self) -> Result<ArgMatches, SettingsError> {
        let parsed = self.command.clone().try_get_matches_from(&self.line);
        match parsed {
            Err(error) if error.kind() != ErrorKind::MissingRequiredArgument => Err(SettingsError::CommandLine(error)),
            Ok(matches) => Ok(matches),
            Err(_) => self
                .command
                .clone()
                .ignore_errors(true)
                .try_get_matches_from(&self.line)
                .map_err(SettingsError::CommandLine),
        }
    }

    /// Chooses from layers, the uppermost first. `given` is what the command line says.
    ///
    /// # Errors
    /// When two options of one layer exclude each other, or a value that holds is wrong.
    pub(super) fn choose(&mut self, layers: Vec<Layer>, given: &BTreeSet<String>) -> Result<Chosen, SettingsError> {
        let mut chosen = Chosen::default();
        let mut layers = VecDeque::from(layers);
        while let Some(layer) = layers.pop_front() {
            let layer = self.beside(&mut chosen, layer, given);
            self.add(&mut chosen, layer, &layers)?;
        }
        self.drop_what_lacks(&mut chosen)?;
        chosen.taken.iter().try_for_each(|setting| self.check(setting))?;
        Ok(chosen)
    }

    /// The command line with what holds besides. Settings come first: what is typed may end with words for another program.
    pub(super) fn whole_line(&self, taken: &[Setting]) -> Vec<OsString> {
        let settings = taken.iter().flat_map(Setting::arguments).cloned();
        self.line.iter().take(1).cloned().chain(settings).chain(self.line.iter().skip(1).cloned()).collect()
    }

    /// What a layer says of options that nothing above says anything of, without what does not go with what is above.
    fn beside(&mut self, chosen: &mut Chosen, layer: Layer, given: &BTreeSet<String>) -> Layer {
        let mut kept = Layer::new();
        for setting in layer {
            if given.contains(&setting.id) || chosen.taken.iter().any(|other| other.id == setting.id) {
                continue;
            }
            match self.verdict(&joined(&chosen.taken, &[&setting]), Some(&setting)) {
                Verdict::Excludes(with) => chosen.idle.push(Idle { setting, reason: Reason::Excluded(with) }),
                Verdict::Stands | Verdict::Lacks(_) => kept.push(setting),
            }
        }
        kept
    }

    /// Adds a layer. Two of its options may exclude each other if one is about something that is not done now.
    fn add(&mut self, chosen: &mut Chosen, layer: Layer, below: &VecDeque<Layer>) -> Result<(), SettingsError> {
        if self.conflict(&chosen.taken, &layer).is_none() {
            chosen.taken.extend(layer);
            return Ok(());
        }
        let helpers: Vec<Setting> = layer.iter().chain(below.iter().flatten()).cloned().collect();
        let mut kept = Layer::new();
        for setting in layer {
            match self.needs_in_vain(&chosen.taken, &setting, &helpers) {
                Some(needs) => chosen.idle.push(Idle { setting, reason: Reason::Needs(needs) }),
                None => kept.push(setting),
            }
        }
        match self.conflict(&chosen.taken, &kept) {
            Some(error) => return Err(error),
            None => chosen.taken.extend(kept),
        }
        Ok(())
    }

    /// The first option of a layer that another one of it excludes.
    fn conflict(&mut self, above: &[Setting], layer: &[Setting]) -> Option<SettingsError> {
        (1..=layer.len()).find_map(|count| {
            let newest = &layer[count - 1];
            let Verdict::Excludes(with) = self.verdict(&[above, &layer[..count]].concat(), Some(newest)) else {
                return None;
            };
            Some(SettingsError::Conflict { origin: newest.origin()?.clone(), name: newest.name.clone(), with })
        })
    }

    /// What a setting needs, if neither what is above it nor one of these has it.
    fn needs_in_vain(&mut self, above: &[Setting], setting: &Setting, helpers: &[Setting]) -> Option<String> {
        let base = self.lacking(above);
        let needs = &self.lacking(&joined(above, &[setting])) - &base;
        let is_helped = |helper| match self.verdict(&joined(above, &[setting, helper]), None) {
            Verdict::Stands => true,
            Verdict::Lacks(what) => what.is_subset(&base),
            Verdict::Excludes(_) => false,
        };
        (!needs.is_empty() && !helpers.iter().any(is_helped)).then(|| listed(&needs))
    }

    /// Takes out what needs an option that nobody gives: a file may say how something is done that is not done now.
    ///
    /// # Errors
    /// When what is taken out would leave the connection less safe.
    fn drop_what_lacks(&mut self, chosen: &mut Chosen) -> Result<(), SettingsError> {
        while let Some((index, needs)) = self.find_lacking(&chosen.taken) {
            let setting = chosen.taken.remove(index);
            chosen.idle.push(Idle { setting, reason: Reason::Needs(needs) });
        }
        chosen.idle.iter().try_for_each(Idle::check)
    }

    /// A setting without which something else, or nothing, is lacking, from below. One that gives others what they need is
    /// none: without it more is lacking.
    fn find_lacking(&mut self, taken: &[Setting]) -> Option<(usize, String)> {
        let lacking = self.lacking(taken);
        (0..taken.len()).rev().find_map(|index| {
            let without = self.lacking(&[&taken[..index], &taken[index + 1..]].concat());
            let needs = &lacking - &without;
            (!needs.is_empty()).then(|| (index, listed(&needs)))
        })
    }

    fn lacking(&mut self, taken: &[Setting]) -> BTreeSet<String> {
        match self.verdict(taken, None) {
            Verdict::Lacks(what) => what,
            Verdict::Stands | Verdict::Excludes(_) => BTreeSet::new(),
        }
    }

    /// How the command line fares with these settings, of which one is the newest.
    fn verdict(&mut self, taken: &[Setting], newest: Option<&Setting>) -> Verdict {
        let Err(error) = self.shape.try_get_matches_from_mut(self.whole_line(taken)) else { return Verdict::Stands };
        match error.kind() {
            ErrorKind::ArgumentConflict => Verdict::Excludes(self.others(&error, newest)),
            ErrorKind::MissingRequiredArgument => Verdict::Lacks(strings(error.get(ContextKind::InvalidArg)).collect()),
            _ => Verdict::Stands,
        }
    }

    /// What a conflict is with, as clap writes it.
    fn others(&self, error: &clap::Error, newest: Option<&Setting>) -> String {
        let own = newest.and_then(|setting| self.shown.get(&setting.id));
        let all = [ContextKind::InvalidArg, ContextKind::PriorArg].map(|kind| strings(error.get(kind)));
        all.into_iter().flatten().find(|name| Some(name) != own).unwrap_or_else(|| "another option".to_owned())
    }

    /// Whether the values of a setting are some.
    fn check(&mut self, setting: &Setting) -> Result<(), SettingsError> {
        for said in &setting.said {
            let one = Setting { said: vec![said.clone()], ..setting.clone() };
            let Err(error) = self.command.clone().try_get_matches_from(self.whole_line(&[one])) else { continue };
            if !matches!(error.kind(), ErrorKind::MissingRequiredArgument | ErrorKind::ArgumentConflict) {
                return Err(SettingsError::Wrong { origin: said.origin.clone(), words: words(&error) });
            }
        }
        Ok(())
    }
}

impl Idle {
    /// Refuses to leave out, for want of something, what keeps others from the connection.
    fn check(&self) -> Result<(), SettingsError> {
        match (&self.reason, self.setting.origin()) {
            (Reason::Needs(needs), Some(origin)) if is_guard(&self.setting.name) => Err(SettingsError::Needs {
                origin: origin.clone(),
                name: self.setting.name.clone(),
                needs: needs.clone(),
            }),
            _ => Ok(()),
        }
    }
}

fn joined(settings: &[Setting], more: &[&Setting]) -> Vec<Setting> {
    settings.iter().chain(more.iter().copied()).cloned().collect()
}

fn listed(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(" and ")
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
