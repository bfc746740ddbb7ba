//! What a link does on the sending side: control messages both ways on the main one, and blocks out on each.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use xbproto::lane::MAX_BLOCK;
use xbproto::link::{Connection, CurrentPath, Link, LinkError, Lost, PathReport, converse, write_block};
use xbproto::meter::Gauge;
use xbproto::quantity::Rate;
use xbproto::quic::Tuning;
use xbproto::session::{LinkId, SILENCE, Sender, Sign, Vitality};
use xbproto::shared::Shared;
use xbproto::throttle::Throttle;
use xbproto::wire::EncodedBlock;

use crate::outbox::{Outbox, Turn};

/// How often the send window follows the path's round-trip time under a rate limit.
const RETUNE: Duration = Duration::from_secs(1);

/// How often it follows the path while a block is being written: the congestion window doubles a few times in a second.
const FOLLOW: Duration = Duration::from_millis(50);

/// How long a path may take to empty what a connection holds, unless that is less than two windows: a limit that comes
/// does not hold for it any more.
const BACKLOG: Duration = Duration::from_millis(250);

/// The longest piece of a block that one link alone takes at once, in bytes. Several hold little as it is, and a block is
/// to be with one of them as a whole before another one takes over.
const PIECE: usize = 256 << 10;

/// How often a link is looked at, of several: a few times before it counts as silent.
const LOOK: Duration = Duration::from_millis(SILENCE.as_millis() as u64 / 4);

/// What a link may hold beyond what its path takes in a while, in bytes: enough to keep a short path busy.
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
                // Before any block: it sets the limit that the receiver has said with its welcome.
                lost = self.retune(&connection) => lost,
                pushed = self.push_blocks(LinkId::MAIN, &connection) => pushed,
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
            self.write(block, age, connection).await?;
        }
        Ok(())
    }

    /// Writes a block, and keeps the send window in step with the path meanwhile: one link alone may hold much, where no
    /// limit bounds it.
    async fn write(&self, block: EncodedBlock, age: u64, connection: &Connection) -> Result<(), LinkError> {
        let piece = if self.links <= 1 { PIECE } else { MAX_BLOCK };
        let mut written = pin!(write_block(connection, block, age, piece, &self.throttle, &self.gauge));
        loop {
            let rate = self.rate();
            connection.hold_at_most(self.send_window(connection, rate));
            tokio::select! {
                biased;
                written = &mut written => return written,
                () = sleep(FOLLOW), if self.links <= 1 && rate.is_none() => {}
            }
        }
    }

    /// The limit that binds, if there is one.
    fn rate(&self) -> Option<Rate> {
        self.session.look(|s| s.limits().binding().map(|limit| limit.rate))
    }

    /// How many bytes a connection may hold. One of several holds little more than what is on its way, so that
    /// the others have a share and no block waits behind many on a slow path.
    fn send_window(&self, connection: &Connection, rate: Option<Rate>) -> u64 {
        let path = connection.report();
        let backlog = match self.links {
            0 | 1 => backlog(&path),
            _ => path.congestion_window.map_or(u64::MAX, |window| window * 3 / 2),
        };
        self.tuning.send_window(rate, path.round_trip).min(backlog.saturating_add(AHEAD))
    }

    /// Keeps the throttle in step with the limit that binds, and the send window with that and the round-trip time; ends
    /// with the connection.
    pub(crate) async fn retune(&self, connection: &Connection) -> Result<(), LinkError> {
        loop {
            let limits = self.session.look(Sender::limits);
            let rate = limits.binding().map(|limit| limit.rate);
            self.throttle.set(rate);
            connection.hold_at_most(self.send_window(connection, rate));
            tokio::select! {
                biased;
                error = connection.closed() => return Err(error),
                () = self.session.when(|s| (s.limits() != limits).then_some(())) => {}
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

/// What the path takes within [`BACKLOG`], or within two round trips if that is more; no bound where the kernel has one.
fn backlog(path: &PathReport) -> u64 {
    let trips = BACKLOG.as_secs_f64() / path.round_trip.as_secs_f64().max(1e-6);
    path.congestion_window.map_or(u64::MAX, |window| (window as f64 * trips.max(2.0)) as u64)
}
