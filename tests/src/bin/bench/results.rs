//! What was found in a group.

use std::mem;
use std::path::Path;

use anyhow::Result;

use crate::group::{Group, Row};
use crate::job;
use crate::measurement::Measurement;
use crate::spread::Spread;
use crate::stage::Stage;

/// The measurements of a group.
pub(crate) struct Results {
    rows: Vec<RowResults>,
    /// Rows that are not there, and why.
    left_out: Vec<String>,
}

/// The measurements of a row, one for each round.
pub(crate) struct RowResults {
    pub(crate) name: &'static str,
    pub(crate) rounds: Vec<Measurement>,
}

impl Results {
    /// Measures the rows of a group in turn, again and again. Tells `progress` what it does. A row that fails is left out.
    pub(crate) fn measure(
        group: &Group,
        stream: &Path,
        stage: &Stage,
        rounds: usize,
        progress: impl Fn(&str),
    ) -> Result<Results> {
        let mut results = Results { rows: Vec::new(), left_out: Vec::new() };
        let mut rows: Vec<&Row> = group.rows.iter().filter(|row| results.admit(row, group, stage)).collect();
        for round in 1..=rounds {
            for row in mem::take(&mut rows) {
                let found = Measurement::of(row, group, stream, stage);
                job::check()?;
                progress(&format!("{} {round}/{rounds}: {}: {}", group.name, row.name, describe(&found)));
                if results.add(row.name, found) {
                    rows.push(row);
                }
            }
        }
        Ok(results)
    }

    /// All rows, in order.
    pub(crate) fn rows(&self) -> &[RowResults] {
        &self.rows
    }

    /// Rows that are not there, and why.
    pub(crate) fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// A figure of a row over all rounds.
    pub(crate) fn spread(&self, row: &str, figure: impl Fn(&Measurement) -> Option<f64>) -> Option<Spread> {
        Spread::of(self.rounds(row).iter().filter_map(figure))
    }

    /// A figure of a row divided by that of another one, round by round.
    pub(crate) fn ratio(&self, row: &str, by: &str, figure: impl Fn(&Measurement) -> Option<f64>) -> Option<Spread> {
        let pairs = self.rounds(row).iter().zip(self.rounds(by));
        Spread::of(pairs.filter_map(|(one, other)| Some(figure(one)? / figure(other)?)))
    }

    /// The peaks of memory of all processes of ours, in kilobytes.
    pub(crate) fn peaks(&self) -> impl Iterator<Item = u64> {
        self.rows.iter().flat_map(|row| &row.rounds).filter_map(|one| one.peaks).flatten()
    }

    fn rounds(&self, row: &str) -> &[Measurement] {
        self.rows.iter().find(|one| one.name == row).map_or(&[], |one| &one.rounds)
    }

    /// Whether everything is here that a row needs.
    fn admit(&mut self, row: &Row, group: &Group, stage: &Stage) -> bool {
        let missing = row.needs(group.to).into_iter().find(|need| !need.is_met(stage));
        self.left_out.extend(missing.map(|need| format!("{}: {need}", row.name)));
        missing.is_none()
    }

    /// Whether the row goes on.
    fn add(&mut self, row: &'static str, found: Result<Measurement>) -> bool {
        match (found, self.rows.iter_mut().find(|one| one.name == row)) {
            (Ok(found), Some(results)) => results.rounds.push(found),
            (Ok(found), None) => self.rows.push(RowResults { name: row, rounds: vec![found] }),
            (Err(error), _) => {
                self.rows.retain(|one| one.name != row);
                self.left_out.push(format!("{row}: {error:#}"));
                return false;
            }
        }
        true
    }
}

fn describe(found: &Result<Measurement>) -> String {
    match found {
        Ok(found) => format!("{:.1} MB/s", found.rate()),
        Err(error) => format!("{error:#}"),
    }
}
