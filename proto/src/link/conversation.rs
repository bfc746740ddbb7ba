//! A session's words over one link: heard, spoken, and the last one brought home.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::{Connection, ControlReader, ControlWriter, Link, LinkError};
use crate::failure::{Cause, Failure, Party};
use crate::liveness::Liveness;
use crate::place::Work;
use crate::quantity::Span;
use crate::session::{Farewell, Half};
use crate::shared::Shared;
use crate::wire::{CloseCode, Message};

/// How long the peer is given to hear our last word, and to close.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long the packets of a close may be behind the end of the streams.
const LAST_PACKETS: Duration = Duration::from_secs(1);

/// How a link ended before its session, or before the other side has heard how that ended.
#[derive(Clone, Debug)]
pub struct Lost {
    /// What became of the link.
    pub error: LinkError,
    /// How long nothing had been heard of the peer by then.
    pub silence: Duration,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.error {
            LinkError::Silent => write!(f, "no sign of life for {} (see --peer-timeout)", Span(self.silence)),
            error => error.fmt(f),
        }
    }
}

/// Carries the words of `session` over `link`, both ways and with the heart-beats of `liveness`, while
/// `blocks` carries its blocks, until the session is over and both sides know, or the link has ended.
///
/// # Errors
/// [`Lost`] when the link ended before; the session is told only that it is down.
pub async fn converse<H: Half, F>(
    session: &Shared<H>,
    link: Link,
    liveness: Liveness,
    blocks: impl FnOnce(Connection) -> F,
) -> Result<(), Lost>
where
    F: Future<Output = Result<(), LinkError>>,
{
    let Link { connection, mut reader, mut writer, version } = link;
    let mut heard = Instant::now();
    let ended = tokio::select! {
        biased;
        ended = hear(session, &mut reader, &mut heard) => ended,
        ended = speak(session, &mut writer) => ended,
        ended = blocks(connection.clone()) => ended,
        never = beat(session, liveness.heartbeat()) => never,
        () = overdue(session) => Ok(()),
    };
    let ended = ended.map_err(|error| connection.reason(error));
    let mut link = Link { connection, reader, writer, version };
    if let Err(error) = &ended {
        session.change(|half| learn(half, error));
    }
    let farewell = session.look(H::farewell);
    session.change(H::link_down);
    let parted = part(&mut link, H::PARTY, farewell, ended, heard).await;
    parted.map_err(|error| {
        // QUIC tells when it has heard nothing for so long. Messages may be held up by blocks, and say less.
        let silence = if let LinkError::Silent = error { liveness.peer_timeout() } else { Duration::ZERO };
        Lost { error, silence }
    })
}

/// Ends a link whose session is over: whoever heard the last word closes, so that it is heard.
async fn part(
    link: &mut Link,
    own: Party,
    farewell: Option<Farewell>,
    ended: Result<(), LinkError>,
    heard: Instant,
) -> Result<(), LinkError> {
    let Some(Farewell { last_word, code, reason }) = farewell else {
        let error = ended.err().unwrap_or(LinkError::Silent);
        link.close(CloseCode::Broken, &error.to_string());
        return Err(error);
    };
    if last_word != own {
        // QUIC never sends a close while there are blocks that the congestion window has no room for. The end of what
        // this side says goes before them, and acknowledges the last word.
        let _ = link.writer.finish().await;
        let _ = timeout(LAST_PACKETS, link.writer.delivered()).await;
        link.close(code, &reason);
        return Ok(());
    }
    let closed = match ended {
        Ok(()) => link.connection.close_reason(),
        Err(_) => link.closed_by_peer(LAST_PACKETS, code, &reason).await,
    };
    link.close(code, &reason);
    match closed {
        Some(LinkError::Closed { .. }) => Ok(()),
        // The last word was heard. The peer may be gone since, and its close with a lost packet.
        _ if timeout(Duration::ZERO, link.writer.delivered()).await == Ok(true) => Ok(()),
        // It was lost before the last word can have been heard.
        Some(lost) => Err(lost),
        None if heard.elapsed() >= PATIENCE => Err(LinkError::Silent),
        // The peer is there and does not close: it has been told as well as can be.
        None => Ok(()),
    }
}

/// Ends when the session has been over for so long that the peer should have heard, and have closed. Saying it may
/// itself not come to an end: on a link that is lost, or that the peer does not let anything through.
async fn overdue<H: Half>(session: &Shared<H>) {
    session.when(|half| half.farewell().map(|_| ())).await;
    sleep(PATIENCE).await;
}

/// Says again and again that this side is alive.
async fn beat<H: Half>(session: &Shared<H>, heartbeat: Duration) -> Result<(), LinkError> {
    loop {
        sleep(heartbeat).await;
        session.change(H::beat);
    }
}

/// Waits for the end of the thread that serves a session's links. One that ends before the session
/// does has panicked, and nobody else would ever notice: the session fails then.
pub async fn watch<H: Half>(thread: Work<()>, session: Arc<Shared<H>>) {
    let ended = thread.finished().await;
    session.change(|half| {
        if half.farewell().is_none() {
            let why = ended.err().map_or_else(|| "the link's thread ended early".to_owned(), |error| error.to_string());
            half.fail(Failure::new(Cause::Unforeseen, H::PARTY, why));
        }
    });
}

/// What the session learns from the end of its link, beyond that it is lost: the last words of a
/// peer whose control stream did not bring them, and that one side broke the protocol.
fn learn<H: Half>(half: &mut H, error: &LinkError) {
    let peer = |cause, reason: &str| Message::Abort(Failure::new(cause, H::PARTY.peer(), reason));
    let heard = match error {
        LinkError::Closed { code: CloseCode::Aborted(cause), reason } => peer(*cause, reason),
        LinkError::Closed { code: CloseCode::Violation, reason } => peer(Cause::Integrity, reason),
        LinkError::Closed { code: CloseCode::StateLost, reason } => peer(Cause::PeerLost, reason),
        LinkError::Closed { code: CloseCode::Busy | CloseCode::Version | CloseCode::WrongKey, reason } => {
            peer(Cause::Refused, reason)
        }
        LinkError::Wire(error) => return half.fail(Failure::new(Cause::Integrity, H::PARTY, error)),
        _ => return,
    };
    // An Abort is in order at any time, so no half ever refuses it.
    let _ = half.handle(heard);
}

/// Takes in what the peer says, until it has had the last word.
async fn hear<H: Half>(session: &Shared<H>, reader: &mut ControlReader, heard: &mut Instant) -> Result<(), LinkError> {
    loop {
        let Some(message) = reader.next().await? else {
            return Err(LinkError::Lost(format!("the {} ended the conversation", H::PARTY.peer())));
        };
        *heard = Instant::now();
        session.change(|half| {
            if let Err(violation) = half.handle(message) {
                half.fail(violation.found_by(H::PARTY));
            }
        });
        if session.look(|half| half.farewell().is_some_and(|farewell| farewell.last_word != H::PARTY)) {
            return Ok(());
        }
    }
}

/// Says what the session has to say, up to its last word.
async fn speak<H: Half>(session: &Shared<H>, writer: &mut ControlWriter) -> Result<(), LinkError> {
    loop {
        let message = session.when(|half| match half.next_message() {
            Some(message) => Some(Some(message)),
            None => half.farewell().map(|_| None),
        });
        match message.await {
            Some(message) => writer.send(&message).await?,
            None => {
                writer.finish().await?;
                // Whoever has heard it closes.
                std::future::pending().await
            }
        }
    }
}
