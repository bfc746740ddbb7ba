//! The open port: admits the sender, and turns everybody else away.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::{Endpoint, Incoming};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};
use xbproto::cli::{Event, Reporter};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::key::Key;
use xbproto::quic::{Admission, Link, LinkError, Tuning, TurnedAway, admit, canonical, path_report};
use xbproto::session::{LinkRefused, Receiver};
use xbproto::shared::Shared;
use xbproto::wire::{CloseCode, Hello, Message, Purpose, VERSIONS};

use crate::arrivals::Arrivals;
use crate::downlink::Downlink;
use crate::strangers::{Strangers, Why};

/// How long a peer may take from its first packet to its greeting.
const ADMISSION: Duration = Duration::from_secs(10);

/// How long a peer is given to read an answer that ends the connection.
const ANSWER: Duration = Duration::from_secs(2);

/// Answers that may be under way at the same time; beyond it the connection is just closed.
const ANSWERS: usize = 16;

/// What a listener needs to know.
#[derive(Debug)]
pub struct Listener {
    /// The port.
    pub endpoint: Endpoint,
    /// What a peer has to prove.
    pub key: Arc<Key>,
    /// What a peer with the key may use.
    pub tuning: Tuning,
    /// The one session it serves.
    pub session: Arc<Shared<Receiver>>,
    /// How long to wait for a sender; for ever if not set.
    pub wait: Option<Duration>,
    /// Who is told.
    pub reporter: Reporter,
}

/// Somebody who came, and what became of it.
struct Arrival {
    peer: SocketAddr,
    greeted: Result<(Link, Hello), TurnedAway>,
}

/// Who is here besides the sender.
struct Door {
    strangers: Strangers,
    arrivals: Arrivals<Arrival>,
    /// The link of the session: at most one.
    link: JoinSet<Result<(), LinkError>>,
    /// Goodbyes to those who are not served.
    answers: JoinSet<()>,
}

impl Listener {
    /// Serves one session from its first link to its end. The session knows then how it ended.
    pub async fn serve(self) {
        let begun = Instant::now();
        let deadline = self.wait.map(|wait| begun + wait);
        let mut door = Door {
            strangers: Strangers::default(),
            arrivals: Arrivals::default(),
            link: JoinSet::new(),
            answers: JoinSet::new(),
        };
        loop {
            let waiting = !self.session.look(Receiver::is_busy);
            tokio::select! {
                biased;
                Some(ended) = door.link.join_next() => {
                    self.link_ended(ended);
                    break;
                }
                arrival = door.arrivals.next() => self.arrived(arrival, begun.elapsed(), &mut door),
                Some(_) = door.answers.join_next() => {}
                () = self.session.when(|s| s.outcome().map(|_| ())), if door.link.is_empty() => break,
                Some(incoming) = self.endpoint.accept() => self.knocked(incoming, &mut door.arrivals),
                () = until(deadline), if waiting => self.nobody_came(&door.strangers),
            }
        }
        door.arrivals.close().await;
        while door.answers.join_next().await.is_some() {}
    }

    fn knocked(&self, incoming: Incoming, arrivals: &mut Arrivals<Arrival>) {
        if arrivals.is_crowded() && incoming.may_retry() {
            // Fails only for those who have shown their address already.
            let _ = incoming.retry();
            return;
        }
        let from = canonical(incoming.remote_address()).ip();
        arrivals.admit(from, greeting(incoming, self.key.clone(), self.tuning));
    }

    fn arrived(&self, arrival: Arrival, now: Duration, door: &mut Door) {
        let turned_away = match arrival.greeted {
            Ok((greeted, hello)) => return self.greeted(greeted, hello, door),
            Err(turned_away) => turned_away,
        };
        if let TurnedAway::Version { .. } = turned_away {
            self.incompatible(&turned_away);
        }
        let why = match turned_away {
            TurnedAway::WrongKey => Why::WrongKey,
            _ => Why::NotAPeer,
        };
        if door.strangers.turned_away(arrival.peer.ip(), why, now) {
            self.reporter.tell(Event::Stranger { peer: arrival.peer, why: turned_away.to_string() });
        }
    }

