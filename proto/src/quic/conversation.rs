//! A session's words over one link: heard, spoken, and the last one brought home.

use std::future::Future;
use std::time::Duration;

use quinn::{Connection, RecvStream, SendStream};

use super::{ControlReader, ControlWriter, Link, LinkError};
use crate::session::Half;
use crate::shared::Shared;
use crate::wire::CloseCode;

/// How long the peer is given to close after it should have heard our last word.
const PATIENCE: Duration = Duration::from_secs(3);

/// Carries the words of `session` over `link`, both ways, while `blocks` carries its blocks, until
/// the session is over and both sides know, or the link has ended.
///
/// # Errors
/// [`LinkError`] when the link ended before the session; the session is told only that it is down.
pub async fn converse<H: Half, F>(
    session: &Shared<H>,
    link: Link,
    blocks: impl FnOnce(Connection) -> F,
) -> Result<(), LinkError>
where
    F: Future<Output = Result<(), LinkError>>,
{
    let Link { connection, mut reader, mut writer, version } = link;
    let ended = tokio::select! {
        biased;
        heard = hear(session, &mut reader) => heard,
        spoken = speak(session, &mut writer) => spoken,
        blocks = blocks(connection.clone()) => blocks,
    };
    // Whatever a stream says about its end, the connection knows the reason.
    let ended = ended.map_err(|error| connection.close_reason().map_or(error, LinkError::from));
    let link = Link { connection, reader, writer, version };
    let farewell = session.look(H::farewell);
    session.change(H::link_down);
    match farewell {
        None => {
            link.close(CloseCode::Violation, "this side gave up the link");
            ended
        }
        Some(farewell) if farewell.last_word == H::PARTY => {
            link.closed_by_peer(PATIENCE, farewell.code, &farewell.reason).await;
            Ok(())
        }
        Some(farewell) => {
            link.close(farewell.code, &farewell.reason);
            Ok(())
        }
    }
}

/// Takes in what the peer says, until it has had the last word.
async fn hear<H: Half>(session: &Shared<H>, reader: &mut ControlReader<RecvStream>) -> Result<(), LinkError> {
    loop {
        let Some(message) = reader.next().await? else {
            return Err(LinkError::Lost(format!("the {} ended the conversation", H::PARTY.peer())));
        };
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
async fn speak<H: Half>(session: &Shared<H>, writer: &mut ControlWriter<SendStream>) -> Result<(), LinkError> {
    loop {
        let message = session.when(|half| match half.next_message() {
            Some(message) => Some(Some(message)),
            None => half.farewell().map(|_| None),
        });
        match message.await {
            Some(message) => writer.send(&message).await?,
            None => return Ok(writer.finish().await?),
        }
    }
}
