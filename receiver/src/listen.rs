//! One session in service: admits its sender, keeps it while the link is lost, and turns everybody
//! else away.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use xbproto::cli::{Event, Reporter};
use xbproto::contact::Arrival;
use xbproto::failure::{Cause, Failure, Party};
use xbproto::link::{CurrentPath, Lost, Outage, TurnedAway};
use xbproto::quantity::Span;
use xbproto::quic::Tuning;
use xbproto::retry::listener_waits;
use xbproto::session::{LinkRefused, Received, Receiver};
use xbproto::shared::Shared;
use xbproto::tls::proof::LinkEnd;
use xbproto::wire::{Hello, Message, Purpose};

use crate::admission::{Door, Newcomer};
use crate::decode::Decoders;
use crate::downlink::Downlink;
use crate::entrance::{Greeted, Visit, Wanted};
use crate::joined::Joined;
use crate::sink::{Admission, Again};

/// What it takes to serve, whichever session it is.
#[derive(Debug)]
pub struct Server {
    /// What makes compressed blocks what they were.
    pub decoders: Arc<Decoders>,
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
    /// What its sink says of one that is to begin.
    pub admission: Admission,
}

/// A session in service.
pub(crate) struct Served<'a> {
    pub(crate) server: &'a Server,
    pub(crate) service: &'a Service,
    begun: Instant,
    /// The main link of the session: at most one.
    link: JoinSet<Result<(), Lost>>,
    /// Those that have joined it.
    pub(crate) joined: Joined,
    /// While a session that has begun has no link.
    pub(crate) absence: Option<Absence>,
}

/// The sender is not there, and is waited for.
pub(crate) enum Absence {
    /// It was, and its link was lost.
    Lost(Outage),
    /// It was in an earlier process, and this one has not seen it yet.
    Recalled(Outage),
}

impl Absence {
    fn outage(&mut self) -> &mut Outage {
        let (Absence::Lost(outage) | Absence::Recalled(outage)) = self;
        outage
    }
}

impl Server {
    /// Serves one session to its end. The session knows then how it ended. Whoever is to have the next one
    /// stays at the door.
    pub async fn serve(&self, service: &Service, door: &mut Door) {
        let recalled = service.session.look(|s| s.session().map(|_| patience(door.entrance.end(), s.retry_for())));
        let recalled = recalled.map(|patience| Outage::begins("this receiver was restarted".to_owned(), patience));
        let absence = recalled.map(Absence::Recalled);
        let (link, joined) = (JoinSet::new(), Joined::default());
        let mut served = Served { server: self, service, begun: Instant::now(), link, joined, absence };
        if let Some(Newcomer { greeted, .. }) = door.newcomer.take() {
            served.greeted(greeted, door).await;
        }
        served.until_over(door).await;
    }
}

