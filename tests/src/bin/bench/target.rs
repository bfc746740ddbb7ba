//! What a group has to show.

use std::fmt;

use crate::results::Results;
use crate::scenery::Link;
use crate::spread::Spread;

/// A figure and where its median has to lie.
pub(crate) struct Target {
    pub(crate) figure: Figure,
    pub(crate) bound: Bound,
}

/// A figure made from the measurements of a round.
pub(crate) enum Figure {
    /// The rate of a row, in rates of another one.
    Rate(&'static str, &'static str),
    /// The CPU time for a byte of a row, in those of another one.
    Cpu(&'static str, &'static str),
    /// The rate of a row in per cent of its link's.
    LinkUse(&'static str, Link),
    /// Packets of a row that overflowed a queue, in per cent of all.
    Wasted(&'static str),
    /// What a row gets of a link that it shares, in per cent.
    Share(&'static str),
    /// The peak memory of either end in any row of ours, in MiB.
    Memory,
}

/// Where a median has to lie.
#[derive(Clone, Copy)]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
    Between(f64, f64),
}

impl Target {
    /// How it was met, as a line. None when a row it is about was left out.
    pub(crate) fn line(&self, group: &str, results: &Results) -> Option<String> {
        let found = self.figure.of(results)?;
        let verdict = if self.bound.holds(found.median) { "ok" } else { "missed" };
        Some(format!("target: {group}: {} {}: {found} {verdict}", self.figure, self.bound))
    }
}

impl Figure {
    fn of(&self, results: &Results) -> Option<Spread> {
        match self {
            Figure::Rate(row, other) => results.ratio(row, other, |one| Some(one.rate())),
            Figure::Cpu(row, other) => results.ratio(row, other, |one| one.cpu_per_gb()),
            Figure::LinkUse(row, link) => results.spread(row, |one| Some(one.rate() * 800.0 / f64::from(link.rate))),
            Figure::Wasted(row) => results.spread(row, |one| one.wasted),
            Figure::Share(row) => results.spread(row, |one| one.share),
            Figure::Memory => Spread::of(results.peaks().max().map(|kilobytes| kilobytes as f64 / 1024.0)),
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Figure::Rate(row, other) => write!(f, "rate of {row} / {other}"),
            Figure::Cpu(row, other) => write!(f, "CPU per byte of {row} / {other}"),
            Figure::LinkUse(row, _) => write!(f, "rate of {row}, % of the link"),
            Figure::Wasted(row) => write!(f, "packets wasted by {row}, %"),
            Figure::Share(row) => write!(f, "share of {row}, %"),
            Figure::Memory => write!(f, "highest memory of ours, MiB"),
        }
    }
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Bound::AtLeast(least) => value >= least,
            Bound::AtMost(most) => value <= most,
            Bound::Between(least, most) => (least..=most).contains(&value),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::AtLeast(least) => write!(f, "≥ {least}"),
            Bound::AtMost(most) => write!(f, "≤ {most}"),
            Bound::Between(least, most) => write!(f, "{least}–{most}"),
        }
    }
}
