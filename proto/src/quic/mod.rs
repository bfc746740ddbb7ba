//! Links over QUIC: endpoints, the handshake of the key, control messages and blocks.
//!
//! An endpoint is made from a configuration and any socket, so that a simulated network carries
//! exactly what a real one does.

mod block;
mod control;
mod conversation;
mod endpoint;
mod error;
mod handshake;
mod link;
mod socket;
mod tuning;

pub use block::{Incoming, begin_block, write_block};
pub use control::{ControlError, ControlReader, ControlWriter};
pub use conversation::{converse, watch};
pub use endpoint::{dialer, listener};
pub use error::LinkError;
pub use handshake::{Admission, TurnedAway, admit, knock};
pub use link::{Link, canonical, path_report};
pub use socket::{Family, SocketError, bind};
pub use tuning::{IDLE_TIMEOUT, Tuning};
