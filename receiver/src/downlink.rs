//! One link's life on the receiving side: control messages both ways, and blocks in.

use std::sync::Arc;
use std::time::Duration;

use quinn::{Connection, RecvStream, SendStream};
use tokio::task::JoinSet;
use xbproto::failure::{Cause, Failure, Party};
use xbproto::lane::Block;
use xbproto::quic::{ControlReader, ControlWriter, Link, LinkError, read_block};
use xbproto::session::{Received, Receiver};
use xbproto::shared::Shared;
use xbproto::wire::CloseCode;

/// How long the sender is given to close after it has heard our last word.
const PATIENCE: Duration = Duration::from_secs(3);

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
        let Link { connection, mut reader, mut writer, version } = link;
        let ended = tokio::select! {
            biased;
            heard = self.hear(&mut reader) => heard,
            spoken = self.speak(&mut writer) => spoken,
            taken = self.take_blocks(&connection) => taken,
        };
        // Whatever a stream says about its end, the connection knows the reason.
        let ended = ended.map_err(|error| connection.close_reason().map_or(error, LinkError::from));
        let link = Link { connection, reader, writer, version };
        let outcome = self.session.look(|s| s.outcome().cloned());
        self.session.change(Receiver::link_down);
        match outcome {
            None => {
                link.close(CloseCode::Violation, "this side gave up the link");
                ended
            }
            Some(Received::Confirmed(_) | Received::Unacknowledged(_)) => {
                link.close(CloseCode::Done, "confirmed");
                Ok(())
            }
            Some(Received::Failed(failure)) if failure.party == Party::Sender => {
                link.close(CloseCode::Aborted, "heard");
                Ok(())
            }
            Some(Received::Failed(failure)) => {
                link.closed_by_peer(PATIENCE, CloseCode::Aborted, &failure.reason).await;
                Ok(())
            }
        }
    }

    /// Takes in what the sender says, until it has said its last word.
    async fn hear(&self, reader: &mut ControlReader<RecvStream>) -> Result<(), LinkError> {
        loop {
            let Some(message) = reader.next().await? else {
                return Err(LinkError::Lost("the sender ended the conversation".into()));
            };
            if let Err(violation) = self.session.change(|s| s.handle(message)) {
                self.session.change(|s| s.fail(violation.found_by(Party::Receiver)));
            }
            let over = self.session.look(|s| match s.outcome() {
                Some(Received::Confirmed(_) | Received::Unacknowledged(_)) => true,
                Some(Received::Failed(failure)) => failure.party == Party::Sender,
                None => false,
            });
            if over {
                return Ok(());
            }
        }
    }

    /// Says what the session has to say, up to its last word. A confirmed session has said it: then
    /// it is for the sender to be heard.
    async fn speak(&self, writer: &mut ControlWriter<SendStream>) -> Result<(), LinkError> {
        loop {
            let message = self.session.when(|s| match s.next_message() {
                Some(message) => Some(Some(message)),
                None => s.outcome().map(|_| None),
            });
            match message.await {
                Some(message) => writer.send(&message).await?,
                None => return Ok(writer.finish().await?),
            }
        }
    }

    /// Takes blocks off the connection as they arrive, however the sender interleaves them.
    async fn take_blocks(&self, connection: &Connection) -> Result<(), LinkError> {
        let mut blocks = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                Some(block) = blocks.join_next() => match block {
                    Ok(block) => self.arrived(block)?,
                    Err(panic) => return Err(LinkError::Lost(panic.to_string())),
                },
                stream = connection.accept_uni() => {
                    blocks.spawn(read_block(stream?));
                }
            }
        }
    }

    fn arrived(&self, block: Result<Block, LinkError>) -> Result<(), LinkError> {
        let failure = match block {
            Ok(block) => match self.session.change(|s| s.arrived(block)) {
                Ok(()) => return Ok(()),
                Err(violation) => violation.found_by(Party::Receiver),
            },
            Err(LinkError::Wire(error)) => Failure::new(Cause::Integrity, Party::Receiver, error),
            Err(lost) => return Err(lost),
        };
        self.session.change(|s| s.fail(failure));
        Ok(())
    }
}
