//! Which face a program wears.

use std::io::IsTerminal;

use clap::ValueEnum;

use super::bars::Bars;
use super::event::Face;
use super::json::Json;
use super::lines::Lines;
use super::none::Quiet;
use crate::failure::Party;

/// How progress is shown, as `--progress` says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ProgressStyle {
    /// Bars on a terminal, lines elsewhere
    #[default]
    Auto,
    /// A bar at the bottom of the terminal; lines where there is no terminal
    Bars,
    /// Plain lines with time and session, progress every 30 seconds
    Lines,
    /// One JSON object per line
    Json,
    /// Warnings, the checksum and the last lines only
    None,
}

/// What standard error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// A terminal: a person reads along.
    Terminal,
    /// A file, a pipe, a journal: what is written may be kept.
    Elsewhere,
}

impl Screen {
    /// What standard error is now.
    pub fn of_stderr() -> Screen {
        match std::io::stderr().is_terminal() {
            true => Screen::Terminal,
            false => Screen::Elsewhere,
        }
    }
}

impl ProgressStyle {
    /// The style that is worn on a screen: never `Auto`, and `Bars` only on a terminal.
    pub fn resolve(self, screen: Screen) -> ProgressStyle {
        match (self, screen) {
            (ProgressStyle::Auto, Screen::Terminal) => ProgressStyle::Bars,
            (ProgressStyle::Auto | ProgressStyle::Bars, Screen::Elsewhere) => ProgressStyle::Lines,
            (chosen, _) => chosen,
        }
    }

    /// The face that shows events on standard error in this style.
    pub(super) fn face(self, screen: Screen, own: Party) -> Box<dyn Face> {
        let out = std::io::stderr();
        match self.resolve(screen) {
            ProgressStyle::Bars => Box::new(Bars::new(out, own)),
            ProgressStyle::Auto | ProgressStyle::Lines => Box::new(Lines::new(out, own)),
            ProgressStyle::Json => Box::new(Json::new(out, own)),
            ProgressStyle::None => Box::new(Quiet::new(out, own)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_for_terminals_only() {
        use ProgressStyle::*;
        for (asked, on_terminal, elsewhere) in
            [(Auto, Bars, Lines), (Bars, Bars, Lines), (Lines, Lines, Lines), (Json, Json, Json), (None, None, None)]
        {
            assert_eq!(asked.resolve(Screen::Terminal), on_terminal);
            assert_eq!(asked.resolve(Screen::Elsewhere), elsewhere);
        }
    }
}
