//! One link's life on the receiving side: control messages both ways, and blocks in.

use std::sync::Arc;

use quinn::Connection;
use tokio::task::JoinSet;
use xbproto::failure::{Cause, Failure, Party};
use xbproto::lane::Block;
use xbproto::quic::{Link, LinkError, converse, read_block};
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
