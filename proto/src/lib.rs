//! What `xbsend` and `xbrecv` must agree on.
//!
//! Five layers; imports point down only. Without features the crate is the pure part: bytes and
//! time come in as arguments, events come out, and nothing here knows of sockets, files or clocks.
//!
//! | layer | modules | owns | feature |
//! |---|---|---|---|
//! | L4 | [`cli`] [`contact`] | what both programs share on the terminal; how two hosts meet | `cli` |
//! | L3 | [`link`] [`quic`] [`tcp`] [`tls`] [`throttle`] [`place`] [`shared`] [`waiting`] [`process`] | the async edge | `link` |
//! | L2 | [`session`] | the conversation of the two halves | |
//! | L1 | [`lane`] [`pool`] | order, window and digest of one byte stream; memory for its blocks | |
//! | L0 | [`xbstream`] [`stage`] [`backup`] [`wire`] [`congestion`] [`meter`] [`limit`] [`quantity`] [`key`] [`failure`] [`liveness`] [`retry`] | formats and arithmetic | |
//!
//! Start with [`wire`]: its documentation is the protocol.

pub mod backup;
pub mod congestion;
pub mod failure;
pub mod key;
pub mod lane;
pub mod limit;
pub mod liveness;
pub mod meter;
pub mod pool;
pub mod quantity;
pub mod retry;
pub mod session;
pub mod stage;
pub mod wire;
pub mod xbstream;

#[cfg(feature = "link")]
pub mod link;
#[cfg(feature = "link")]
pub mod place;
#[cfg(feature = "link")]
pub mod process;
#[cfg(feature = "link")]
pub mod quic;
#[cfg(feature = "link")]
pub mod shared;
#[cfg(feature = "link")]
pub mod tcp;
#[cfg(feature = "link")]
pub mod throttle;
#[cfg(feature = "link")]
pub mod tls;
#[cfg(feature = "link")]
pub mod waiting;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod contact;
