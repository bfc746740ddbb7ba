//! Which settings hold: the command line, and then what each layer adds that goes with what is above it.

use std::collections::{BTreeSet, VecDeque};

use super::error::SettingsError;
use super::layer::{Layer, Setting};
use super::origin::Origin;
use super::scope::{has_peer, is_guard};
use super::trial::{Trial, Verdict};

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

/// Chooses from layers, the uppermost first, below what was typed: `given`.
///
/// # Errors
/// When two options of one layer exclude each other, a value that holds is wrong, or what does not hold would leave the
/// connection less safe.
pub(super) fn choose(trial: &mut Trial, layers: Vec<Layer>, given: &BTreeSet<String>) -> Result<Chosen, SettingsError> {
    let mut merge = Merge { trial, chosen: Chosen::default() };
    let mut layers = VecDeque::from(layers);
    while let Some(layer) = layers.pop_front() {
        let layer = merge.beside(layer, given)?;
        merge.add(layer, &layers)?;
    }
    merge.drop_what_lacks()?;
    merge.chosen.taken.iter().try_for_each(|setting| merge.trial.check(setting))?;
    Ok(merge.chosen)
}

/// A choice that is being made.
struct Merge<'a> {
    trial: &'a mut Trial,
    chosen: Chosen,
}

impl Merge<'_> {
    /// What a layer says of options that nothing above says anything of, without what does not go with what is above.
    fn beside(&mut self, layer: Layer, given: &BTreeSet<String>) -> Result<Layer, SettingsError> {
        let mut kept = Layer::new();
        for setting in layer {
            if given.contains(&setting.id) || self.chosen.taken.iter().any(|other| other.id == setting.id) {
                continue;
            }
            match self.trial.verdict(&joined(&self.chosen.taken, &[&setting]), Some(&setting)) {
                Verdict::Excludes(with) => self.leave_out(setting, with)?,
                Verdict::Stands | Verdict::Lacks(_) => kept.push(setting),
            }
        }
        Ok(kept)
    }

    /// Leaves out what `with`, which stands above it, excludes.
    ///
    /// # Errors
    /// When that keeps others from the connection, and one is made.
    fn leave_out(&mut self, setting: Setting, with: String) -> Result<(), SettingsError> {
        match setting.origin() {
            Some(origin) if is_guard(&setting.name) && self.trial.name(&with).is_none_or(has_peer) => {
                let above = self.chosen.taken.iter().find(|other| self.trial.written(other).as_ref() == Some(&with));
                let above = above.and_then(Setting::origin);
                let above = above.map_or_else(|| "the command line".to_owned(), Origin::to_string);
                Err(SettingsError::Unguarded { origin: origin.clone(), name: setting.name.clone(), with, above })
            }
            _ => {
                self.chosen.idle.push(Idle { setting, reason: Reason::Excluded(with) });
                Ok(())
            }
        }
    }

    /// Adds a layer. Two of its options may exclude each other if one is about something that is not done now.
    fn add(&mut self, layer: Layer, below: &VecDeque<Layer>) -> Result<(), SettingsError> {
        if self.conflict(&layer).is_none() {
            self.chosen.taken.extend(layer);
            return Ok(());
        }
        let helpers: Vec<Setting> = layer.iter().chain(below.iter().flatten()).cloned().collect();
        let mut kept = Layer::new();
        for setting in layer {
            match self.needs_in_vain(&setting, &helpers) {
                Some(needs) => self.chosen.idle.push(Idle { setting, reason: Reason::Needs(needs) }),
                None => kept.push(setting),
            }
        }
        match self.conflict(&kept) {
            Some(error) => return Err(error),
            None => self.chosen.taken.extend(kept),
        }
        Ok(())
    }

    /// The first option of a layer that another one of it excludes.
    fn conflict(&mut self, layer: &[Setting]) -> Option<SettingsError> {
        (1..=layer.len()).find_map(|count| {
            let (newest, tried) = (&layer[count - 1], [&self.chosen.taken, &layer[..count]].concat());
            let Verdict::Excludes(with) = self.trial.verdict(&tried, Some(newest)) else { return None };
            let other = layer.iter().find(|setting| self.trial.written(setting).as_ref() == Some(&with));
            let with = match other.and_then(Setting::origin) {
                Some(origin) => format!("{with} ({origin})"),
                None => with,
            };
            Some(SettingsError::Conflict { origin: newest.origin()?.clone(), name: newest.name.clone(), with })
        })
    }

    /// What a setting needs, if neither what is above it nor one of these has it.
    fn needs_in_vain(&mut self, setting: &Setting, helpers: &[Setting]) -> Option<String> {
        let above = &self.chosen.taken;
        let base = self.trial.lacking(above);
        let needs = &self.trial.lacking(&joined(above, &[setting])) - &base;
        let is_helped = |helper| match self.trial.verdict(&joined(above, &[setting, helper]), None) {
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
    fn drop_what_lacks(&mut self) -> Result<(), SettingsError> {
        while let Some((index, needs)) = self.find_lacking() {
            let setting = self.chosen.taken.remove(index);
            self.chosen.idle.push(Idle { setting, reason: Reason::Needs(needs) });
        }
        self.chosen.idle.iter().try_for_each(Idle::check)
    }

    /// A setting that needs what is lacking, from below. One that others need is none: without it more is lacking.
    fn find_lacking(&mut self) -> Option<(usize, String)> {
        let taken = &self.chosen.taken;
        let lacking = self.trial.lacking(taken);
        (0..taken.len()).rev().filter(|_| !lacking.is_empty()).find_map(|index| {
            let without = self.trial.lacking(&[&taken[..index], &taken[index + 1..]].concat());
            let needs = &lacking - &without;
            (!needs.is_empty()).then(|| (index, listed(&needs)))
        })
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
