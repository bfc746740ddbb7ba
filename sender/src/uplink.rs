//! What a link does on the sending side: control messages both ways on the main one, and blocks out on each.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use xbproto::link::{Connection, CurrentPath, Link, LinkError, Lost, converse, write_block};
use xbproto::meter::Gauge;
use xbproto::quic::Tuning;
use xbproto::session::{LinkId, SILENCE, Sender, Sign, Vitality};
use xbproto::shared::Shared;
use xbproto::throttle::Throttle;

use crate::outbox::{Outbox, Turn};

/// How often the send window follows the path's round-trip time under a rate limit.
const RETUNE: Duration = Duration::from_secs(1);

/// How often a link is looked at, of several: a few times before it counts as silent.
const LOOK: Duration = Duration::from_millis(SILENCE.as_millis() as u64 / 4);

/// What one of several links may hold beyond half as much again as its congestion window, in bytes: enough to keep a
/// short path busy.
const AHEAD: u64 = 256 << 10;

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
    /// How many links there are to be.
    pub links: u8,
    /// Where the present links can be looked at.
    pub path: Arc<CurrentPath>,
}

impl Uplink {
    /// Serves the session over `link`, its main one, until the session is over, or the link is.
    ///
    /// # Errors
    /// [`Lost`] when the link ended before the session, or before the receiver knows how that ended.
    pub async fn run(&self, link: Link) -> Result<(), Lost> {
        self.session.change(Sender::link_up);
        let _on_path = self.path.enter(link.connection.clone());
        let blocks = |connection: Connection| async move {
            tokio::select! {
                biased;
                pushed = self.push_blocks(LinkId::MAIN, &connection) => pushed,
                lost = self.retune(&connection) => lost,
                lost = self.look_after_main(&connection) => lost,
            }
        };
        converse(&self.session, link, self.tuning.liveness, blocks).await
    }

    /// Sends blocks, the oldest first; those that another link has failed to bring before all.
    pub(crate) async fn push_blocks(&self, link: LinkId, connection: &Connection) -> Result<(), LinkError> {
        for age in 1.. {
            let (turn, block) = self.outbox.next(link).await;
            let age = if turn == Turn::Again { 0 } else { age };
            if self.links > 1 {
                connection.hold_at_most(self.send_window(connection));
            }
            write_block(connection, block, age, &self.throttle, &self.gauge).await?;
        }
        Ok(())
    }

    /// How many bytes a connection may hold. One of several holds little more than what is on its way, so that
    /// the others have a share and no block waits behind many on a slow path.
    fn send_window(&self, connection: &Connection) -> u64 {
        let path = connection.report();
        let all = self.tuning.send_window(path.round_trip);
        match self.links {
            0 | 1 => all,
            _ => all.min(path.congestion_window.map_or(all, |window| window * 3 / 2 + AHEAD)),
        }
    }

    /// Keeps the send window in step with the round-trip time; ends with the connection.
    pub(crate) async fn retune(&self, connection: &Connection) -> Result<(), LinkError> {
        loop {
            connection.hold_at_most(self.send_window(connection));
            tokio::select! {
                biased;
                error = connection.closed() => return Err(error),
                () = sleep(RETUNE) => {}
            }
        }
    }

    /// Looks after the main link, if there are others that could help it out.
    async fn look_after_main(&self, connection: &Connection) -> Result<(), LinkError> {
        if self.links <= 1 {
            return std::future::pending().await;
        }
        let begun = Instant::now();
        loop {
            self.until_quiet(LinkId::MAIN, connection, begun).await;
            self.session.change(Sender::beat);
        }
    }

    /// Tells the session again and again how a link does that has `begun` then. Ends when nothing has been acknowledged
    /// for a moment: whoever says something then makes that there is something to acknowledge.
    pub(crate) async fn until_quiet(&self, link: LinkId, connection: &Connection, begun: Instant) {
        loop {
            sleep(LOOK).await;
            let (acknowledgements, round_trip) = (connection.acknowledgements(), connection.report().round_trip);
            let sign = Sign { acknowledgements, at: begun.elapsed(), round_trip };
            if self.session.change(|s| s.look_at(link, sign)) != Vitality::Well {
                return;
            }
        }
    }
}
