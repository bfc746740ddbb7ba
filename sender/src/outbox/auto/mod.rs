//! How hard to compress: from who is waiting, bytes and time in, effort out.
//!
//! Two things limit how fast original bytes move. The network (or the rate limit, or the receiver's disk) takes so many
//! bytes a second as they travel; smaller blocks make it faster. The workers make so many blocks a second; less
//! effort makes them faster. What an effort would come to is the smaller of both:
//!
//! ```text
//! rate(effort) = min(network / ratio(effort), speed(effort))
//! ```
//!
//! `ratio` and `speed` come from **surveys**: now and then one block is encoded with one effort after the other. All
//! are measured on the same blocks, because tables differ more than levels do. `network` is known whenever the workers have
//! time left and the source is not waited for. When they have none, the CPU is what is short, and what they manage
//! says how fast they would be with less effort.
//!
//! A model may be wrong: a busy core is no free one, a disk takes no more because its bytes travelled smaller, and a
//! network may have become faster while the CPU was short. So a change that the model only promises is **on trial**: unless bytes
//! really move faster, it is taken back, and the next trial has to wait, longer each time. What cannot be compressed
//! gains nothing, and so ends up stored.

mod span;
mod survey;

use std::time::Duration;

use super::Effort;
use span::{Finding, Span};
use survey::Surveys;

pub(super) use span::Course;
pub(super) use survey::Sample;

/// What is chosen from, by what it costs. Beyond these, less than a few MB/s are made on a core.
pub(super) const EFFORTS: [Effort; 11] = [
    Effort::Stored,
    Effort::Zstd(-7),
    Effort::Zstd(-3),
    Effort::Zstd(-1),
    Effort::Zstd(1),
    Effort::Zstd(2),
    Effort::Zstd(3),
    Effort::Zstd(5),
    Effort::Zstd(7),
    Effort::Zstd(9),
    Effort::Zstd(12),
];

/// Where it begins, in [`EFFORTS`]: level 1 gets most of what there is to get, and is fast enough not to matter until
/// more is known.
const FIRST: usize = 4;

/// A change has to promise so much more than what is: less is lost in the noise of a busy host.
const GAIN: f64 = 1.1;

/// Efforts that come so near to the best are as good, and the cheapest of them is taken.
const AS_GOOD: f64 = 0.97;

/// The part of a promised gain that a trial has to bring.
const BROUGHT: f64 = 1.0 / 3.0;

/// What is counted on of cores that were seen free: others want them too.
const FREE_FOR_GOOD: f64 = 1.0 / 1.5;

/// The part of their time that workers may be busy without being suspected of keeping cores from the others.
const IN_THE_WAY: f64 = 0.3;

/// How long no new trial is begun after one that has failed: at first, and at most; and how much longer after each.
const PAUSE: Duration = Duration::from_secs(3);
const LONGER: u32 = 4;
const LONGEST_PAUSE: Duration = Duration::from_secs(64);

/// Chooses the effort. Its time is that since the workers began.
#[derive(Debug)]
pub(super) struct Auto {
    workers: f64,
    /// The present effort, in [`EFFORTS`].
    step: usize,
    surveys: Surveys,
    span: Span,
    /// What the network was last seen to take, in bytes per second as they travel.
    network: Option<f64>,
    trial: Option<Trial>,
    pause: Duration,
    /// When the next trial may begin.
    next_trial: Duration,
}

/// A change that has to prove itself. Rates are in original bytes per second.
#[derive(Clone, Copy, Debug)]
struct Trial {
    from: usize,
    rate: f64,
    promised: f64,
}

impl Auto {
    /// For so many workers.
    pub(super) fn new(workers: usize) -> Auto {
        Auto {
            workers: workers as f64,
            step: FIRST,
            surveys: Surveys::default(),
            span: Span::default(),
            network: None,
            trial: None,
            pause: PAUSE,
            next_trial: Duration::ZERO,
        }
    }

    /// What the next block is to be given.
    pub(super) fn effort(&self) -> Effort {
        EFFORTS[self.step]
    }

    /// Whether a block of so many bytes that is taken `now` is to be tried with one effort after the other. If so, each is told, and
    /// then the end.
    pub(super) fn survey_is_due(&mut self, now: Duration, bytes: usize) -> bool {
        self.surveys.begin(now, bytes)
    }

