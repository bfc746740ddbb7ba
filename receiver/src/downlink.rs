//! The main link's life on the receiving side: control messages both ways, and blocks in.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio::time::sleep;
use xbproto::cli::{Event, Reporter};
use xbproto::failure::Party;
use xbproto::lane::{Block, LaneId};
use xbproto::link::{BlockIn, Connection, CurrentPath, Link, LinkError, Lost, begin_block, canonical, converse};
use xbproto::liveness::Liveness;
use xbproto::session::{Coming, Receiver, Violation};
use xbproto::shared::Shared;
use xbproto::wire::BlockHeader;

use crate::decode::Decoders;

/// What the main links of a session share.
#[derive(Clone, Debug)]
pub struct Downlink {
    /// The session whose blocks and messages they carry.
    pub session: Arc<Shared<Receiver>>,
    /// What makes compressed blocks what they were.
    pub decoders: Arc<Decoders>,
    /// How often this side says that it is alive.
    pub liveness: Liveness,
    /// Where the present link can be looked at.
    pub path: Arc<CurrentPath>,
    /// Who is told.
    pub reporter: Reporter,
}

impl Downlink {
    /// Serves the session over `link`, whose sender has greeted and was welcomed, until the session
    /// is over, or the link is.
    ///
    /// # Errors
    /// [`Lost`] when the link ended before the session, or before the sender knows how that ended.
    pub async fn run(&self, link: Link) -> Result<(), Lost> {
        let connection = link.connection.clone();
        let _on_path = self.path.enter(connection.clone());
        let blocks = |connection: Connection| async move {
            tokio::select! {
                biased;
                taken = take_blocks(&self.session, &self.decoders, &connection) => taken,
                never = self.follow(&connection) => never,
            }
        };
        let ended = converse(&self.session, link, self.liveness, blocks).await;
        self.reporter.tell(Event::Detail(connection.report().to_string()));
        ended
    }

    /// Tells when the sender has moved to another address: QUIC goes on without a word.
    async fn follow(&self, connection: &Connection) -> Result<(), LinkError> {
        let mut known = connection.peer();
        loop {
            sleep(self.liveness.heartbeat()).await;
            let now = connection.peer();
            if now != known {
                let words = format!("the sender's address is {} now, it was {}", canonical(now), canonical(known));
                self.reporter.tell(Event::Notice(words));
                known = now;
            }
        }
    }
}

/// Takes blocks off the connection as they arrive, however the sender interleaves them.
pub(crate) async fn take_blocks(
    session: &Arc<Shared<Receiver>>,
    decoders: &Arc<Decoders>,
    connection: &Connection,
) -> Result<(), LinkError> {
    let mut blocks = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            Some(block) = blocks.join_next() => match block {
                Ok(taken) => taken?,
                Err(panic) => return Err(LinkError::Lost(panic.to_string())),
            },
            block = connection.next_block() => {
                blocks.spawn(take_block(session.clone(), decoders.clone(), block?));
            }
        }
    }
}

/// Takes one block into the session, which is asked before memory is taken for it. A violation ends
/// the session.
async fn take_block(
    session: Arc<Shared<Receiver>>,
    decoders: Arc<Decoders>,
    block: Box<dyn BlockIn>,
) -> Result<(), LinkError> {
    let Some(incoming) = begin_block(block).await? else { return Ok(()) };
    let BlockHeader { lane, offset, len, .. } = incoming.header;
    let violated = match session.change(|s| s.begins(lane, offset, len as usize)) {
        Ok(Coming::Known) => return incoming.skip().await,
        Ok(Coming::OneTooMany) => return Err(LinkError::Lost("too many copies of blocks are under way".into())),
        Ok(Coming::New) => {
            let begun = Begun { session: &session, lane, offset, len: len as usize };
            match incoming.rest(decoders.pool()).await? {
                Some(encoded) => match decoders.decode(encoded).await {
                    Ok(block) => begun.arrived(block).err(),
                    Err(failure) => {
                        session.change(|s| s.fail(failure));
                        None
                    }
                },
                None => None,
            }
        }
        Err(violation) => Some(violation),
    };
    if let Some(violation) = violated {
        session.change(|s| s.fail(violation.found_by(Party::Receiver)));
    }
    Ok(())
}

/// A block that has begun to arrive. The session is told when it does not go on, whatever ends it: else no other would
/// have its room, for as long as the session lasts.
struct Begun<'a> {
    session: &'a Shared<Receiver>,
    lane: LaneId,
    offset: u64,
    len: usize,
}

impl Begun<'_> {
    fn arrived(self, block: Block) -> Result<(), Violation> {
        let session = self.session;
        std::mem::forget(self);
        session.change(|s| s.arrived(block))
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.session.change(|s| s.given_up(self.lane, self.offset, self.len));
    }
}
