//! A TCP connection as what carries a link.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, split};
use tokio::sync::{Mutex, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_rustls::TlsStream;

use super::block::{Arriving, Outgoing, Part, how_it_ended};
use super::control::{Heard, Said};
use super::drivers::Drivers;
use super::inbound::Inbound;
use super::outbound::Outbound;
use super::state::State;
use crate::link::{
    BlockIn, BlockOut, Carrier, Connection, Control, ControlReader, ControlWriter, Eventually, Form, LinkError,
    PathReport, Room, canonical,
};
use crate::liveness::Liveness;
use crate::shared::Shared;
use crate::tls::proof::ChannelBinding;
use crate::wire::{CloseCode, EXPORTER_LABEL};

/// Control that may wait in either direction, in bytes: two of the longest messages. A stranger has no more here than that
/// and what TLS holds.
const CONTROL: usize = 128 << 10;

/// Parts of blocks that may wait to be written: the next one, while one is being written.
const AHEAD: usize = 2;

/// Blocks that may have begun to arrive before somebody takes them.
const BEGUN: usize = 1;

/// The handle of a connection; dropping it closes it.
struct TcpCarrier {
    state: Arc<Shared<State>>,
    peer: SocketAddr,
    channel: ChannelBinding,
    /// This side's end of the control stream, until it is opened.
    control: std::sync::Mutex<Option<DuplexStream>>,
    parts: mpsc::Sender<Part>,
    /// Whose turn it is to write a block.
    turn: Arc<Mutex<()>>,
    blocks: Mutex<mpsc::Receiver<Arriving>>,
}

/// What is known of a connection when its TLS is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Made {
    pub(super) peer: SocketAddr,
    pub(super) liveness: Liveness,
    /// How long the peer took to answer; zero if it was not asked.
    pub(super) round_trip: Duration,
}

/// Makes a connection of a TLS stream, with its tasks among the `drivers`.
///
/// # Errors
/// When TLS exports no secret.
pub(super) fn carry<S>(stream: TlsStream<S>, made: Made, drivers: &Drivers) -> Result<Connection, LinkError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let Made { peer, liveness, round_trip } = made;
    let channel = channel_binding(&stream)?;
    let (read, write) = split(stream);
    let (near, far) = tokio::io::duplex(CONTROL);
    let (control_out, control_in) = split(far);
    let (parts, outgoing) = mpsc::channel(AHEAD);
    let (arriving, blocks) = mpsc::channel(BEGUN);
    let state = Arc::new(Shared::new(State::new(round_trip)));
    let begun = Instant::now();
    let inbound = Inbound {
        stream: read,
        arrived: BytesMut::new(),
        control: Some(control_in),
        blocks: arriving,
        block: None,
        state: state.clone(),
        begun,
        patience: liveness.peer_timeout(),
    };
    let mut pings = interval_at(begun + liveness.heartbeat(), liveness.heartbeat());
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let outbound = Outbound {
        stream: write,
        pending: BytesMut::new(),
        control: Some(control_out),
        words: BytesMut::new(),
        blocks: outgoing,
        pings,
        begun,
        state: state.clone(),
    };
    drivers.spawn(inbound.run());
    drivers.spawn(outbound.run());
    let control = std::sync::Mutex::new(Some(near));
    let (turn, blocks) = (Arc::new(Mutex::new(())), Mutex::new(blocks));
    Ok(Connection::new(TcpCarrier { state, peer, channel, control, parts, turn, blocks }))
}

fn channel_binding<S>(stream: &TlsStream<S>) -> Result<ChannelBinding, LinkError> {
    let (label, context) = (EXPORTER_LABEL, Some(&b""[..]));
    let exported = match stream {
        TlsStream::Client(client) => client.get_ref().1.export_keying_material([0; 32], label, context),
        TlsStream::Server(server) => server.get_ref().1.export_keying_material([0; 32], label, context),
    };
    exported.map(ChannelBinding).map_err(|_| LinkError::Stranger("TLS exports no secret".into()))
}

impl TcpCarrier {
    fn control(&self) -> Result<Control, LinkError> {
        let control = self.control.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let control = control.ok_or_else(|| LinkError::Lost("there is one control stream only".into()))?;
        let (read, write) = split(control);
        let heard = Heard { stream: read, state: self.state.clone() };
        let said = Said { stream: write, state: self.state.clone() };
        Ok((ControlReader::new(heard), ControlWriter::new(said)))
    }
}

impl Carrier for TcpCarrier {
    fn form(&self) -> Form {
        Form::Tcp
    }

    fn open_control(&self) -> Eventually<'_, Result<Control, LinkError>> {
        Box::pin(async { self.control() })
    }

    fn accept_control(&self) -> Eventually<'_, Result<Control, LinkError>> {
        Box::pin(async { self.control() })
    }

    fn channel_binding(&self) -> Result<ChannelBinding, LinkError> {
        Ok(self.channel)
    }

    /// Blocks leave one after another; their age decides nothing.
    fn open_block(&self, _age: u64) -> Eventually<'_, Result<Box<dyn BlockOut>, LinkError>> {
        Box::pin(async {
            let turn = self.turn.clone().lock_owned().await;
            let block = Outgoing::begin(self.parts.clone(), turn, self.state.clone()).await?;
            Ok(Box::new(block) as Box<dyn BlockOut>)
        })
    }

    fn next_block(&self) -> Eventually<'_, Result<Box<dyn BlockIn>, LinkError>> {
        Box::pin(async {
            let block = self.blocks.lock().await.recv().await;
            let block = block.ok_or_else(|| how_it_ended(&self.state))?;
            Ok(Box::new(block) as Box<dyn BlockIn>)
        })
    }

    /// How many does not matter: one at a time is under way, and no more of it is read than somebody takes.
    fn let_send(&self, _room: Room) {
        self.state.change(|s| s.takes_blocks = true);
    }

    /// That is the kernel's business, which keeps next to nothing that it has not sent.
    fn hold_at_most(&self, _bytes: u64) {}

    fn close(&self, code: CloseCode, reason: &str) {
        self.state.change(|s| s.close(code, reason));
    }

    fn close_reason(&self) -> Option<LinkError> {
        self.state.look(|s| s.ended().cloned())
    }

    fn closed(&self) -> Eventually<'_, LinkError> {
        Box::pin(self.state.when(|s| s.ended().cloned()))
    }

    fn peer(&self) -> SocketAddr {
        self.peer
    }

    fn report(&self) -> PathReport {
        self.state.look(|s| PathReport {
            links: 1,
            form: Form::Tcp,
            peer: canonical(self.peer),
            round_trip: s.round_trip,
            congestion_window: None,
            sent_bytes: s.sent_bytes,
            congestion_events: 0,
            packets: None,
        })
    }

    fn acknowledgements(&self) -> u64 {
        self.state.look(|s| s.pongs)
    }
}

impl fmt::Debug for TcpCarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpCarrier").field("peer", &self.peer).field("state", &self.state).finish_non_exhaustive()
    }
}

impl Drop for TcpCarrier {
    fn drop(&mut self) {
        self.state.change(|s| s.close(CloseCode::Broken, "this link is of no more use"));
    }
}
