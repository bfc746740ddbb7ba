//! Where senders come from: an open port, or a sender that listens and is dialled.

use std::net::SocketAddr;

use tokio::task::JoinSet;
use xbproto::cli::{Event, Reporter};
use xbproto::contact::{Arrival, Attempt, Comeback, Dialer, Greeting, Port, Route, reach};
use xbproto::failure::{Cause, Failure, Party};
use xbproto::link::{Eventually, Link, LinkError, Outage};
use xbproto::tls::Credentials;
use xbproto::tls::proof::LinkEnd;
use xbproto::wire::{CloseCode, Hello, Message, Purpose, SessionId};

/// A sender that has proved the key and said what it wants.
#[derive(Debug)]
pub struct Greeted {
    pub(crate) link: Link,
    pub(crate) hello: Hello,
}

/// Where senders come from.
#[derive(Debug)]
pub enum Entrance {
    /// They come by themselves.
    Port(Port<Greeted>),
    /// There is one, which waits to be dialled.
    Seeker(Box<Seeker>),
}

/// Who has come.
pub(crate) enum Visit {
    /// Somebody, who may be a sender.
    Arrival(Arrival<Greeted>),
    /// Nobody, and nobody will.
    Nobody(Failure),
    /// The sender that was lost was not found again, for this reason.
    NotAgain(String),
}

/// Whether a sender is wanted.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    /// There is one.
    Nobody,
    /// Any.
    Anybody,
    /// That of this session, since the link to it was lost.
    Again(SessionId, Outage),
}

impl Entrance {
    /// A port's, at which senders show and prove what these `credentials` demand.
    pub fn greeting(credentials: Credentials) -> Greeting<Greeted> {
        Greeting { credentials, role: Party::Receiver, first_words: hear_greeting }
    }

    /// A sender's that listens where `route` leads.
    pub fn seek(dialer: Dialer, route: Route, reporter: Reporter) -> Entrance {
        Entrance::Seeker(Box::new(Seeker { dialer, route, reporter, peer: None, search: JoinSet::new() }))
    }

    /// Which end of its links this side is.
    pub(crate) fn end(&self) -> LinkEnd {
        match self {
            Entrance::Port(_) => LinkEnd::Listener,
            Entrance::Seeker(_) => LinkEnd::Dialer,
        }
    }

    /// Waits for the next to come. Cancel-safe.
    pub(crate) async fn next(&mut self, wanted: Wanted) -> Visit {
        match self {
            Entrance::Port(port) => Visit::Arrival(port.next().await),
            Entrance::Seeker(seeker) => seeker.next(wanted).await,
        }
    }

    /// Sends everybody away, and looks for nobody any more.
    pub(crate) async fn close(&mut self) {
        match self {
            Entrance::Port(port) => port.close().await,
            Entrance::Seeker(seeker) => seeker.search.shutdown().await,
        }
    }
}

/// Dials a sender that listens.
#[derive(Debug)]
pub struct Seeker {
    dialer: Dialer,
    route: Route,
    reporter: Reporter,
    /// Where it was last.
    peer: Option<SocketAddr>,
    /// At most one search at a time.
    search: JoinSet<Result<Greeted, Missed>>,
}

/// What came of a search.
enum Missed {
    FirstTime(Failure),
    Again(String),
}

impl Seeker {
    async fn next(&mut self, wanted: Wanted) -> Visit {
        match wanted {
            Wanted::Nobody => {
                self.search.shutdown().await;
                std::future::pending().await
            }
            Wanted::Anybody if self.search.is_empty() => self.search_first(),
            Wanted::Again(session, outage) if self.search.is_empty() => self.search_again(session, outage),
            Wanted::Anybody | Wanted::Again(..) => {}
        }
        match self.search.join_next().await {
            Some(Ok(Ok(greeted))) => {
                let peer = greeted.link.peer();
                self.peer = Some(peer);
                Visit::Arrival(Arrival { peer, greeted: Ok(greeted) })
            }
            Some(Ok(Err(Missed::FirstTime(failure)))) => Visit::Nobody(failure),
            Some(Ok(Err(Missed::Again(reason)))) => Visit::NotAgain(reason),
            Some(Err(panic)) => Visit::Nobody(Failure::new(Cause::Unforeseen, Party::Receiver, panic)),
            None => std::future::pending().await,
        }
    }

    fn search_first(&mut self) {
        let (dialer, route, reporter) = (self.dialer.clone(), self.route.clone(), self.reporter.clone());
        reporter.tell(Event::Connecting { to: route.name.clone() });
        self.search.spawn(async move {
            let dial = |attempt| visit(&dialer, attempt, None);
            reach(&route, Party::Receiver, &reporter, dialer.tries(), dial).await.map_err(Missed::FirstTime)
        });
    }

    fn search_again(&mut self, session: SessionId, outage: Outage) {
        let (dialer, route, reporter, peer) =
            (self.dialer.clone(), self.route.clone(), self.reporter.clone(), self.peer);
        self.search.spawn(async move {
            let [.., a, b, c, d, e, f, g, h] = session.0;
            let mut comeback = Comeback::new(outage, peer, u64::from_be_bytes([a, b, c, d, e, f, g, h]));
            let dial = |attempt| visit(&dialer, attempt, Some(session));
            let found = comeback.search(&route, Party::Receiver, &reporter, dialer.tries(), dial);
            found.await.map_err(Missed::Again)
        });
    }
}

/// Dials a sender and hears what it wants. One that waits for another receiver to come back is not disturbed.
async fn visit(dialer: &Dialer, attempt: Attempt, known: Option<SessionId>) -> Result<Greeted, LinkError> {
    let greeted = hear_greeting(dialer.dial(attempt).await?).await?;
    if greeted.hello.purpose == Purpose::Resume && known != Some(greeted.hello.session) {
        let words = "the sender waits for another receiver to come back";
        greeted.link.close(CloseCode::Broken, words);
        return Err(LinkError::Lost(words.to_owned()));
    }
    Ok(greeted)
}

/// Hears what a sender that has proved the key wants.
fn hear_greeting(mut link: Link) -> Eventually<'static, Result<Greeted, LinkError>> {
    Box::pin(async {
        let said = link.reader.next().await;
        match said.map_err(|error| link.connection.reason(error.into()))? {
            Some(Message::Hello(hello)) => Ok(Greeted { link, hello }),
            Some(Message::Abort(failure)) => {
                link.close(CloseCode::Done, "");
                Err(LinkError::Closed { code: CloseCode::Busy, reason: failure.reason })
            }
            other => Err(LinkError::Stranger(format!("it greeted with {:?}", other.map(|m| m.name())))),
        }
    })
}
