//! Links of any form: the handshake of the key, control messages, blocks, and the end.
//!
//! What a connection does is the trait [`Carrier`]; its forms are [`quic`](crate::quic) and [`tcp`](crate::tcp). Nothing here
//! knows of those.

mod block;
mod carrier;
mod control;
mod conversation;
mod error;
mod established;
mod handshake;
mod outage;
mod path;

pub use block::{Incoming, begin_block, write_block};
pub use carrier::{
    BlockIn, BlockOut, Carrier, Connection, Control, ControlIn, ControlOut, Eventually, Form, Pieces, Room, Whole,
};
pub use control::{ControlError, ControlReader, ControlWriter};
pub use conversation::{Lost, converse, watch};
pub use error::LinkError;
pub use established::{ClosedAtLast, Link, MAX_REASON, canonical};
pub use handshake::{Admission, TurnedAway, admit, knock};
pub use outage::Outage;
pub use path::{CurrentPath, OnPath, Packets, PathReport};
