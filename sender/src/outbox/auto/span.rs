//! Who was waited for over a short time.

use std::time::Duration;

/// The shortest time after which the workers may be found busy all the time.
const GLANCE: Duration = Duration::from_millis(100);

/// How long, and over how many original bytes, it is looked at how fast these arrive.
const LOOK: Duration = Duration::from_millis(200);
const ENOUGH: u64 = 32 << 20;

/// The part of their time that workers without time left are busy.
const BUSY: f64 = 0.9;

/// The part of their time that workers wait for a source that is slow.
const STARVED: f64 = 0.2;

/// What arrives of what leaves, where nothing but the workers is slow. While a window fills, less does.
const ARRIVES: f64 = 0.75;

/// What has happened with one block.
#[derive(Clone, Copy, Debug)]
pub(in crate::outbox) struct Course {
    /// Its original bytes.
    pub(in crate::outbox) taken: u64,
    /// How long a worker had to do with it.
    pub(in crate::outbox) busy: Duration,
    /// How long the worker had waited for it although the window had room.
    pub(in crate::outbox) starved: Duration,
    /// Original bytes that the receiver has written, in all.
    pub(in crate::outbox) delivered: u64,
    /// Original bytes that are taken from the source and not acknowledged.
    pub(in crate::outbox) pending: u64,
}

/// What a span has shown. Rates are in original bytes per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Finding {
    Nothing,
    SourceIsSlow,
    CpuIsShort {
        rate: f64,
    },
    /// `busy` is the part of their time that the workers had to do.
    NetworkIsSlow {
        rate: f64,
        busy: f64,
    },
}

/// A short time, and what happened in it.
#[derive(Debug, Default)]
pub(super) struct Span {
    since: Duration,
    /// What had been delivered when it began.
    from: u64,
    taken: u64,
    busy: Duration,
    starved: Duration,
    /// What arrives before this offset was not encoded with the present effort.
    settled: u64,
    /// How fast bytes were last seen to move.
    rate: Option<f64>,
}

impl Span {
    /// How fast bytes were last seen to move.
    pub(super) fn rate(&self) -> Option<f64> {
        self.rate
    }

    /// The effort changes: what is under way is not of the new one.
    pub(super) fn settle(&mut self, course: &Course) {
        self.settled = course.delivered + course.pending;
    }

    /// Takes in what has happened, and says what that shows at `now`.
    pub(super) fn goes_on(&mut self, now: Duration, course: &Course, workers: f64) -> Finding {
        self.taken += course.taken;
        self.busy += course.busy;
        self.starved += course.starved;
        let elapsed = now.saturating_sub(self.since);
        if elapsed < GLANCE {
            return Finding::Nothing;
        }
        let share = |time: Duration| time.as_secs_f64() / elapsed.as_secs_f64() / workers;
        let per_second = |bytes: u64| bytes as f64 / elapsed.as_secs_f64();
        let arrived = course.delivered.saturating_sub(self.from);
        let finding = if share(self.busy) >= BUSY {
            match arrived as f64 >= self.taken as f64 * ARRIVES {
                true => Finding::CpuIsShort { rate: per_second(self.taken) },
                false => Finding::Nothing,
            }
        } else if course.delivered < self.settled {
            Finding::Nothing
        } else if elapsed < LOOK || arrived < ENOUGH {
            return Finding::Nothing;
        } else if share(self.starved) >= STARVED {
            Finding::SourceIsSlow
        } else {
            Finding::NetworkIsSlow { rate: per_second(arrived), busy: share(self.busy) }
        };
        self.rate = match finding {
            Finding::Nothing | Finding::SourceIsSlow => self.rate,
            Finding::CpuIsShort { rate } | Finding::NetworkIsSlow { rate, .. } => Some(rate),
        };
        let (settled, rate) = (self.settled, self.rate);
        *self = Span { since: now, from: course.delivered, settled, rate, ..Span::default() };
        finding
    }
}
