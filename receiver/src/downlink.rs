//! One link's life on the receiving side: control messages both ways, and blocks in.

use std::sync::Arc;

use quinn::{Connection, RecvStream};
use tokio::task::JoinSet;
use xbproto::failure::Party;
use xbproto::quic::{Link, LinkError, begin_block, converse};
use xbproto::session::Receiver;
use xbproto::shared::Shared;

/// What the links of a session share.
#[derive(Clone, Debug)]
pub struct Downlink {
    /// The session whose blocks and messages they carry.
    pub session: Arc<Shared<Receiver>>,
}

impl Downlink {
    /// Serves the session over `link`, whose sender has greeted and was welcomed, until the session
    /// is over, or the link is.
    ///
    /// # Errors
    /// [`LinkError`] when the link ended before the session; the session is told nothing of why.
    pub async fn run(&self, link: Link) -> Result<(), LinkError> {
        converse(&self.session, link, |connection| self.take_blocks(connection)).await
    }

    /// Takes blocks off the connection as they arrive, however the sender interleaves them.
    async fn take_blocks(&self, connection: Connection) -> Result<(), LinkError> {
        let mut blocks = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                Some(block) = blocks.join_next() => match block {
                    Ok(taken) => taken?,
                    Err(panic) => return Err(LinkError::Lost(panic.to_string())),
                },
                stream = connection.accept_uni() => {
                    blocks.spawn(take_block(self.session.clone(), stream?));
                }
            }
        }
    }
}

/// Takes one block into the session, which is asked before memory is taken for it. A violation ends
/// the session.
async fn take_block(session: Arc<Shared<Receiver>>, stream: RecvStream) -> Result<(), LinkError> {
    let Some(incoming) = begin_block(stream).await? else { return Ok(()) };
    let (lane, offset, len) = (incoming.header.lane, incoming.header.offset, incoming.header.len as usize);
    let violated = match session.change(|s| s.begins(lane, offset, len)) {
        Ok(()) => match incoming.rest().await? {
            Some(block) => session.change(|s| s.arrived(block)).err(),
            None => {
                session.change(|s| s.given_up(lane, len));
                None
            }
        },
        Err(violation) => Some(violation),
    };
    if let Some(violation) = violated {
        session.change(|s| s.fail(violation.found_by(Party::Receiver)));
    }
    Ok(())
}
