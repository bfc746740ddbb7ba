//! Where a transfer happens: two hosts and what is between them. One kind to a file.

mod emulated;
mod loopback;
mod namespace;
mod netem;
mod veth;

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};

pub(crate) use namespace::Namespace;

use emulated::Emulated;
use loopback::Loopback;
use netem::Netem;
use veth::Veth;

/// Two hosts, which may be one. Dropping it removes what was made.
pub(crate) trait Scenery: Sync {
    /// The host that sends.
    fn sender(&self) -> &Namespace;

    /// The host that receives.
    fn receiver(&self) -> &Namespace;

    /// The receiver's address, for the sender.
    fn address(&self) -> &str;
}

/// A scenery to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    /// One host talks to itself.
    Loopback,
    /// Two hosts, side by side, with this MTU.
    Veth(u16),
    /// Two hosts with a bottleneck between them.
    Long(Link),
}

/// A link that has a length, a width, and leaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Link {
    /// The round trip, in milliseconds.
    pub(crate) round_trip: u32,
    /// The bottleneck, in Mbit/s.
    pub(crate) rate: u32,
    /// Packets lost at random in each direction, in per cent.
    pub(crate) loss: f64,
}

impl Place {
    /// Builds it. Long links are made by the program `emulator`, if there is one, or by the kernel.
    pub(crate) fn build(self, emulator: Option<&Path>) -> Result<Box<dyn Scenery>> {
        let built: Result<Box<dyn Scenery>> = match (self, emulator) {
            (Place::Loopback, _) => Loopback::build().map(|scenery| Box::new(scenery) as _),
            (Place::Veth(mtu), _) => Veth::build(mtu).map(|scenery| Box::new(scenery) as _),
            (Place::Long(link), Some(program)) => Emulated::build(link, program).map(|scenery| Box::new(scenery) as _),
            (Place::Long(link), None) => Netem::build(link).map(|scenery| Box::new(scenery) as _),
        };
        built.with_context(|| format!("building {self}"))
    }

    /// The link, if it has one worth the name.
    pub(crate) fn link(self) -> Option<Link> {
        match self {
            Place::Long(link) => Some(link),
            Place::Loopback | Place::Veth(_) => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Loopback => write!(f, "loopback"),
            Place::Veth(mtu) => write!(f, "veth pair, MTU {mtu}"),
            Place::Long(Link { round_trip, rate, loss }) => {
                write!(f, "{rate} Mbit/s, {round_trip} ms round trip, {loss} % loss")
            }
        }
    }
}
