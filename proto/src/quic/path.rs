//! The paths that the present links take, for whoever wants to know how they do.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quinn::Connection;

use super::canonical;

/// Where the connections of the present links can be looked at from other threads.
#[derive(Debug, Default)]
pub struct CurrentPath(Mutex<Present>);

#[derive(Debug, Default)]
struct Present {
    main: Option<Connection>,
    joined: Vec<Connection>,
}

impl CurrentPath {
    /// The main link has come; it is the present one until the guard is dropped.
    pub fn enter(&self, connection: Connection) -> OnPath<'_> {
        let id = connection.stable_id();
        self.present().main = Some(connection);
        OnPath { path: self, id }
    }

    /// A link has joined the main one; it is present until the guard is dropped.
    pub fn join(&self, connection: Connection) -> OnPath<'_> {
        let id = connection.stable_id();
        self.present().joined.push(connection);
        OnPath { path: self, id }
    }

    /// How the main link does, with what became of the packets of all; `None` while there is no main link.
    pub fn report(&self) -> Option<PathReport> {
        let present = self.present();
        let main = PathReport::of(present.main.as_ref()?);
        Some(present.joined.iter().map(PathReport::of).fold(main, PathReport::and))
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever holds it has a present link.
#[derive(Debug)]
pub struct OnPath<'a> {
    path: &'a CurrentPath,
    id: usize,
}

impl Drop for OnPath<'_> {
    fn drop(&mut self) {
        let mut present = self.path.present();
        present.main.take_if(|connection| connection.stable_id() == self.id);
        present.joined.retain(|connection| connection.stable_id() != self.id);
    }
}

/// What became of a connection's packets, for whoever wants to know why it was as fast as it was.
#[derive(Clone, Copy, Debug)]
pub struct PathReport {
    /// How many links there are. Packets, bytes, events and the congestion window are those of all of them, the rest is the
    /// main link's.
    pub links: usize,
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
            links: 1,
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

    /// With what became of the packets of another link.
    fn and(self, other: PathReport) -> PathReport {
        PathReport {
            links: self.links + other.links,
            congestion_window: self.congestion_window + other.congestion_window,
            sent: self.sent + other.sent,
            sent_bytes: self.sent_bytes + other.sent_bytes,
            lost: self.lost + other.lost,
            congestion_events: self.congestion_events + other.congestion_events,
            ..self
        }
    }
}

impl fmt::Display for PathReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("path: ")?;
        if self.links > 1 {
            write!(f, "{} links, ", self.links)?;
        }
        write!(
            f,
            "round trip {:.1} ms, MTU {}, congestion window {} KiB, {} of {} packets lost in {} events, {:.1} datagrams to a call",
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
