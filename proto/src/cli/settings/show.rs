//! `--show-config`: every option, its value, and where that came from.

use std::ffi::OsStr;
use std::fmt::Write;
use std::path::Path;

use clap::ArgMatches;
use clap::parser::ValueSource;
use serde_json::{Value, json};

use super::args::ShowForm;
use super::environment::{Environment, said};
use super::known::{Known, Options};
use super::layer::Setting;
use super::merge::{Chosen, Idle, Reason};
use crate::cli::printable;
use crate::process::{FILE_KEY_VARIABLE, KEY_VARIABLE};

/// What stands where there is no value.
const NO_VALUE: &str = "-";

/// The keys that come through the environment, and the option that a program has if it takes one.
const SECRETS: [(&str, &str); 2] = [(KEY_VARIABLE, "key-file"), (FILE_KEY_VARIABLE, "encrypt-key-file")];

/// The settings of a program, to be shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Shown {
    rows: Vec<Row>,
    /// What was said, and does not hold.
    idle: Vec<String>,
}

/// A value of an option.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    option: String,
    value: Option<String>,
    source: String,
}

impl Shown {
    /// Puts together what the command line says, what was chosen besides, and the defaults; `config` is the file that is read.
    pub(super) fn new(
        options: &Options,
        given: &ArgMatches,
        chosen: &Chosen,
        config: Option<&Path>,
        environment: &Environment,
    ) -> Shown {
        let rows = options.all.iter().filter(|known| known.name != "show-config");
        let rows = rows.flat_map(|known| match chosen.taken.iter().find(|setting| setting.id == known.id) {
            Some(setting) => of_setting(setting),
            None => of_command_line(known, given, config.filter(|_| known.name == "config")),
        });
        let has = |option: &str| options.all.iter().any(|known| known.name == option);
        let secrets =
            SECRETS.iter().filter(|(_, option)| has(option)).map(|(variable, _)| secret(variable, environment));
        Shown { rows: rows.chain(secrets).collect(), idle: chosen.idle.iter().map(Idle::words).collect() }
    }

    /// In the form that is asked for, with a line end.
    pub(super) fn text(&self, form: ShowForm) -> String {
        match form {
            ShowForm::Table => self.table(),
            ShowForm::Json => format!("{:#}\n", self.json()),
        }
    }

    fn table(&self) -> String {
        let cells = self.rows.iter().map(Row::cells);
        let cells: Vec<_> = std::iter::once(["option", "value", "source"].map(str::to_owned)).chain(cells).collect();
        let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let (first, second) = (width(0), width(1));
        let mut text = String::new();
        for [option, value, source] in &cells {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{option:first$}  {value:second$}  {source}");
        }
        self.idle.iter().for_each(|words| text.extend(["not used: ", words, "\n"]));
        text
    }

    fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| json!({"option": row.option, "value": row.value, "source": row.source}));
        json!({"options": rows.collect::<Vec<_>>(), "not_used": self.idle})
    }
}

impl Row {
    fn cells(&self) -> [String; 3] {
        let value = self.value.as_deref().map_or(NO_VALUE.into(), printable);
        [self.option.clone(), value.into_owned(), printable(&self.source).into_owned()]
    }
}

impl Idle {
    /// What does not hold, and why.
    pub(super) fn words(&self) -> String {
        let origin = self.setting.origin().map(|origin| origin.describe()).unwrap_or_default();
        let why = match &self.reason {
            Reason::Excluded(other) => format!("it does not go with {other}"),
            Reason::Needs(others) => format!("it needs {others}"),
        };
        printable(&format!("{} = {} ({origin}): {why}", self.setting.name, self.setting.value())).into_owned()
    }
}

fn of_setting(setting: &Setting) -> Vec<Row> {
    let row = |said: &super::layer::Said| Row {
        option: setting.name.clone(),
        value: Some(text(&said.value)),
        source: said.origin.describe(),
    };
    setting.said.iter().map(row).collect()
}

/// What the command line has of an option; `otherwise` stands where that and its definition have nothing.
fn of_command_line(known: &Known, given: &ArgMatches, otherwise: Option<&Path>) -> Vec<Row> {
    let source = match given.value_source(&known.id) {
        Some(ValueSource::CommandLine) => "command line",
        _ => "default",
    };
    let values: Vec<String> = given.get_raw(&known.id).into_iter().flatten().map(text).collect();
    let row = |value| Row { option: known.name.clone(), value, source: source.to_owned() };
    match values.is_empty() {
        true => vec![row(otherwise.map(text))],
        false => values.into_iter().map(|value| row(Some(value))).collect(),
    }
}

/// Whether a key is there; the key itself is nobody's to see.
fn secret(variable: &str, environment: &Environment) -> Row {
    let (value, source) = match said(environment, variable) {
        Some(_) => ("set", format!("environment {variable}")),
        None => ("not set", "default".to_owned()),
    };
    Row { option: variable.to_owned(), value: Some(value.to_owned()), source }
}

fn text(value: impl AsRef<OsStr>) -> String {
    value.as_ref().to_string_lossy().into_owned()
}
