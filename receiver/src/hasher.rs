//! One lane of the session in order and hashed, ahead of its drain: the next bytes are hashed while those before them are
//! being written.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;
use xbproto::lane::{LaneDigest, LaneId};
use xbproto::meter::{Bottleneck, Gauge};
use xbproto::session::Receiver;
use xbproto::shared::Shared;
use xbproto::waiting::waiting_for;

/// How many pieces may be hashed and not yet taken by the drain. They count as not written, and so as part of the window.
pub const AHEAD: usize = 4;

/// The next bytes of a lane.
#[derive(Clone, Debug)]
pub struct Piece {
    /// At most one block.
    pub bytes: Bytes,
    /// The digest of the lane up to their end.
    pub digest: LaneDigest,
}

/// What puts one lane in order.
#[derive(Debug)]
pub struct Hasher {
    /// The lane's number.
    pub lane: LaneId,
    /// The session it is part of.
    pub session: Arc<Shared<Receiver>>,
    /// Where waiting is counted.
    pub gauge: Arc<Gauge>,
}

impl Hasher {
    /// Hands the lane to `drain`, from where the sink stands to its end, or until the session is over or nobody listens.
    pub async fn run(self, drain: mpsc::Sender<Piece>) {
        let mut digest = self.session.look(|s| s.digest(self.lane));
        while let Some(bytes) = waiting_for(Bottleneck::Network, &self.gauge, self.next()).await {
            digest.update(&bytes);
            if drain.send(Piece { bytes, digest: digest.clone() }).await.is_err() {
                return;
            }
        }
    }

    /// `None` when there is no more.
    async fn next(&self) -> Option<Bytes> {
        let next = self.session.when(|s| match s.next_bytes(self.lane) {
            Some(bytes) => Some(Some(bytes)),
            None => (s.outcome().is_some() || s.is_handed_out(self.lane)).then_some(None),
        });
        next.await
    }
}
