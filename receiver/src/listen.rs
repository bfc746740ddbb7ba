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
use xbproto::quic::{Admission, Link, LinkError, Tuning, admit, canonical};
use xbproto::session::{LinkRefused, Receiver};
use xbproto::shared::Shared;
use xbproto::wire::{CloseCode, Hello, Message, Purpose, VERSIONS};

use crate::downlink::Downlink;
use crate::strangers::{Strangers, TurnedAway};

/// How long a peer may take from its first packet to its greeting.
const ADMISSION: Duration = Duration::from_secs(10);

/// Peers that may be at it at the same time.
const ADMISSIONS: usize = 64;

/// How long a peer is given to read a refusal before the connection is closed.
const REFUSAL: Duration = Duration::from_secs(2);

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
    greeted: Result<(Link, Hello), LinkError>,
}

impl Listener {
    /// Serves one session from its first link to its end. The session knows then how it ended.
    pub async fn serve(self) {
        let begun = Instant::now();
        let deadline = self.wait.map(|wait| begun + wait);
        let mut strangers = Strangers::default();
        let mut arrivals = JoinSet::new();
        let mut link = JoinSet::new();
        loop {
            let session_open = self.session.look(|s| s.session().is_none());
            tokio::select! {
                biased;
                Some(ended) = link.join_next() => {
                    self.link_ended(ended);
                    break;
                }
                Some(arrival) = arrivals.join_next() => {
                    let Ok(arrival) = arrival else { continue };
                    self.arrived(arrival, begun.elapsed(), &mut strangers, &mut link);
                }
                () = self.session.when(|s| s.outcome().map(|_| ())), if link.is_empty() => break,
                Some(incoming) = self.endpoint.accept() => {
                    if arrivals.len() < ADMISSIONS {
                        arrivals.spawn(greeting(incoming, self.key.clone(), self.tuning));
                    } else {
                        incoming.ignore();
                    }
                }
                () = until(deadline), if session_open => self.nobody_came(&strangers),
            }
        }
        arrivals.shutdown().await;
    }

    fn arrived(
        &self,
        arrival: Arrival,
        now: Duration,
        strangers: &mut Strangers,
        link: &mut JoinSet<Result<(), LinkError>>,
    ) {
        match arrival.greeted {
            Ok((greeted, hello)) if hello.purpose == Purpose::Check => self.checked(greeted, &hello),
            Ok((greeted, hello)) => self.welcome(greeted, hello, link),
            Err(LinkError::Closed { code: CloseCode::Version, reason }) => self.incompatible(reason),
            Err(error) => {
                let why = match error {
                    LinkError::Closed { code: CloseCode::WrongKey, .. } => TurnedAway::WrongKey,
                    _ => TurnedAway::NotAPeer,
                };
                if strangers.turned_away(arrival.peer.ip(), why, now) {
                    self.reporter.tell(Event::Stranger { peer: arrival.peer, why: error.to_string() });
                }
            }
        }
    }

    /// The sender has come (or another one, which is refused).
    fn welcome(&self, greeted: Link, hello: Hello, link: &mut JoinSet<Result<(), LinkError>>) {
        let (peer, session) = (greeted.peer(), hello.session);
        match self.session.change(|s| s.link_up(hello)) {
            Ok(()) => {
                self.reporter.session(session.into());
                self.reporter.tell(Event::Connected { peer });
                let downlink = Downlink { session: self.session.clone() };
                link.spawn(async move { downlink.run(greeted).await });
            }
            Err(refused) => {
                self.reporter.tell(Event::Stranger { peer, why: refused.to_string() });
                refuse(greeted, &refused);
            }
        }
    }

    /// Answers a sender that only wants to know.
    fn checked(&self, mut greeted: Link, hello: &Hello) {
        self.reporter.tell(Event::Notice(format!("checked by {}", greeted.peer())));
        let welcome = self.session.look(|s| s.check(hello));
        tokio::spawn(async move {
            let _ = greeted.writer.send(&Message::Welcome(welcome)).await;
            greeted.closed_by_peer(REFUSAL, CloseCode::Done, "checked").await;
        });
    }

    /// A peer with the right key that speaks no version this side does: waiting on would not help.
    fn incompatible(&self, reason: String) {
        if self.session.look(|s| s.session().is_none()) {
            self.session.change(|s| s.fail(Failure::new(Cause::Refused, Party::Receiver, reason)));
        }
    }

    fn link_ended(&self, ended: Result<Result<(), LinkError>, JoinError>) {
        let lost = match ended {
            Ok(Ok(())) => return,
            Ok(Err(error @ LinkError::Wire(_))) => {
                return self.session.change(|s| s.fail(Failure::new(Cause::Integrity, Party::Receiver, error)));
            }
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
        let mut link = admit(incoming.await?, admission).await?;
        match link.reader.next().await? {
            Some(Message::Hello(hello)) => Ok((link, hello)),
            other => Err(LinkError::Stranger(format!("it greeted with {:?}", other.map(|m| m.name())))),
        }
    };
    let greeted = timeout(ADMISSION, greeted).await;
    Arrival {
        peer,
        greeted: greeted.unwrap_or_else(|_| Err(LinkError::Lost("it took too long to prove itself".into()))),
    }
}

/// Tells an authenticated sender why it cannot be served, and closes.
fn refuse(mut greeted: Link, refused: &LinkRefused) {
    let (cause, code) = match refused {
        LinkRefused::Busy { .. } => (Cause::Refused, CloseCode::Busy),
        LinkRefused::Violation(_) => (Cause::Integrity, CloseCode::Violation),
    };
    let reason = refused.to_string();
    tokio::spawn(async move {
        let failure = Failure::new(cause, Party::Receiver, &reason);
        let _ = greeted.writer.send(&Message::Abort(failure)).await;
        greeted.closed_by_peer(REFUSAL, code, &reason).await;
    });
}

/// Sleeps until a moment that may never come.
async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
