//! This side listens, and the receiver dials.
//!
//! The first receiver that proves the key has the session. Who comes while its link lives is told that this sender is busy;
//! who comes once it is lost is greeted to go on. A receiver that is another one closes then, and the right one is waited
//! for.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use xbproto::cli::{Event, Reporter};
use xbproto::contact::{Answers, Arrival, Comeback, Greeting, Port, Strangers};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::link::{Link, Outage, TurnedAway};
use xbproto::quantity::Span;
use xbproto::retry::listener_waits;
use xbproto::session::Sender;
use xbproto::shared::Shared;
use xbproto::tls::Credentials;
use xbproto::wire::{CloseCode, Message};

use super::Contact;
use crate::way::Next;

/// A sender's open port.
#[derive(Debug)]
pub struct Listens {
    port: Port<Link>,
    session: Arc<Shared<Sender>>,
    /// How long to wait for a receiver; for ever if not set.
    wait: Option<Duration>,
    next: Next,
    begun: Instant,
    strangers: Strangers,
    /// Who is to go on, if the receiver that is served shows no sign of life.
    newcomer: Option<Newcomer>,
    answers: Answers,
    reporter: Reporter,
}

/// A receiver that has come while another link was served.
#[derive(Debug)]
struct Newcomer {
    link: Link,
    /// How many signs of life the one that is served had given then.
    signs: u64,
}

impl Listens {
    /// Opens it for one session.
    pub fn new(
        port: Port<Link>,
        session: Arc<Shared<Sender>>,
        wait: Option<Duration>,
        next: Next,
        reporter: Reporter,
    ) -> Listens {
        let (strangers, answers) = (Strangers::default(), Answers::default());
        Listens { port, session, wait, next, begun: Instant::now(), strangers, newcomer: None, answers, reporter }
    }

    /// A port's, at which receivers show and prove what these `credentials` demand.
    pub fn greeting(credentials: Credentials) -> Greeting<Link> {
        Greeting { credentials, role: Party::Sender, first_words: |link| Box::pin(async { Ok(link) }) }
    }

    /// Sends everybody away, and waits until those who were answered have heard it.
    pub async fn close(mut self) {
        self.refuse_newcomer();
        self.port.close().await;
        self.answers.all_ended().await;
    }

    /// Waits for somebody with the key.
    ///
    /// # Errors
    /// The failure that this side's release is not the receiver's.
    async fn guest(&mut self) -> Result<Link, Failure> {
        loop {
            let Arrival { peer, greeted } = self.port.next().await;
            let turned_away = match greeted {
                Ok(link) => return Ok(link),
                Err(turned_away) => turned_away,
            };
            if self.strangers.turned_away(peer.ip(), (&turned_away).into(), self.begun.elapsed()) {
                self.reporter.tell(Event::Stranger { peer, why: turned_away.to_string() });
            }
            if let TurnedAway::Version { .. } = turned_away {
                return Err(Failure::new(Cause::Refused, Party::Sender, turned_away));
            }
        }
    }

    /// Tells somebody that another receiver is served, and not for good if it may have the next backup.
    fn refuse_newcomer(&mut self) {
        let newcomer = self.newcomer.take().map(|newcomer| newcomer.link);
        let Some(link) = newcomer.filter(|link| link.connection.close_reason().is_none()) else { return };
        let reason = format!("the sender is busy with session {}", self.session.look(Sender::session));
        if self.next == Next::Another {
            self.reporter.tell(Event::Notice(format!("{} has to wait: {reason}", link.peer())));
            return link.close(CloseCode::Broken, &reason);
        }
        self.reporter.tell(Event::Stranger { peer: link.peer(), why: reason.clone() });
        let abort = Message::Abort(Failure::new(Cause::Refused, Party::Sender, &reason));
        self.answers.say(link, abort, CloseCode::Busy, reason);
    }
}

impl Contact for Listens {
    fn dials(&self) -> Party {
        Party::Receiver
    }

    fn patience(&self, retry_for: Duration) -> Duration {
        listener_waits(retry_for)
    }

    async fn first(&mut self) -> Result<Link, Failure> {
        let wait = self.wait.unwrap_or(Duration::MAX);
        match self.begun.checked_add(wait) {
            None => self.guest().await,
            Some(until) => tokio::select! {
                biased;
                guest = self.guest() => guest,
                () = sleep_until(until) => Err(self.strangers.nobody_came(Party::Sender, wait)),
            },
        }
    }

    async fn mind(&mut self) -> Infallible {
        let session = self.session.clone();
        loop {
            let signs = self.newcomer.as_ref().map_or(u64::MAX, |newcomer| newcomer.signs);
            tokio::select! {
                biased;
                () = session.when(|s| (s.signs_of_life() > signs).then_some(())) => self.refuse_newcomer(),
                guest = self.guest() => {
                    // Of two the earlier one may be gone, without having been able to say so.
                    self.refuse_newcomer();
                    let signs = session.look(Sender::signs_of_life);
                    self.newcomer = guest.ok().map(|link| Newcomer { link, signs });
                }
            }
        }
    }

    fn search(&self, outage: Outage, _: SocketAddr) -> Comeback {
        Comeback::new(outage, None, 0)
    }

    async fn again(&mut self, comeback: &mut Comeback) -> Result<Link, String> {
        let newcomer = self.newcomer.take().map(|newcomer| newcomer.link);
        if let Some(link) = newcomer.filter(|link| link.connection.close_reason().is_none()) {
            return Ok(link);
        }
        let outage = &mut comeback.outage;
        loop {
            tokio::select! {
                biased;
                // One that speaks no common version is not the one that was lost.
                guest = self.guest() => if let Ok(link) = guest { return Ok(link) },
                () = sleep_until(outage.until) => {
                    let patience = Span(outage.patience);
                    return Err(format!("the receiver did not come back within {patience} (--retry-for and 30 s)"));
                }
                () = sleep_until(outage.next_told()) => if let Some((gone, left)) = outage.tells() {
                    let (gone, left) = (Span(gone), Span(left));
                    self.reporter.tell(Event::Notice(format!("no receiver for {gone}; waiting {left} more for it")));
                }
            }
        }
    }
}
