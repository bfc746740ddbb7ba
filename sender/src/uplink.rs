//! One link's life on the sending side: control messages both ways, and blocks out.

use std::sync::Arc;
use std::time::Duration;

use quinn::Connection;
use xbproto::meter::Gauge;
use xbproto::quic::{CurrentPath, Link, LinkError, Lost, Tuning, converse, write_block};
use xbproto::session::Sender;
use xbproto::shared::Shared;
use xbproto::throttle::Throttle;

use crate::outbox::Outbox;

/// How often the send window follows the path's round-trip time under a rate limit.
const RETUNE: Duration = Duration::from_secs(1);

/// What the links of a session share.
#[derive(Clone, Debug)]
pub struct Uplink {
    /// The session whose blocks and messages they carry.
    pub session: Arc<Shared<Sender>>,
    /// Where blocks come from.
    pub outbox: Outbox,
    /// Lets bytes pass to QUIC.
    pub throttle: Arc<Throttle>,
    /// Where waiting is counted.
    pub gauge: Arc<Gauge>,
    /// The transport's settings.
    pub tuning: Tuning,
    /// Where the present link can be looked at.
    pub path: Arc<CurrentPath>,
}

impl Uplink {
    /// Serves the session over `link` until the session is over, or the link is.
    ///
    /// # Errors
    /// [`Lost`] when the link ended before the session, or before the receiver knows how that ended.
    pub async fn run(&self, link: Link) -> Result<(), Lost> {
        self.session.change(Sender::link_up);
        let _on_path = self.path.enter(link.connection.clone());
        let blocks = |connection: Connection| async move {
            tokio::select! {
                biased;
                pushed = self.push_blocks(&connection) => pushed,
                lost = self.retune(&connection) => lost,
            }
        };
        converse(&self.session, link, self.tuning.liveness, blocks).await
    }

    /// Sends blocks, the oldest first.
    async fn push_blocks(&self, connection: &Connection) -> Result<(), LinkError> {
        for age in 0.. {
            let block = self.outbox.next().await;
            write_block(connection, block, age, &self.throttle, &self.gauge).await?;
        }
        Ok(())
    }

    /// Keeps the send window in step with the round-trip time; ends with the connection.
    async fn retune(&self, connection: &Connection) -> Result<(), LinkError> {
        loop {
            connection.set_send_window(self.tuning.send_window(connection.rtt()));
            tokio::select! {
                biased;
                error = connection.closed() => return Err(error.into()),
                () = tokio::time::sleep(RETUNE) => {}
            }
        }
    }
}
