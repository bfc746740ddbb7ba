//! The open port: admits the sender, keeps its session while the link is lost, and turns everybody
//! else away.

use std::sync::Arc;
use std::time::Duration;

use quinn::{Endpoint, Incoming};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use xbproto::cli::{Event, Reporter};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::key::Key;
use xbproto::quantity::Span;
use xbproto::quic::{CurrentPath, Lost, Tuning, TurnedAway, canonical};
use xbproto::retry::receiver_waits;
use xbproto::session::{LinkRefused, Received, Receiver};
use xbproto::shared::Shared;
use xbproto::wire::{Message, Purpose};

use crate::absence::Absence;
use crate::admission::{Arrival, Door, Greeted, greeting};
use crate::downlink::Downlink;
use crate::strangers::Why;

/// What a listener needs to know, whichever session it serves.
#[derive(Debug)]
pub struct Listener {
    /// The port.
    pub endpoint: Endpoint,
    /// What a peer has to prove.
    pub key: Arc<Key>,
    /// What a peer with the key may use.
    pub tuning: Tuning,
    /// Where the present link can be looked at.
    pub path: Arc<CurrentPath>,
    /// Who is told.
    pub reporter: Reporter,
}

/// A session to be served.
#[derive(Clone, Debug)]
pub struct Service {
    /// The session; it may have begun in an earlier process.
    pub session: Arc<Shared<Receiver>>,
    /// How long to wait for a sender; for ever if not set.
    pub wait: Option<Duration>,
    /// Whether another session may begin in its place.
    pub again: Again,
}

/// Whether a sink can begin once more with another session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// What was written can be thrown away.
    Possible,
    /// Bytes were handed out, and nobody can call them back.
    Impossible,
}

/// A session in service.
struct Served<'a> {
    listener: &'a Listener,
    service: &'a Service,
    begun: Instant,
    /// The link of the session: at most one.
    link: JoinSet<Result<(), Lost>>,
    /// Set while a session that has begun has no link.
    absence: Option<Absence>,
}

impl Listener {
    /// Serves one session to its end. The session knows then how it ended. Whoever is to have the next one
    /// stays at the door.
    pub async fn serve(&self, service: &Service, door: &mut Door) {
        let begun = Instant::now();
        let recalled = service.session.look(|s| s.session().map(|_| Absence::since_restart(s.retry_for())));
        let mut served = Served { listener: self, service, begun, link: JoinSet::new(), absence: recalled };
        if let Some(newcomer) = door.newcomer.take() {
            served.greeted(newcomer, door).await;
        }
        served.until_over(door).await;
    }
}

