//! A QUIC connection as what carries a link.

use std::net::SocketAddr;

use quinn::{Connection, RecvStream, SendStream, VarInt};

use super::block::Outgoing;
use crate::link::{
    self, BlockIn, BlockOut, Carrier, Control, ControlOut, ControlReader, ControlWriter, Eventually, Form, LinkError,
    MAX_REASON, Packets, PathReport, Room, canonical,
};
use crate::tls::proof::ChannelBinding;
use crate::wire::{CloseCode, EXPORTER_LABEL};

impl From<Connection> for link::Connection {
    fn from(connection: Connection) -> link::Connection {
        link::Connection::new(connection)
    }
}

impl Carrier for Connection {
    fn form(&self) -> Form {
        Form::Quic
    }

    fn open_control(&self) -> Eventually<'_, Result<Control, LinkError>> {
        Box::pin(async { Ok(control(self.open_bi().await?)) })
    }

    fn accept_control(&self) -> Eventually<'_, Result<Control, LinkError>> {
        Box::pin(async { Ok(control(self.accept_bi().await?)) })
    }

    fn channel_binding(&self) -> Result<ChannelBinding, LinkError> {
        let mut bytes = [0; 32];
        let exported = self.export_keying_material(&mut bytes, EXPORTER_LABEL, b"");
        exported.map_err(|_| LinkError::Stranger("TLS exports no secret".into()))?;
        Ok(ChannelBinding(bytes))
    }

    fn open_block(&self, age: u64) -> Eventually<'_, Result<Box<dyn BlockOut>, LinkError>> {
        Box::pin(async move { Ok(Box::new(Outgoing::new(self.open_uni().await?, age)) as Box<dyn BlockOut>) })
    }

    fn next_block(&self) -> Eventually<'_, Result<Box<dyn BlockIn>, LinkError>> {
        Box::pin(async { Ok(Box::new(self.accept_uni().await?) as Box<dyn BlockIn>) })
    }

    fn let_send(&self, room: Room) {
        let limit = |number| VarInt::from_u64(number).unwrap_or(VarInt::MAX);
        self.set_max_concurrent_uni_streams(limit(room.blocks));
        self.set_receive_window(limit(room.bytes));
    }

    fn hold_at_most(&self, bytes: u64) {
        self.set_send_window(bytes);
    }

    fn close(&self, code: CloseCode, reason: &str) {
        let reason = &reason[..reason.floor_char_boundary(MAX_REASON)];
        Connection::close(self, VarInt::from_u32(code.number()), reason.as_bytes());
    }

    fn close_reason(&self) -> Option<LinkError> {
        Connection::close_reason(self).map(LinkError::from)
    }

    fn closed(&self) -> Eventually<'_, LinkError> {
        Box::pin(async { Connection::closed(self).await.into() })
    }

    fn peer(&self) -> SocketAddr {
        self.remote_address()
    }

    fn report(&self) -> PathReport {
        let stats = self.stats();
        PathReport {
            links: 1,
            form: Form::Quic,
            peer: canonical(self.remote_address()),
            round_trip: stats.path.rtt,
            congestion_window: Some(stats.path.cwnd),
            sent_bytes: stats.udp_tx.bytes,
            congestion_events: stats.path.congestion_events,
            packets: Some(Packets {
                mtu: stats.path.current_mtu,
                sent: stats.path.sent_packets,
                lost: stats.path.lost_packets,
                datagrams_per_call: stats.udp_tx.datagrams as f64 / stats.udp_tx.ios.max(1) as f64,
            }),
        }
    }

    fn acknowledgements(&self) -> u64 {
        self.stats().frame_rx.acks
    }
}

fn control((send, receive): (SendStream, RecvStream)) -> Control {
    (ControlReader::new(receive), ControlWriter::new(send))
}

impl ControlOut for SendStream {
    fn delivered(&self) -> Eventually<'_, bool> {
        let stopped = self.stopped();
        Box::pin(async { matches!(stopped.await, Ok(None)) })
    }
}
