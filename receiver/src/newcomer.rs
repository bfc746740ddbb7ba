//! Senders that are not served, or not yet: what they are told, and who gives way to whom.

use xbproto::cli::Event;
use xbproto::failure::{Cause, Failure, Party};
use xbproto::session::{LinkRefused, Receiver, Violation};
use xbproto::tls::proof::LinkEnd;
use xbproto::wire::Message;

use crate::admission::{Door, Newcomer};
use crate::entrance::Greeted;
use crate::listen::Served;

/// What is to become of a newcomer.
enum Judgement {
    /// It is not known yet whether the running session is alive.
    Wait,
    /// The running session has no link, and gives way.
    Serve,
    /// It is not served.
    Refuse(LinkRefused),
    /// It is not served, and what the failed session had to tell its sender is of no interest any more.
    RefuseAndEnd(LinkRefused),
}

impl Served<'_> {
    /// Decides about a sender with another session, as soon as it shows whether this one's link is alive: it has
    /// its place when the link is not, and is told that this receiver is busy at the next sign of life.
    pub(crate) fn judge_newcomer(&mut self, door: &mut Door) {
        let Some(newcomer) = door.newcomer.take().filter(Newcomer::is_there) else { return };
        match self.service.session.look(|s| judge(s, &newcomer)) {
            Judgement::Wait => door.newcomer = Some(newcomer),
            Judgement::Refuse(refused) => self.refuse(newcomer.greeted, &refused, door),
            Judgement::RefuseAndEnd(refused) => {
                self.absence = None;
                self.refuse(newcomer.greeted, &refused, door);
            }
            Judgement::Serve => {
                let peer = newcomer.greeted.link.peer();
                let words = format!("the session has no link, and {peer} has come with another, which takes its place");
                self.server.reporter.tell(Event::Warning(words));
                self.service.session.change(Receiver::replace);
                door.newcomer = Some(newcomer);
            }
        }
    }

    pub(crate) fn refuse_as_busy(&self, greeted: Greeted, door: &mut Door) {
        if let Some(running) = self.service.session.look(Receiver::session) {
            self.refuse(greeted, &LinkRefused::Busy { running }, door);
        }
    }

    pub(crate) fn refuse(&self, greeted: Greeted, refused: &LinkRefused, door: &mut Door) {
        let peer = greeted.link.peer();
        self.server.reporter.tell(match refused {
            // Its sender has not noticed yet that the main link is lost, and will.
            LinkRefused::NoMainLink => Event::Detail(format!("{peer} cannot join: {refused}")),
            _ => Event::Stranger { peer, why: refused.to_string() },
        });
        let cause = match refused {
            LinkRefused::Busy { .. } | LinkRefused::NoMainLink | LinkRefused::TooManyLinks { .. } => Cause::Refused,
            LinkRefused::StateLost => Cause::PeerLost,
            // A setting of this side, and nothing that a peer could know.
            LinkRefused::Violation(Violation::Window { .. }) => Cause::Refused,
            LinkRefused::Violation(_) => Cause::Integrity,
        };
        let failure = Failure::new(cause, Party::Receiver, refused);
        // Where this side dials there is no other sender to wait for.
        if door.entrance.end() == LinkEnd::Dialer && self.service.session.look(|s| s.session().is_none()) {
            self.service.session.change(|s| s.fail(failure.clone()));
        }
        door.answer(greeted.link, Message::Abort(failure), Some(refused));
    }
}

fn judge(session: &Receiver, newcomer: &Newcomer) -> Judgement {
    let Some(running) = session.session() else { return Judgement::Serve };
    let busy = LinkRefused::Busy { running };
    match (session.is_linked(), session.would_take(&newcomer.greeted.hello)) {
        (_, Err(violation)) => Judgement::Refuse(violation.into()),
        (true, Ok(())) if session.signs_of_life() == newcomer.signs => Judgement::Wait,
        (false, Ok(())) if session.may_be_replaced() => Judgement::Serve,
        (false, Ok(())) if session.outcome().is_some() => Judgement::RefuseAndEnd(busy),
        (_, Ok(())) => Judgement::Refuse(busy),
    }
}