impl Served<'_> {
    async fn until_over(&mut self, door: &mut Door) {
        let session = self.service.session.clone();
        let wait = self.service.wait.map(|wait| self.begun + wait);
        loop {
            self.judge_newcomer(door);
            if self.is_over() {
                return;
            }
            let begun = session.look(Receiver::is_busy);
            let over = session.look(|s| s.outcome().is_some());
            let absent_until = self.absence.as_ref().map(|absence| absence.until);
            let beats = session.look(Receiver::beats_heard);
            tokio::select! {
                biased;
                Some(ended) = self.link.join_next() => self.link_ended(ended),
                arrival = door.arrivals.next() => self.arrived(arrival, door).await,
                Some(_) = door.answers.join_next() => {}
                () = session.when(|s| s.outcome().map(|_| ())), if self.link.is_empty() && !over => {}
                () = session.when(|s| (s.beats_heard() > beats).then_some(())), if door.newcomer.is_some() => {}
                Some(incoming) = self.listener.endpoint.accept() => self.knocked(incoming, door),
                () = until(absent_until) => self.never_came_back(),
                () = until(wait), if !begun => self.nobody_came(door),
            }
        }
    }

    /// Whether the session is over and the sender knows, as far as it can be told. It is told of a failure of
    /// this side even if that has to wait for another link, unless somebody wants this program to end now.
    fn is_over(&self) -> bool {
        let in_a_hurry =
            |cause| matches!(cause, Cause::PeerLost | Cause::Interrupted | Cause::Terminated | Cause::Deadline);
        let told = self.service.session.look(|s| match s.outcome() {
            None => false,
            Some(Received::Failed(failure)) if failure.party == Party::Receiver => {
                self.absence.is_none() || in_a_hurry(failure.cause)
            }
            Some(_) => true,
        });
        told && self.link.is_empty()
    }

    fn knocked(&self, incoming: Incoming, door: &mut Door) {
        if door.arrivals.is_crowded() && incoming.may_retry() {
            // Fails only for those who have shown their address already.
            let _ = incoming.retry();
            return;
        }
        let from = canonical(incoming.remote_address()).ip();
        door.arrivals.admit(from, greeting(incoming, self.listener.key.clone(), self.listener.tuning));
    }

    async fn arrived(&mut self, arrival: Arrival, door: &mut Door) {
        let turned_away = match arrival.greeted {
            Ok(greeted) => return self.greeted(greeted, door).await,
            Err(turned_away) => turned_away,
        };
        if let TurnedAway::Version { .. } = turned_away {
            self.incompatible(&turned_away);
        }
        let why = match turned_away {
            TurnedAway::WrongKey => Why::WrongKey,
            _ => Why::NotAPeer,
        };
        if door.strangers.turned_away(arrival.peer.ip(), why, self.begun.elapsed()) {
            self.listener.reporter.tell(Event::Stranger { peer: arrival.peer, why: turned_away.to_string() });
        }
    }

    /// A sender has come: ours, one that only wants to know, or another one.
    async fn greeted(&mut self, greeted: Greeted, door: &mut Door) {
        let session = &self.service.session;
        let running = session.look(Receiver::session);
        match greeted.hello.purpose {
            Purpose::Check => self.checked(greeted, door),
            Purpose::Transfer | Purpose::Resume if running.is_none_or(|id| id == greeted.hello.session) => {
                // A sender that comes again has given up its old link.
                self.link.shutdown().await;
                let resumes = running.is_some();
                match session.change(|s| s.link_up(greeted.hello.clone())) {
                    Ok(()) => self.linked(greeted, resumes),
                    Err(refused) => self.refuse(greeted, &refused, door),
                }
            }
            Purpose::Transfer if door.newcomer.is_none() && self.service.again == Again::Possible => {
                door.waits(greeted, session.look(Receiver::beats_heard));
            }
            Purpose::Transfer => self.refuse_as_busy(greeted, door),
            Purpose::Resume => self.refuse(greeted, &LinkRefused::StateLost, door),
        }
    }

    fn linked(&mut self, greeted: Greeted, resumes: bool) {
        let Greeted { link, hello, .. } = greeted;
        let (reporter, session) = (&self.listener.reporter, &self.service.session);
        reporter.session(hello.session.into());
        match self.absence.take() {
            // To a session that has failed it comes only to hear that.
            Some(absence) if resumes && session.look(|s| s.outcome().is_none()) => {
                let offset = session.look(Receiver::sums).iter().map(|sum| sum.len).sum();
                reporter.tell(Event::Resumed { offset, after: absence.since.elapsed() });
            }
            _ => reporter.tell(Event::Connected { peer: link.peer() }),
        }
        reporter.tell(Event::Detail(format!("protocol version {}", link.version)));
        let downlink = Downlink {
            session: session.clone(),
            liveness: self.listener.tuning.liveness,
            path: self.listener.path.clone(),
            reporter: reporter.clone(),
        };
        self.link.spawn(async move { downlink.run(link).await });
    }

    fn checked(&self, greeted: Greeted, door: &mut Door) {
        match self.service.session.look(|s| s.check(&greeted.hello)) {
            Ok(welcome) => {
                self.listener.reporter.tell(Event::Notice(format!("checked by {}", greeted.link.peer())));
                door.answer(greeted.link, Message::Welcome(welcome), None);
            }
            Err(refused) => self.refuse(greeted, &refused, door),
        }
    }

    /// Decides about a sender with another session, as soon as it shows whether this one's link is alive: it has
    /// its place when the link is not, and is told that this receiver is busy at the next sign of life.
    fn judge_newcomer(&mut self, door: &mut Door) {
        let Some(newcomer) = door.newcomer.take() else { return };
        if newcomer.link.connection.close_reason().is_some() {
            return;
        }
        let session = &self.service.session;
        let (linked, beats, replaceable) = session.look(|s| (s.is_linked(), s.beats_heard(), s.may_be_replaced()));
        if linked && beats == newcomer.beats {
            door.newcomer = Some(newcomer);
        } else if !linked && session.look(|s| s.outcome().is_some()) {
            // What this session had to tell its sender is of no interest any more.
            self.absence = None;
            self.refuse_as_busy(newcomer, door);
        } else if linked || !replaceable || session.look(|s| s.would_take(&newcomer.hello)).is_err() {
            self.refuse_as_busy(newcomer, door);
        } else {
            let peer = newcomer.link.peer();
            let words = format!("the session has no link, and {peer} has come with another one, which takes its place");
            self.listener.reporter.tell(Event::Warning(words));
            session.change(Receiver::replace);
            door.newcomer = Some(newcomer);
        }
    }

    fn refuse_as_busy(&self, greeted: Greeted, door: &mut Door) {
        if let Some(running) = self.service.session.look(Receiver::session) {
            self.refuse(greeted, &LinkRefused::Busy { running }, door);
        }
    }

    fn refuse(&self, greeted: Greeted, refused: &LinkRefused, door: &mut Door) {
        let peer = greeted.link.peer();
        self.listener.reporter.tell(Event::Stranger { peer, why: refused.to_string() });
        let cause = match refused {
            LinkRefused::Busy { .. } => Cause::Refused,
            LinkRefused::StateLost => Cause::PeerLost,
            LinkRefused::Violation(_) => Cause::Integrity,
        };
        let abort = Message::Abort(Failure::new(cause, Party::Receiver, refused));
        door.answer(greeted.link, abort, Some(refused));
    }

    /// A peer with the right key that speaks no version this side does: waiting on would not help.
    fn incompatible(&self, turned_away: &TurnedAway) {
        self.service.session.change(|s| {
            if !s.is_busy() {
                s.fail(Failure::new(Cause::Refused, Party::Receiver, turned_away));
            }
        });
    }

    fn link_ended(&mut self, ended: Result<Result<(), Lost>, JoinError>) {
        let lost = match ended {
            Ok(Ok(())) => return,
            Ok(Err(lost)) => Absence::of(&lost, self.patience()),
            Err(panic) => Absence::since_now(format!("the link's task ended early: {panic}"), self.patience()),
        };
        if lost.patience.is_zero() {
            return self.service.session.change(|s| s.peer_lost(&lost.given_up()));
        }
        if self.service.session.look(|s| s.outcome().is_none()) {
            let (reason, patience) = (lost.how.clone(), lost.patience);
            self.listener.reporter.tell(Event::Interrupted { reason, patience });
        }
        self.absence = Some(lost);
    }

    fn patience(&self) -> Duration {
        receiver_waits(self.service.session.look(Receiver::retry_for))
    }

    fn never_came_back(&mut self) {
        let Some(absence) = self.absence.take() else { return };
        let session = &self.service.session;
        if absence.is_since_restart()
            && self.service.again == Again::Possible
            && session.look(Receiver::may_be_replaced)
        {
            let words = format!("{}; waiting for a new session", absence.given_up());
            self.listener.reporter.tell(Event::Warning(words));
            return session.change(Receiver::replace);
        }
        session.change(|s| s.peer_lost(&absence.given_up()));
    }

    fn nobody_came(&self, door: &Door) {
        let waited = Span(self.service.wait.unwrap_or_default());
        let failure = match door.strangers.only_wrong_keys() {
            true => Failure::new(
                Cause::Refused,
                Party::Receiver,
                format!("within {waited} (--wait) only senders with another key came; compare the keys of both sides"),
            ),
            false => Failure::new(Cause::PeerLost, Party::Receiver, format!("no sender came within {waited} (--wait)")),
        };
        self.service.session.change(|s| s.fail(failure));
    }
}

/// Sleeps until a moment that may never come.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
