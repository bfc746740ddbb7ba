//! Whoever is at the door, and what is answered to those who are not served.

use xbproto::contact::{Answers, Strangers};
use xbproto::link::Link;
use xbproto::session::LinkRefused;
use xbproto::wire::{CloseCode, Message};

use crate::entrance::{Entrance, Greeted};

/// A sender with another session, which waits to hear whether the running one is alive.
#[derive(Debug)]
pub(crate) struct Newcomer {
    pub(crate) greeted: Greeted,
    /// How many signs of life the running session's sender had given when this one came.
    pub(crate) signs: u64,
}

impl Newcomer {
    /// Whether it is still there, as far as its connection knows.
    pub(crate) fn is_there(&self) -> bool {
        self.greeted.link.connection.close_reason().is_none()
    }
}

/// Who is here besides the sender that is served.
#[derive(Debug)]
pub struct Door {
    pub(crate) entrance: Entrance,
    pub(crate) strangers: Strangers,
    /// Who is to have the next session, if this one is not alive. The latest counts.
    pub(crate) newcomer: Option<Newcomer>,
    /// Goodbyes to those who are not served.
    answers: Answers,
}

impl Door {
    /// With nobody at it yet.
    pub fn new(entrance: Entrance) -> Door {
        Door { entrance, strangers: Strangers::default(), newcomer: None, answers: Answers::default() }
    }

    /// Says one thing to an authenticated sender that is not served further, and closes.
    pub(crate) fn answer(&mut self, link: Link, message: Message, refused: Option<&LinkRefused>) {
        let code = match refused {
            None => CloseCode::Done,
            Some(LinkRefused::Busy { .. }) => CloseCode::Busy,
            Some(LinkRefused::StateLost) => CloseCode::StateLost,
            Some(LinkRefused::NoMainLink | LinkRefused::TooManyLinks { .. }) => CloseCode::Broken,
            Some(LinkRefused::Violation(_)) => CloseCode::Violation,
        };
        let reason = refused.map_or_else(|| "checked".to_owned(), LinkRefused::to_string);
        self.answers.say(link, message, code, reason);
    }

    /// Sends everybody away, and waits until those who were answered have heard it.
    pub async fn close(mut self) {
        self.newcomer = None;
        self.entrance.close().await;
        self.answers.all_ended().await;
    }
}
