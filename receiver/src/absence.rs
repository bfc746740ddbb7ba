//! A time in which a session has no link to its sender.

use std::time::Duration;

use tokio::time::Instant;
use xbproto::quantity::Span;
use xbproto::quic::Lost;
use xbproto::retry::receiver_waits;

/// The sender is not there, and is waited for.
#[derive(Clone, Debug)]
pub(crate) struct Absence {
    /// When it was last heard.
    pub(crate) since: Instant,
    /// When it is given up.
    pub(crate) until: Instant,
    /// How it was lost.
    pub(crate) how: String,
    /// How long it is waited for.
    pub(crate) patience: Duration,
    begun: Begun,
}

/// How it came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begun {
    WithItsLink,
    /// This process has not seen the sender yet: an earlier one has.
    WithThisProcess,
}

impl Absence {
    /// The link was lost in this way, and is waited for so long.
    pub(crate) fn of(lost: &Lost, patience: Duration) -> Absence {
        let absence = Absence::since_now(format!("the link to the sender was lost: {lost}"), patience);
        Absence { since: absence.since.checked_sub(lost.silence).unwrap_or(absence.since), ..absence }
    }

    /// As [`of`](Self::of), in other words.
    pub(crate) fn since_now(how: String, patience: Duration) -> Absence {
        let now = Instant::now();
        Absence { since: now, until: now + patience, how, patience, begun: Begun::WithItsLink }
    }

    /// This process goes on with a session of an earlier one, whose sender tries to come back for `retry_for`.
    pub(crate) fn since_restart(retry_for: Duration) -> Absence {
        let how = "this receiver was restarted".to_owned();
        Absence { begun: Begun::WithThisProcess, ..Absence::since_now(how, receiver_waits(retry_for)) }
    }

    pub(crate) fn is_since_restart(&self) -> bool {
        self.begun == Begun::WithThisProcess
    }

    /// What there is to say when the sender has not come back.
    pub(crate) fn given_up(&self) -> String {
        match self.patience.is_zero() {
            true => format!("{}; it does not come back (its --retry-for is 0)", self.how),
            false => {
                let patience = Span(self.patience);
                format!("{}; the sender did not come back within {patience} (its --retry-for and 30 s)", self.how)
            }
        }
    }
}
