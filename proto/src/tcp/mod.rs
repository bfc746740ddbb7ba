//! Links over TCP, where UDP does not get through: TLS 1.3, and inside it the frames of [`crate::wire::Frame`].
//!
//! What QUIC does for a link is done here by two tasks: one reads, one writes. They belong to an
//! [`Endpoint`], as those of QUIC do, and end with the connection.
//!
//! Blocks are written one after another, and there is nothing that bounds each: the session bounds all of them
//! by its window, and a receiver always has room for one that keeps to it. Whoever does not keep to it is not read
//! any further. Congestion, retransmission and their windows are the kernel's.

mod block;
mod carrier;
mod control;
mod drivers;
mod endpoint;
mod inbound;
mod outbound;
mod socket;
mod state;
mod visitor;

#[cfg(test)]
mod tests;

pub use endpoint::{Endpoint, Incoming};
pub use socket::bind;
pub use visitor::{Plain, Visitor};
