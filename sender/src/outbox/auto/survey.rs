//! What the efforts come to on the same blocks.

use std::time::Duration;

use xbproto::lane::MAX_BLOCK;

use super::EFFORTS;
use crate::outbox::Effort;

/// The pause after a survey, in its own length: so much more each time, until nothing much is new.
const PATIENCE: u32 = 16;
const MOST_PATIENCE: u32 = 128;

/// The shortest time from one survey to the next.
const OFTEN: Duration = Duration::from_millis(100);

/// How long a survey may last while nobody knows how fast is fast enough.
const BLIND: Duration = Duration::from_millis(10);

/// A smaller block says little, in bytes.
const TELLING: usize = MAX_BLOCK / 4;

/// What does not get smaller than this with a real level will not with the next one.
const INCOMPRESSIBLE: f64 = 0.97;

/// The weight of a new survey against all before.
const NEWEST: f64 = 0.25;

/// One effort on one block.
#[derive(Clone, Copy, Debug)]
pub(in crate::outbox) struct Sample {
    /// The block's bytes.
    pub(in crate::outbox) original: u64,
    /// What became of each of them.
    pub(in crate::outbox) ratio: f64,
    /// How long it took.
    pub(in crate::outbox) time: Duration,
}

/// What is known of all efforts.
#[derive(Debug, Default)]
pub(super) struct Surveys {
    known: [Option<Estimate>; EFFORTS.len()],
    due: Duration,
    /// Of the survey under way: how long it has taken, and its last effort.
    took: Duration,
    last: usize,
    /// The pause after it.
    patience: u32,
}

/// What an effort comes to.
#[derive(Clone, Copy, Debug)]
struct Estimate {
    ratio: f64,
    /// Original bytes per second of one worker.
    speed: f64,
}

impl Surveys {
    /// Whether a survey of a block with so many bytes is to be made now. There is one at a time.
    pub(super) fn begin(&mut self, now: Duration, bytes: usize) -> bool {
        let begins = now >= self.due && bytes >= TELLING;
        if begins {
            (self.due, self.took, self.last) = (Duration::MAX, Duration::ZERO, 0);
        }
        begins
    }

    /// Takes in one effort of the survey. Returns whether the next one may be of use: its predecessor is fast
    /// enough, at so many bytes per second and worker, and does something.
    pub(super) fn take(&mut self, step: usize, sample: Sample, fast_enough: Option<f64>) -> bool {
        let now = Estimate { ratio: sample.ratio, speed: sample.original as f64 / sample.time.as_secs_f64() };
        let known = self.known[step].map_or(now, |before| before.mixed_with(now));
        self.known[step] = Some(known);
        self.took += sample.time;
        self.last = step;
        let incompressible = EFFORTS[step] >= Effort::Zstd(1) && known.ratio > INCOMPRESSIBLE;
        !incompressible && fast_enough.map_or(self.took < BLIND, |enough| known.speed >= enough)
    }

    /// The survey under way has ended. What lies beyond its last effort was of no interest.
    pub(super) fn end(&mut self, now: Duration) {
        self.known[self.last + 1..].fill(None);
        self.patience = (self.patience + PATIENCE).min(MOST_PATIENCE);
        self.due = now + (self.took * self.patience).max(OFTEN);
    }

    /// What becomes of an original byte, if that is known.
    pub(super) fn ratio(&self, step: usize) -> Option<f64> {
        if step == 0 { Some(1.0) } else { self.known[step].map(|known| known.ratio) }
    }

    /// Original bytes per second of one worker, if that is known.
    pub(super) fn speed(&self, step: usize) -> Option<f64> {
        if step == 0 { Some(f64::INFINITY) } else { self.known[step].map(|known| known.speed) }
    }
}

impl Estimate {
    fn mixed_with(self, newest: Estimate) -> Estimate {
        let mix = |before: f64, now: f64| before + (now - before) * NEWEST;
        // Times add up, speeds do not.
        let speed = 1.0 / mix(1.0 / self.speed, 1.0 / newest.speed);
        Estimate { ratio: mix(self.ratio, newest.ratio), speed }
    }
}
