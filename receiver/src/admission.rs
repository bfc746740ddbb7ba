//! Whoever is at the door: from a first packet to a greeting, and what is answered to those who are not
//! served.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;
use xbproto::failure::Party;
use xbproto::link::{Admission, Link, LinkError, TurnedAway, admit, canonical};
use xbproto::quic::Opening;
use xbproto::session::LinkRefused;
use xbproto::tls::Credentials;
use xbproto::wire::{CloseCode, Hello, Message, VERSIONS};

use crate::arrivals::Arrivals;
use crate::strangers::Strangers;

/// How long a peer may take from its first packet to its greeting.
const ADMISSION: Duration = Duration::from_secs(10);

/// How long a peer is given to read an answer that ends the connection.
const ANSWER: Duration = Duration::from_secs(2);

/// Answers that may be under way at the same time; beyond it the connection is just closed.
const ANSWERS: usize = 16;

/// Somebody who came, and what became of it.
pub(crate) struct Arrival {
    pub(crate) peer: SocketAddr,
    pub(crate) greeted: Result<Greeted, TurnedAway>,
}

/// A sender that has proved the key and said what it wants.
pub(crate) struct Greeted {
    pub(crate) link: Link,
    pub(crate) hello: Hello,
}

/// A sender with another session, which waits to hear whether the running one is alive.
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
#[derive(Default)]
pub struct Door {
    pub(crate) strangers: Strangers,
    pub(crate) arrivals: Arrivals<Arrival>,
    /// Who is to have the next session, if this one is not alive. The latest counts.
    pub(crate) newcomer: Option<Newcomer>,
    /// Goodbyes to those who are not served.
    pub(crate) answers: JoinSet<()>,
}

impl Door {
    /// Says one thing to an authenticated sender that is not served further, and closes.
    pub(crate) fn answer(&mut self, mut link: Link, message: Message, refused: Option<&LinkRefused>) {
        let code = match refused {
            None => CloseCode::Done,
            Some(LinkRefused::Busy { .. }) => CloseCode::Busy,
            Some(LinkRefused::StateLost) => CloseCode::StateLost,
            Some(LinkRefused::NoMainLink | LinkRefused::TooManyLinks { .. }) => CloseCode::Broken,
            Some(LinkRefused::Violation(_)) => CloseCode::Violation,
        };
        let reason = refused.map_or_else(|| "checked".to_owned(), LinkRefused::to_string);
        if self.answers.len() >= ANSWERS {
            return link.close(code, &reason);
        }
        self.answers.spawn(async move {
            let _ = link.writer.send(&message).await;
            link.closed_by_peer(ANSWER, code, &reason).await;
        });
    }

    /// Sends everybody away, and waits until those who were answered have heard it.
    pub async fn close(mut self) {
        self.newcomer = None;
        self.arrivals.close().await;
        while self.answers.join_next().await.is_some() {}
    }
}

/// From the first packet of a peer to its greeting.
pub(crate) async fn greeting(opening: Opening, credentials: Credentials) -> Arrival {
    let peer = canonical(opening.remote_address());
    let admission = Admission { credentials: &credentials, role: Party::Receiver, versions: VERSIONS };
    let greeted = async {
        let mut link = admit(opening.await?.into(), admission).await?;
        match link.reader.next().await.map_err(LinkError::from)? {
            Some(Message::Hello(hello)) => Ok(Greeted { link, hello }),
            other => Err(LinkError::Stranger(format!("it greeted with {:?}", other.map(|m| m.name()))).into()),
        }
    };
    let late = || Err(LinkError::Lost("it took too long to prove itself".into()).into());
    Arrival { peer, greeted: timeout(ADMISSION, greeted).await.unwrap_or_else(|_| late()) }
}
