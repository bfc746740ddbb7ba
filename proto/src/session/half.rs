//! What both halves of a session have in common for the link that carries their words.

use super::{Limits, Received, Receiver, Sender, Sent, Violation};
use crate::failure::{Failure, Party};
use crate::quantity::Rate;
use crate::wire::{CloseCode, Message, SessionId};

/// A half of a session, as the link sees it.
pub trait Half {
    /// Which half it is.
    const PARTY: Party;

    /// Takes in what the other half said.
    ///
    /// # Errors
    /// [`Violation`] when it makes no sense.
    fn handle(&mut self, message: Message) -> Result<(), Violation>;

    /// What is to be said next, if anything.
    fn next_message(&mut self) -> Option<Message>;

    /// The name of the session, once it has one.
    fn session(&self) -> Option<SessionId>;

    /// Whether there is a link on which the session goes on.
    fn is_linked(&self) -> bool;

    /// Takes note of the rate that this side allows, in place of the one before.
    fn allow(&mut self, rate: Option<Rate>);

    /// The rates that both sides allow.
    fn limits(&self) -> Limits;

    /// Says that this side is alive, and what it waits for, if there is a link to say it on.
    fn beat(&mut self);

    /// Ends the session with a failure of this side.
    fn fail(&mut self, failure: Failure);

    /// The link came to its end.
    fn link_down(&mut self);

    /// How to end the link, once the session is over.
    fn farewell(&self) -> Option<Farewell>;
}

/// How a link ends after its session. Whoever heard the last word closes, so that it is heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Farewell {
    /// Who has had the last word, and so waits for the other to close.
    pub last_word: Party,
    /// The code to close with.
    pub code: CloseCode,
    /// The sentence to close with.
    pub reason: String,
}

impl Farewell {
    fn done(last_word: Party, reason: &str) -> Option<Farewell> {
        Some(Farewell { last_word, code: CloseCode::Done, reason: reason.to_owned() })
    }

    fn aborted(last_word: Party, failure: &Failure) -> Option<Farewell> {
        Some(Farewell { last_word, code: CloseCode::Aborted(failure.cause), reason: failure.reason.clone() })
    }
}

impl Half for Sender {
    const PARTY: Party = Party::Sender;

    fn handle(&mut self, message: Message) -> Result<(), Violation> {
        Sender::handle(self, message)
    }

    fn next_message(&mut self) -> Option<Message> {
        Sender::next_message(self)
    }

    fn session(&self) -> Option<SessionId> {
        Some(Sender::session(self))
    }

    fn is_linked(&self) -> bool {
        Sender::is_linked(self)
    }

    fn allow(&mut self, rate: Option<Rate>) {
        Sender::allow(self, rate);
    }

    fn limits(&self) -> Limits {
        Sender::limits(self)
    }

    fn beat(&mut self) {
        Sender::beat(self);
    }

    fn fail(&mut self, failure: Failure) {
        Sender::fail(self, failure);
    }

    fn link_down(&mut self) {
        Sender::link_down(self);
    }

    fn farewell(&self) -> Option<Farewell> {
        match self.outcome()? {
            Sent::Checked(_) => Farewell::done(self.last_word(), "checked"),
            Sent::Confirmed(_) => Farewell::done(self.last_word(), "confirmed"),
            Sent::Failed(failure) => Farewell::aborted(self.last_word(), failure),
        }
    }
}

impl Half for Receiver {
    const PARTY: Party = Party::Receiver;

    fn handle(&mut self, message: Message) -> Result<(), Violation> {
        Receiver::handle(self, message)
    }

    fn next_message(&mut self) -> Option<Message> {
        Receiver::next_message(self)
    }

    fn session(&self) -> Option<SessionId> {
        Receiver::session(self)
    }

    fn is_linked(&self) -> bool {
        Receiver::is_linked(self)
    }

    fn allow(&mut self, rate: Option<Rate>) {
        Receiver::allow(self, rate);
    }

    fn limits(&self) -> Limits {
        Receiver::limits(self)
    }

    fn beat(&mut self) {
        Receiver::beat(self);
    }

    fn fail(&mut self, failure: Failure) {
        Receiver::fail(self, failure);
    }

    fn link_down(&mut self) {
        Receiver::link_down(self);
    }

    fn farewell(&self) -> Option<Farewell> {
        match self.outcome()? {
            Received::Confirmed(_) => Farewell::done(self.last_word(), "confirmed"),
            Received::Unacknowledged(_) => Farewell::done(self.last_word(), "committed"),
            Received::Failed(failure) => Farewell::aborted(self.last_word(), failure),
            // The link was lost before: there is nobody to say farewell to.
            Received::Replaced => None,
        }
    }
}
