//! An order on its way to the session, and the answer on its way back.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::order::{Answer, Order};
use crate::cli::status::Status;
use crate::cli::{Event, Reporter, json};
use crate::failure::Party;
use crate::quantity::Rate;
use crate::session::{Half, RateLimit};
use crate::shared::Shared;

/// The rate limit that an order has set last, if one has: a session that follows on another begins with it.
pub(super) type LastLimit = Arc<Shared<Option<Option<Rate>>>>;

/// An order, and somebody who waits for the answer. One that is dropped is answered too: that there is nothing it could be
/// about.
#[derive(Debug)]
pub struct Asked {
    order: Order,
    answer: oneshot::Sender<Answer>,
    /// What is set by what is done.
    last: LastLimit,
}

impl Asked {
    pub(super) fn new(order: Order, last: LastLimit) -> (Asked, oneshot::Receiver<Answer>) {
        let (answer, answered) = oneshot::channel();
        (Asked { order, answer, last }, answered)
    }

    /// Whether nobody waits for the answer any more, who has been told so: then it is not done late.
    pub(super) fn is_forsaken(&self) -> bool {
        self.answer.is_closed()
    }

    /// Has `session` do it, or says how that does, which `status` knows.
    pub fn heed<H: Half>(self, session: &Shared<H>, status: impl FnOnce() -> Status, reporter: &Reporter) {
        let answer = match self.order {
            Order::Status => Answer::Status(json::status_line(H::PARTY, session.look(H::session), &status())),
            Order::RateLimit(_) if session.look(|half| half.farewell().is_some()) => return,
            Order::RateLimit(rate) => {
                let binding = session.change(|half| {
                    half.allow(rate);
                    half.limits().binding()
                });
                self.last.change(|last| *last = Some(rate));
                reporter.tell(Event::Notice(changed(H::PARTY, rate, binding)));
                Answer::Done
            }
        };
        // Whoever has asked may be gone.
        let _ = self.answer.send(answer);
    }
}

/// What there is to say when this side's limit was changed.
fn changed(own: Party, rate: Option<Rate>, binding: Option<RateLimit>) -> String {
    let ours = match rate {
        Some(rate) => format!("the rate limit is {rate} now"),
        None => "there is no rate limit any more".to_owned(),
    };
    match binding.filter(|limit| limit.by != own) {
        Some(RateLimit { rate, by }) => format!("{ours}; that of the {by} is {rate}, and binds"),
        None => ours,
    }
}

/// Tells when the other side's limit changes, for ever.
pub async fn tell_limits<H: Half>(session: &Shared<H>, reporter: &Reporter) {
    let (peer, mut known) = (H::PARTY.peer(), None);
    loop {
        let changed = |half: &mut H| {
            let now = half.limits().of(peer);
            (half.is_linked() && now != known).then_some(now)
        };
        known = session.when(changed).await;
        reporter.tell(Event::Notice(match known {
            Some(rate) => format!("the {peer} limits the rate to {rate}"),
            None => format!("the {peer} does not limit the rate any more"),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_with_what_binds() {
        let rate = |mib: u64| Rate::new(mib << 20).expect("a rate");
        let limit = |mib, by| Some(RateLimit { rate: rate(mib), by });
        let told = |own, mib: Option<u64>, binding| changed(own, mib.map(rate), binding);
        assert_eq!(told(Party::Sender, Some(10), limit(10, Party::Sender)), "the rate limit is 10.0 MiB/s now");
        assert_eq!(told(Party::Sender, None, None), "there is no rate limit any more");
        assert_eq!(
            told(Party::Sender, Some(10), limit(2, Party::Receiver)),
            "the rate limit is 10.0 MiB/s now; that of the receiver is 2.0 MiB/s, and binds"
        );
    }
}
