//! A network in memory, and whole sessions over it: deterministic by seed, on a clock that stands
//! still until everybody waits.
//!
//! What runs is what ships: quinn with our tuning, the handshake of the key, uplink and downlink,
//! pumps, drains, settling. Only the ends are made up: the sockets, the source and the sink. Hours
//! pass in seconds, and the same [`Scenario`] gives the same [`Log`] down to every datagram.
//!
//! | module | owns |
//! |---|---|
//! | [`scenario`] [`story`] | a session to be played; what it has come to |
//! | [`path`] [`delay`] [`bottleneck`] [`outage`] | what becomes of a datagram on its way, and when |
//! | [`socket`] [`host`] | the ends of the network, as quinn wants them |
//! | [`source`] [`sink`] [`pattern`] | where bytes come from and go to; which bytes they are |
//! | [`log`] [`rng`] | what happened, and when; numbers that only look random |

pub mod bottleneck;
pub mod delay;
pub mod host;
pub mod log;
pub mod outage;
pub mod path;
pub mod pattern;
pub mod rng;
pub mod scenario;
pub mod sink;
pub mod socket;
pub mod source;
pub mod story;

pub use bottleneck::Bottleneck;
pub use delay::{Delay, Detour};
pub use log::{Entry, Event, Log};
pub use outage::{BlackHole, Blackout};
pub use path::{Conditions, Fate};
pub use rng::Rng;
pub use scenario::Scenario;
pub use sink::Disk;
pub use source::Step;
pub use story::Story;