impl Served<'_> {
    async fn until_over(&mut self, door: &mut Door) {
        let session = self.service.session.clone();
        let wait = self.service.wait.and_then(|wait| self.begun.checked_add(wait));
        loop {
            self.judge_newcomer(door);
            if self.is_over() {
                return;
            }
            let begun = session.look(Receiver::is_busy);
            let over = session.look(|s| s.outcome().is_some());
            let signs = session.look(Receiver::signs_of_life);
            let absent_until = self.absence.as_mut().map(|absence| absence.outage().until);
            let told = self.absence.as_mut().map(|absence| absence.outage().next_told());
            // Whoever dials tells of it.
            let told = told.filter(|_| door.entrance.end() == LinkEnd::Listener);
            let wanted = self.wanted();
            tokio::select! {
                biased;
                Some(ended) = self.link.join_next() => self.link_ended(ended, door.entrance.end()),
                () = self.joined.one_ended() => {}
                visit = door.entrance.next(wanted) => self.visited(visit, door).await,
                () = session.when(|s| s.outcome().map(|_| ())), if self.link.is_empty() && !over => {}
                () = session.when(|s| (s.signs_of_life() > signs).then_some(())), if door.newcomer.is_some() => {}
                () = until(absent_until) => self.never_came_back(given_up(door.entrance.end())),
                () = until(told) => self.still_absent(),
                () = until(wait), if !begun => self.nobody_came(door),
            }
        }
    }

    /// Whether the session is over and the sender knows, as far as it can be told. It is told of a failure of
    /// this side even if that has to wait for another link, unless somebody wants this program to end now.
    fn is_over(&self) -> bool {
        let told = self.service.session.look(|s| match s.outcome() {
            None => false,
            Some(Received::Failed(failure)) => {
                failure.party == Party::Sender || self.absence.is_none() || !failure.cause.is_worth_a_link()
            }
            Some(_) => true,
        });
        told && self.link.is_empty()
    }

    /// Whether a sender is to be looked for.
    fn wanted(&mut self) -> Wanted {
        let session = self.service.session.look(Receiver::session);
        match (session, &mut self.absence) {
            _ if !self.link.is_empty() => Wanted::Nobody,
            (Some(session), Some(absence)) => Wanted::Again(session, absence.outage().clone()),
            (None, _) if self.service.session.look(|s| s.outcome().is_none()) => Wanted::Anybody,
            _ => Wanted::Nobody,
        }
    }

    async fn visited(&mut self, visit: Visit, door: &mut Door) {
        match visit {
            Visit::Arrival(arrival) => self.arrived(arrival, door).await,
            Visit::Nobody(failure) => self.service.session.change(|s| s.fail(failure)),
            Visit::NotAgain(reason) => self.never_came_back(|outage| format!("{}; {reason}", outage.how)),
        }
    }

    async fn arrived(&mut self, arrival: Arrival<Greeted>, door: &mut Door) {
        let turned_away = match arrival.greeted {
            Ok(greeted) => return self.greeted(greeted, door).await,
            Err(turned_away) => turned_away,
        };
        if let TurnedAway::Version { .. } = turned_away {
            self.incompatible(&turned_away);
        }
        if door.strangers.turned_away(arrival.peer.ip(), (&turned_away).into(), self.begun.elapsed()) {
            self.server.reporter.tell(Event::Stranger { peer: arrival.peer, why: turned_away.to_string() });
        }
    }

    /// A sender has come: ours, one that only wants to know, or another one.
    async fn greeted(&mut self, greeted: Greeted, door: &mut Door) {
        let session = &self.service.session;
        let running = session.look(Receiver::session);
        match greeted.hello.purpose {
            Purpose::Check => self.checked(greeted, door),
            Purpose::Join => self.join(greeted, door),
            Purpose::Transfer | Purpose::Resume if running.is_none_or(|id| id == greeted.hello.session) => {
                match session.look(|s| s.admits(&greeted.hello)) {
                    Ok(()) => {
                        self.judge(&greeted.hello);
                        self.take_up(greeted).await;
                    }
                    Err(refused) => self.refuse(greeted, &refused, door),
                }
            }
            Purpose::Transfer if self.service.again == Again::Possible => {
                let signs = session.look(Receiver::signs_of_life);
                // Of two the earlier one may be gone, without having been able to say so.
                if let Some(earlier) = door.newcomer.replace(Newcomer { greeted, signs }) {
                    self.refuse_as_busy(earlier.greeted, door);
                }
            }
            Purpose::Transfer => self.refuse_as_busy(greeted, door),
            Purpose::Resume => self.refuse(greeted, &LinkRefused::StateLost, door),
        }
    }

    /// A session that the sink cannot take fails before it has begun: its sender hears that instead of a welcome.
    fn judge(&self, hello: &Hello) {
        let session = &self.service.session;
        if session.look(|s| s.session().is_some() || s.outcome().is_some()) {
            return;
        }
        if let Err(error) = self.service.admission.judge(hello) {
            session.change(|s| s.fail(Failure::new(error.cause(), Party::Receiver, error)));
        }
    }

    /// Begins the session over this link, or goes on. A sender that comes again has given up its old one.
    async fn take_up(&mut self, greeted: Greeted) {
        let Greeted { link, hello } = greeted;
        self.link.shutdown().await;
        self.joined.end().await;
        let (reporter, session) = (&self.server.reporter, &self.service.session);
        reporter.session(hello.session.into());
        if session.change(|s| s.link_up(hello)).is_err() {
            // It was admitted a moment ago, and only this thread takes up links.
            return;
        }
        match self.absence.take() {
            Some(mut absence) if session.look(|s| s.outcome().is_none()) => {
                let offset = session.look(Receiver::sums).iter().map(|sum| sum.len).sum();
                reporter.tell(Event::Resumed { offset, after: absence.outage().since.elapsed() });
            }
            _ => reporter.tell(Event::Connected { peer: link.peer() }),
        }
        reporter.tell(Event::Detail(format!("protocol version {}", link.version)));
        self.server.tuning.trust(&link.connection, Party::Receiver);
        let downlink = Downlink {
            session: session.clone(),
            decoders: self.server.decoders.clone(),
            liveness: self.server.tuning.liveness,
            path: self.server.path.clone(),
            reporter: reporter.clone(),
        };
        self.link.spawn(async move { downlink.run(link).await });
    }

    fn checked(&self, greeted: Greeted, door: &mut Door) {
        let welcome = match self.service.session.look(|s| s.check(&greeted.hello)) {
            Ok(welcome) => welcome,
            Err(refused) => return self.refuse(greeted, &refused, door),
        };
        let peer = greeted.link.peer();
        match self.service.admission.judge(&greeted.hello) {
            Ok(()) => {
                self.server.reporter.tell(Event::Notice(format!("checked by {peer}")));
                door.answer(greeted.link, Message::Welcome(welcome), None);
            }
            Err(error) => {
                self.server.reporter.tell(Event::Notice(format!("checked by {peer}: {error}")));
                let abort = Message::Abort(Failure::new(error.cause(), Party::Receiver, error));
                door.answer(greeted.link, abort, None);
            }
        }
    }

    /// A peer with the right key that speaks no version this side does: waiting on would not help.
    fn incompatible(&self, turned_away: &TurnedAway) {
        self.service.session.change(|s| {
            if !s.is_busy() {
                s.fail(Failure::new(Cause::Refused, Party::Receiver, turned_away));
            }
        });
    }

    fn link_ended(&mut self, ended: Result<Result<(), Lost>, JoinError>, end: LinkEnd) {
        let session = &self.service.session;
        let patience = patience(end, session.look(Receiver::retry_for));
        let outage = match ended {
            Ok(Ok(())) => return,
            Ok(Err(lost)) => Outage::of(&lost, "sender", patience),
            Err(panic) => Outage::begins(format!("the link's task ended early: {panic}"), patience),
        };
        // A task that panicked has not said so.
        session.change(Receiver::link_down);
        if patience.is_zero() {
            return session.change(|s| s.peer_lost(&given_up(end)(&outage)));
        }
        if session.look(|s| s.outcome().is_none()) {
            let dials = match end {
                LinkEnd::Listener => Party::Sender,
                LinkEnd::Dialer => Party::Receiver,
            };
            self.server.reporter.tell(Event::Interrupted { reason: outage.how.clone(), patience, dials });
        }
        self.absence = Some(Absence::Lost(outage));
    }

    fn still_absent(&mut self) {
        if let Some((gone, left)) = self.absence.as_mut().and_then(|absence| absence.outage().tells()) {
            let words = format!("no sender for {}; waiting {} more for it", Span(gone), Span(left));
            self.server.reporter.tell(Event::Notice(words));
        }
    }

    fn never_came_back(&mut self, given_up: impl FnOnce(&Outage) -> String) {
        let session = &self.service.session;
        match self.absence.take() {
            Some(Absence::Recalled(outage))
                if self.service.again == Again::Possible && session.look(Receiver::may_be_replaced) =>
            {
                let words = format!("{}; waiting for a new session", given_up(&outage));
                self.server.reporter.tell(Event::Warning(words));
                session.change(Receiver::replace);
            }
            Some(Absence::Recalled(outage) | Absence::Lost(outage)) => {
                session.change(|s| s.peer_lost(&given_up(&outage)));
            }
            None => {}
        }
    }

    fn nobody_came(&self, door: &Door) {
        let failure = door.strangers.nobody_came(Party::Receiver, self.service.wait.unwrap_or_default());
        self.service.session.change(|s| s.fail(failure));
    }
}

/// How long a sender that would try to come back for `retry_for`, or take this side back, is waited for.
fn patience(end: LinkEnd, retry_for: Duration) -> Duration {
    match end {
        LinkEnd::Listener => listener_waits(retry_for),
        LinkEnd::Dialer => retry_for,
    }
}

/// What there is to say of a sender that has not come back, or was not found again.
fn given_up(end: LinkEnd) -> fn(&Outage) -> String {
    match end {
        LinkEnd::Listener => |outage| match outage.patience.is_zero() {
            true => format!("{}; it does not come back (its --retry-for is 0)", outage.how),
            false => {
                let patience = Span(outage.patience);
                format!("{}; the sender did not come back within {patience} (its --retry-for and 30 s)", outage.how)
            }
        },
        LinkEnd::Dialer => |outage| {
            let patience = Span(outage.patience);
            format!("{}; it was not reached again within {patience} (its --retry-for)", outage.how)
        },
    }
}

/// Sleeps until a moment that may never come.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
