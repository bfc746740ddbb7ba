//! One link's life on the sending side: control messages both ways, and blocks out.

use std::sync::Arc;
use std::time::Duration;

use quinn::{Connection, RecvStream, SendStream};
use xbproto::failure::Party;
use xbproto::meter::Gauge;
use xbproto::quic::{ControlReader, ControlWriter, Link, LinkError, Tuning, write_block};
use xbproto::session::{Sender, Sent};
use xbproto::shared::Shared;
use xbproto::throttle::Throttle;
use xbproto::wire::CloseCode;

/// How long the receiver is given to close after it has heard our last word.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often the send window follows the path's round-trip time under a rate limit.
const RETUNE: Duration = Duration::from_secs(1);

/// What the links of a session share.
#[derive(Clone, Debug)]
pub struct Uplink {
    /// The session whose blocks and messages they carry.
    pub session: Arc<Shared<Sender>>,
    /// Lets bytes pass to QUIC.
    pub throttle: Arc<Throttle>,
    /// Where waiting is counted.
    pub gauge: Arc<Gauge>,
    /// The transport's settings.
    pub tuning: Tuning,
}

impl Uplink {
    /// Serves the session over `link` until the session is over, or the link is.
    ///
    /// # Errors
    /// [`LinkError`] when the link ended before the session; the session is told nothing of why.
    pub async fn run(&self, link: Link) -> Result<(), LinkError> {
        self.session.change(Sender::link_up);
        let Link { connection, mut reader, mut writer, version } = link;
        let ended = tokio::select! {
            biased;
            heard = self.hear(&mut reader) => heard,
            spoken = self.speak(&mut writer) => spoken,
            pushed = self.push_blocks(&connection) => pushed,
            lost = self.retune(&connection) => lost,
        };
        // Whatever a stream says about its end, the connection knows the reason.
        let ended = ended.map_err(|error| connection.close_reason().map_or(error, LinkError::from));
        let link = Link { connection, reader, writer, version };
        let outcome = self.session.look(|s| s.outcome().cloned());
        self.session.change(Sender::link_down);
        match outcome {
            None => {
                link.close(CloseCode::Violation, "this side gave up the link");
                ended
            }
            Some(Sent::Checked(_)) => {
                link.close(CloseCode::Done, "checked");
                Ok(())
            }
            Some(Sent::Confirmed(_)) => {
                link.closed_by_peer(PATIENCE, CloseCode::Done, "confirmed").await;
                Ok(())
            }
            Some(Sent::Failed(failure)) if failure.party == Party::Receiver => {
                link.close(CloseCode::Aborted, "heard");
                Ok(())
            }
            Some(Sent::Failed(failure)) => {
                link.closed_by_peer(PATIENCE, CloseCode::Aborted, &failure.reason).await;
                Ok(())
            }
        }
    }

    /// Takes in what the receiver says, until the session is over.
    async fn hear(&self, reader: &mut ControlReader<RecvStream>) -> Result<(), LinkError> {
        loop {
            let Some(message) = reader.next().await? else {
                return Err(LinkError::Lost("the receiver ended the conversation".into()));
            };
            if let Err(violation) = self.session.change(|s| s.handle(message)) {
                self.session.change(|s| s.fail(violation.found_by(Party::Sender)));
            }
            if self.session.look(|s| matches!(s.outcome(), Some(Sent::Failed(f)) if f.party == Party::Receiver)) {
                return Ok(());
            }
        }
    }

    /// Says what the session has to say, up to its last word.
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

    /// Sends blocks, the oldest first.
    async fn push_blocks(&self, connection: &Connection) -> Result<(), LinkError> {
        for age in 0.. {
            let block = self.session.when(Sender::next_block).await;
            write_block(connection, block, age, &self.throttle, &self.gauge).await?;
        }
        Ok(())
    }

    /// Keeps the send window in step with the round-trip time; ends with the connection.
    async fn retune(&self, connection: &Connection) -> Result<(), LinkError> {
        loop {
            connection.set_send_window(self.tuning.send_window(connection.rtt()));
            tokio::select! {
                error = connection.closed() => return Err(error.into()),
                () = tokio::time::sleep(RETUNE) => {}
            }
        }
    }
}