    /// A sender has come: ours, one that only wants to know, or one too many.
    fn greeted(&self, greeted: Link, hello: Hello, door: &mut Door) {
        let (peer, session) = (greeted.peer(), hello.session);
        let taken = match hello.purpose {
            Purpose::Check => self.session.look(|s| s.check(&hello)).map(Some),
            Purpose::Transfer => self.session.change(|s| s.link_up(hello)).map(|()| None),
        };
        match taken {
            Ok(None) => {
                self.reporter.session(session.into());
                self.reporter.tell(Event::Connected { peer });
                self.reporter.tell(Event::Detail(format!("protocol version {}", greeted.version)));
                let (downlink, reporter) = (Downlink { session: self.session.clone() }, self.reporter.clone());
                door.link.spawn(async move {
                    let connection = greeted.connection.clone();
                    let ended = downlink.run(greeted).await;
                    reporter.tell(Event::Detail(path_report(&connection)));
                    ended
                });
            }
            Ok(Some(welcome)) => {
                self.reporter.tell(Event::Notice(format!("checked by {peer}")));
                answer(greeted, Message::Welcome(welcome), CloseCode::Done, "checked".into(), door);
            }
            Err(refused) => {
                self.reporter.tell(Event::Stranger { peer, why: refused.to_string() });
                let (cause, code) = match refused {
                    LinkRefused::Busy { .. } => (Cause::Refused, CloseCode::Busy),
                    LinkRefused::Violation(_) => (Cause::Integrity, CloseCode::Violation),
                };
                let abort = Message::Abort(Failure::new(cause, Party::Receiver, &refused));
                answer(greeted, abort, code, refused.to_string(), door);
            }
        }
    }

    /// A peer with the right key that speaks no version this side does: waiting on would not help.
    fn incompatible(&self, turned_away: &TurnedAway) {
        self.session.change(|s| {
            if !s.is_busy() {
                s.fail(Failure::new(Cause::Refused, Party::Receiver, turned_away));
            }
        });
    }

    fn link_ended(&self, ended: Result<Result<(), LinkError>, JoinError>) {
        let lost = match ended {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(panic) => panic.to_string(),
        };
        self.session.change(|s| s.peer_lost(&format!("the link to the sender was lost: {lost}")));
    }

    fn nobody_came(&self, strangers: &Strangers) {
        let seconds = self.wait.unwrap_or_default().as_secs();
        let failure = match strangers.only_wrong_keys() {
            true => Failure::new(
                Cause::Refused,
                Party::Receiver,
                format!("within {seconds} s only senders with another key came; compare the keys of both sides"),
            ),
            false => Failure::new(Cause::PeerLost, Party::Receiver, format!("no sender came within {seconds} s")),
        };
        self.session.change(|s| s.fail(failure));
    }
}

/// From the first packet of a peer to its greeting.
async fn greeting(incoming: Incoming, key: Arc<Key>, tuning: Tuning) -> Arrival {
    let peer = canonical(incoming.remote_address());
    let admission = Admission { key: &key, role: Party::Receiver, versions: VERSIONS, tuning };
    let greeted = async {
        let mut link = admit(incoming.await.map_err(LinkError::from)?, admission).await?;
        match link.reader.next().await.map_err(LinkError::from)? {
            Some(Message::Hello(hello)) => Ok((link, hello)),
            other => Err(LinkError::Stranger(format!("it greeted with {:?}", other.map(|m| m.name()))).into()),
        }
    };
    let late = || Err(LinkError::Lost("it took too long to prove itself".into()).into());
    Arrival { peer, greeted: timeout(ADMISSION, greeted).await.unwrap_or_else(|_| late()) }
}

/// Says one thing to an authenticated sender that is not served further, and closes.
fn answer(mut greeted: Link, message: Message, code: CloseCode, reason: String, door: &mut Door) {
    if door.answers.len() >= ANSWERS {
        return greeted.close(code, &reason);
    }
    door.answers.spawn(async move {
        let _ = greeted.writer.send(&message).await;
        greeted.closed_by_peer(ANSWER, code, &reason).await;
    });
}

/// Sleeps until a moment that may never come.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
