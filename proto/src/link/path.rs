//! The paths that the present links take, for whoever wants to know how they do.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Connection, Form};

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
        self.present().main = Some(connection.clone());
        OnPath { path: self, connection }
    }

    /// A link has joined the main one; it is present until the guard is dropped.
    pub fn join(&self, connection: Connection) -> OnPath<'_> {
        self.present().joined.push(connection.clone());
        OnPath { path: self, connection }
    }

    /// How the main link does, with what became of the packets of all; `None` while there is no main link.
    pub fn report(&self) -> Option<PathReport> {
        let present = self.present();
        let main = present.main.as_ref()?.report();
        Some(present.joined.iter().map(|connection| connection.report()).fold(main, PathReport::and))
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever holds it has a present link.
#[derive(Debug)]
pub struct OnPath<'a> {
    path: &'a CurrentPath,
    connection: Connection,
}

impl Drop for OnPath<'_> {
    fn drop(&mut self) {
        let mut present = self.path.present();
        present.main.take_if(|connection| connection.is(&self.connection));
        present.joined.retain(|connection| !connection.is(&self.connection));
    }
}

/// What became of a connection's packets, for whoever wants to know why it was as fast as it was.
#[derive(Clone, Copy, Debug)]
pub struct PathReport {
    /// How many links there are. Packets, bytes, events and the congestion window are those of all of them, the rest is the
    /// main link's.
    pub links: usize,
    /// The main link's form.
    pub form: Form,
    /// The peer's present address.
    pub peer: SocketAddr,
    /// The smoothed round-trip time.
    pub round_trip: Duration,
    /// The congestion window in bytes, where it is this program's and not the kernel's.
    pub congestion_window: Option<u64>,
    /// Bytes sent, as they travel.
    pub sent_bytes: u64,
    /// How often the congestion controller saw a reason to slow down.
    pub congestion_events: u64,
    /// What became of the packets, where this program sends them and not the kernel.
    pub packets: Option<Packets>,
}

/// What became of packets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Packets {
    /// The largest datagram that passes, in bytes of UDP payload.
    pub mtu: u16,
    /// Packets sent.
    pub sent: u64,
    /// Packets taken for lost.
    pub lost: u64,
    /// Datagrams to a system call: near 10 with segmentation offload, 1 without.
    pub datagrams_per_call: f64,
}

impl PathReport {
    /// With what became of the packets of another link.
    fn and(self, other: PathReport) -> PathReport {
        PathReport {
            links: self.links + other.links,
            congestion_window: self.congestion_window.zip(other.congestion_window).map(|(main, other)| main + other),
            sent_bytes: self.sent_bytes + other.sent_bytes,
            congestion_events: self.congestion_events + other.congestion_events,
            packets: self.packets.zip(other.packets).map(|(main, other)| main.and(other)),
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
        if self.form == Form::Tcp {
            f.write_str("over TCP, ")?;
        }
        write!(f, "round trip {:.1} ms", self.round_trip.as_secs_f64() * 1e3)?;
        if let Some(window) = self.congestion_window {
            write!(f, ", congestion window {} KiB, {} slow-downs", window >> 10, self.congestion_events)?;
        }
        match self.packets {
            Some(Packets { mtu, sent, lost, datagrams_per_call: rate }) => {
                write!(f, ", MTU {mtu}, {lost} of {sent} packets lost, {rate:.1} datagrams to a call")
            }
            None => Ok(()),
        }
    }
}

impl Packets {
    /// With those of another link.
    fn and(self, other: Packets) -> Packets {
        Packets { sent: self.sent + other.sent, lost: self.lost + other.lost, ..self }
    }
}
