//! What one half says on its link, and what both say they wait for.

use std::collections::VecDeque;

use super::limits::Limits;
use crate::failure::Party;
use crate::quantity::Rate;
use crate::wire::{Message, Pulse, Waiting};

/// Whether something can be said at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Open,
    Closed,
}

/// The words of one half.
#[derive(Debug)]
pub(super) struct Voice {
    own: Party,
    /// What is to be said next, in this order; nothing while there is no link.
    words: VecDeque<Message>,
    waits_for: Waiting,
    peer_waits_for: Waiting,
    limits: Limits,
    /// Who has said the last word, once the session is over.
    last_word: Party,
}

impl Voice {
    pub(super) fn of(own: Party) -> Voice {
        let nothing = Waiting::Nothing;
        let (words, limits) = (VecDeque::new(), Limits::default());
        Voice { own, words, waits_for: nothing, peer_waits_for: nothing, limits, last_word: own }
    }

    /// A link is there: begins anew. Nothing that was said on another one counts, but for the limits, which are said again.
    pub(super) fn begin(&mut self) {
        *self = Voice { waits_for: self.waits_for, limits: self.limits, ..Voice::of(self.own) };
    }

    pub(super) fn say(&mut self, message: Message) {
        self.words.push_back(message);
    }

    /// The link is gone, and what was not said yet with it.
    pub(super) fn fall_silent(&mut self) {
        self.words.clear();
    }

    pub(super) fn next(&mut self) -> Option<Message> {
        self.words.pop_front()
    }

    /// Takes note of what this half waits for, and says so over a link if that has changed.
    pub(super) fn waits_for(&mut self, waiting: Waiting, on: Line) {
        if self.waits_for != waiting {
            self.waits_for = waiting;
            if on == Line::Open {
                self.beat();
            }
        }
    }

    /// Says again what this half waits for: a sign of life.
    pub(super) fn beat(&mut self) {
        self.say(Message::Pulse(Pulse { waiting: self.waits_for }));
    }

    /// The peer has said what it waits for.
    pub(super) fn heard(&mut self, pulse: Pulse) {
        self.peer_waits_for = pulse.waiting;
    }

    pub(super) fn peer_waits_for(&self) -> Waiting {
        self.peer_waits_for
    }

    /// Takes note of the rate that this half allows, and says so over a link if that has changed.
    pub(super) fn allows(&mut self, rate: Option<Rate>, on: Line) {
        if self.limits.of(self.own) != rate {
            self.limits.set(self.own, rate);
            if on == Line::Open {
                self.say_limit();
            }
        }
    }

    /// Says the rate that this half allows.
    pub(super) fn say_limit(&mut self) {
        self.say(Message::RateLimit(self.limits.of(self.own)));
    }

    /// The peer has said what rate it allows.
    pub(super) fn peer_allows(&mut self, rate: Option<Rate>) {
        self.limits.set(self.own.peer(), rate);
    }

    /// What both halves allow, the peer as it said last, on whichever link.
    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// The peer has said what ends the session.
    pub(super) fn peer_has_last_word(&mut self) {
        self.last_word = self.own.peer();
    }

    pub(super) fn last_word(&self) -> Party {
        self.last_word
    }
}
