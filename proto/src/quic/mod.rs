//! Links over QUIC: endpoints, the handshake of the key, control messages and blocks.
//!
//! An endpoint is made from a configuration and any socket, so that a simulated network carries
//! exactly what a real one does.

mod block;
mod buffers;
mod congestion;
mod control;
mod conversation;
mod endpoint;
mod error;
mod handshake;
mod link;
mod outage;
mod path;
mod route;
mod socket;
mod tuning;

pub use block::{Incoming, begin_block, write_block};
pub use buffers::{BufferLimit, ReceiveBuffer};
pub use congestion::Congestion;
pub use control::{ControlError, ControlReader, ControlWriter};
pub use conversation::{Lost, converse, watch};
pub use endpoint::{Acceptor, connect, dialer, listener, listener_config};
pub use error::LinkError;
pub use handshake::{Admission, TurnedAway, admit, knock};
pub use link::{ClosedAtLast, Link, canonical};
pub use outage::Outage;
pub use path::{CurrentPath, OnPath, PathReport};
pub use route::{FindRoute, Route};
pub use socket::{Family, SocketError, bind};
pub use tuning::Tuning;
