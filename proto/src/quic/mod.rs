//! Links over QUIC: endpoints, connections that suit the route to their peer, blocks as streams.
//!
//! An endpoint is made from a configuration and any socket, so that a simulated network carries
//! exactly what a real one does.

mod block;
mod buffers;
mod carrier;
mod congestion;
mod endpoint;
mod error;
mod opening;
mod route;
mod socket;
mod tuning;

pub use buffers::{BufferLimit, ReceiveBuffer};
pub use congestion::Congestion;
pub use endpoint::{Acceptor, connect, dialer, listener, listener_config};
pub use opening::Opening;
pub use route::{FindRoute, Route};
pub(crate) use socket::bind_by;
pub use socket::{Family, SocketError, bind};
pub use tuning::Tuning;
