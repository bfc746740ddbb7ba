//! How much may be in flight: a model of the path, in the spirit of BBR (draft-ietf-ccwg-bbr).
//!
//! Loss-based controllers take every lost packet for a full queue; on a long path that loses one packet in a
//! thousand by chance they stand still. This one measures what the path delivers and how long it takes when
//! its queue is empty, and keeps the product of the two in flight with a little headroom:
//!
//! ```text
//! window = delivery rate (the most of the last rounds) × round trip (the least of the last seconds) + headroom
//! ```
//!
//! The transport below paces at 1.25 windows to a smoothed round trip and takes no rate from a controller, so
//! **the window is the one knob**, and every phase of the model is a window.
//!
//! | module | owns |
//! |---|---|
//! | [`model`] | the parts below put together: acknowledgements and losses in, a window out |
//! | [`phase`] | startup, drain, cruise, the breathing between, and the way back from idleness |
//! | [`round`] | round trips, and what was delivered and lost in each |
//! | [`max_filter`] [`min_rtt`] | the most of the last rounds; the least of the last seconds |
//! | [`headroom`] | what goes beyond the product, for queues of hosts and lumps of acknowledgements |
//! | [`startup`] | when the first growth is over |
//! | [`ceiling`] | what heavy loss takes away |
//! | [`bandwidth`] | bytes over time |
//!
//! Times are from any fixed start. Nothing here knows which transport it serves.

pub mod bandwidth;
pub mod ceiling;
pub mod headroom;
pub mod max_filter;
pub mod min_rtt;
pub mod model;
pub mod phase;
pub mod round;
pub mod startup;

pub use bandwidth::Bandwidth;
pub use model::{Ack, Model};
