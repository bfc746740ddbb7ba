//! The path that the present link takes, for whoever wants to know how it does.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use quinn::Connection;

use super::canonical;

/// Where the connection of the present link can be looked at from other threads.
#[derive(Debug, Default)]
pub struct CurrentPath(Mutex<Option<Connection>>);

impl CurrentPath {
    /// A link has come; it is the present one until the guard is dropped.
    pub fn enter(&self, connection: Connection) -> OnPath<'_> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
        OnPath(self)
    }

    /// How it does; `None` while there is no link.
    pub fn report(&self) -> Option<PathReport> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(PathReport::of)
    }
}

/// Whoever holds it has the present link.
#[derive(Debug)]
pub struct OnPath<'a>(&'a CurrentPath);

impl Drop for OnPath<'_> {
    fn drop(&mut self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// What became of a connection's packets, for whoever wants to know why it was as fast as it was.
#[derive(Clone, Copy, Debug)]
pub struct PathReport {
    /// The peer's present address.
    pub peer: SocketAddr,
    /// The smoothed round-trip time.
    pub round_trip: Duration,
    /// The largest datagram that passes, in bytes of UDP payload.
    pub mtu: u16,
    /// The congestion window in bytes.
    pub congestion_window: u64,
    /// Packets sent.
    pub sent: u64,
    /// Bytes of UDP payload sent.
    pub sent_bytes: u64,
    /// Packets taken for lost.
    pub lost: u64,
    /// How often the congestion controller saw a reason to slow down.
    pub congestion_events: u64,
    /// Datagrams to a system call: near 10 with segmentation offload, 1 without.
    pub datagrams_per_call: f64,
}

impl PathReport {
    /// How `connection` does now.
    pub fn of(connection: &Connection) -> PathReport {
        let stats = connection.stats();
        PathReport {
            peer: canonical(connection.remote_address()),
            round_trip: stats.path.rtt,
            mtu: stats.path.current_mtu,
            congestion_window: stats.path.cwnd,
            sent: stats.path.sent_packets,
            sent_bytes: stats.udp_tx.bytes,
            lost: stats.path.lost_packets,
            congestion_events: stats.path.congestion_events,
            datagrams_per_call: stats.udp_tx.datagrams as f64 / stats.udp_tx.ios.max(1) as f64,
        }
    }
}

impl fmt::Display for PathReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "path: round trip {:.1} ms, MTU {}, congestion window {} KiB, {} of {} packets lost in {} events, {:.1} datagrams to a call",
            self.round_trip.as_secs_f64() * 1e3,
            self.mtu,
            self.congestion_window >> 10,
            self.lost,
            self.sent,
            self.congestion_events,
            self.datagrams_per_call,
        )
    }
}
