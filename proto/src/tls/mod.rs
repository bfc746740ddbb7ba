//! Who the peer is: TLS 1.3 always, and a key that both sides prove to have.
//!
//! With a shared key certificates prove nothing by themselves: the listener makes one for the
//! occasion, and the dialer takes any. What they do is to give the connection an exported secret
//! that a man in the middle cannot have on both of his sides; the proofs ([`proof`]) bind the key
//! to it.

mod config;
mod identity;
pub mod proof;
mod random;

pub use config::{client_config, server_config};
pub use identity::{Identity, IdentityError, KeptIdentity, KeptIdentityError};
pub use random::{RandomError, random};