    /// What an effort has come to in a survey. Returns whether the next one is of interest.
    pub(super) fn sampled(&mut self, step: usize, sample: Sample) -> bool {
        let fast_enough = self.span.rate().map(|rate| rate / (self.workers * FREE_FOR_GOOD));
        self.surveys.take(step, sample, fast_enough) || step < self.step
    }

    /// The survey has ended.
    pub(super) fn survey_ended(&mut self, now: Duration) {
        self.surveys.end(now);
    }

    /// A worker has encoded a block. Now and then the effort changes then.
    pub(super) fn goes_on(&mut self, now: Duration, course: &Course) {
        match self.span.goes_on(now, course, self.workers) {
            Finding::Nothing => {}
            Finding::SourceIsSlow => self.trial = None,
            Finding::CpuIsShort { rate } => self.take_less(now, rate, course),
            Finding::NetworkIsSlow { rate, busy } => self.take_best(now, rate, busy, course),
        }
    }

    /// The workers make `rate` and no more: what would be faster with less effort? A network that is not known, or is said
    /// to be no faster, is asked by a trial with no effort at all.
    fn take_less(&mut self, now: Duration, rate: f64, course: &Course) {
        let free = self.surveys.speed(self.step).map_or(1.0, |speed| rate / speed);
        let rates = (0..self.step).filter_map(|step| Some((step, self.predicted(step, free)?)));
        let best = rates.max_by(|(_, one), (_, other)| one.total_cmp(other));
        let known = best.filter(|(_, predicted)| self.network.is_some() && *predicted > rate * GAIN);
        if let Some((step, _)) = known {
            self.begin_pause(now);
            self.trial = None;
            self.change(step, course);
        } else if now >= self.next_trial {
            self.begin_trial(0, rate, rate * GAIN, course);
        }
    }

    /// The network takes what makes `rate`: would it be more with another effort? Workers that are `busy` for a large
    /// part of their time may be what slows it, and then it might take more than is seen. Less effort needs no trial.
    fn take_best(&mut self, now: Duration, rate: f64, busy: f64, course: &Course) {
        let seen = rate * self.surveys.ratio(self.step).unwrap_or(1.0);
        self.network = match busy > IN_THE_WAY {
            true => self.network.map(|network| network.max(seen)),
            false => Some(seen),
        };
        match self.trial.take() {
            Some(trial) if rate < trial.rate + (trial.promised - trial.rate) * BROUGHT => {
                self.begin_pause(now);
                return self.change(trial.from, course);
            }
            Some(trial) if trial.from > self.step => self.begin_pause(now),
            Some(_) => self.pause = PAUSE,
            None => {}
        }
        let may_try = now >= self.next_trial;
        let (step, promised) = self.best(rate, if may_try { EFFORTS.len() } else { self.step + 1 });
        let (gains, less) = (promised > rate * GAIN, step < self.step);
        if gains && less && self.network.is_some() {
            self.begin_pause(now);
            self.change(step, course);
        } else if may_try && (gains || less) {
            self.begin_trial(step, rate, promised, course);
        }
    }

    fn begin_trial(&mut self, step: usize, rate: f64, promised: f64, course: &Course) {
        // Of what nobody knows, the least that would be worth it is expected.
        let promised = if promised.is_finite() { promised } else { rate * GAIN };
        self.trial = Some(Trial { from: self.step, rate, promised });
        self.change(step, course);
    }

    /// Of the first `steps` efforts the cheapest that comes near the best, and what it promises.
    fn best(&self, rate: f64, steps: usize) -> (usize, f64) {
        let free = self.workers * FREE_FOR_GOOD;
        let predicted = |step| if step == self.step { Some(rate) } else { self.predicted(step, free) };
        let rates = || (0..steps).filter_map(|step| Some((step, predicted(step)?)));
        let most = rates().map(|(_, rate)| rate).fold(rate, f64::max);
        rates().find(|(_, rate)| *rate >= most * AS_GOOD).unwrap_or((self.step, rate))
    }

    /// What an effort would come to with so many workers of its own, in original bytes per second; `None` while that
    /// is not known.
    fn predicted(&self, step: usize, workers: f64) -> Option<f64> {
        let network = self.network.unwrap_or(f64::INFINITY);
        Some((network / self.surveys.ratio(step)?).min(self.surveys.speed(step)? * workers))
    }

    fn change(&mut self, step: usize, course: &Course) {
        self.step = step;
        self.span.settle(course);
    }

    fn begin_pause(&mut self, now: Duration) {
        self.next_trial = now + self.pause;
        self.pause = (self.pause * LONGER).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests;
