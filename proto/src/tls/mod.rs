//! Who the peer is: TLS 1.3 always, and a key that both sides prove to have, or certificates, or both.
//!
//! With a shared key alone certificates prove nothing by themselves: the listener makes one for the
//! occasion, and the dialer takes any. What they do is to give the connection an exported secret
//! that a man in the middle cannot have on both of his sides; the proofs ([`proof`]) bind the key
//! to it.
//!
//! With certificates, each side judges the other's by its [`Trust`]: in [`client_config`] and [`server_config`], so for
//! every form of connection in the same way. [`Credentials`] are all of that in one value.

mod alert;
mod certificate;
mod config;
mod credentials;
mod fingerprint;
mod identity;
mod pem;
pub mod proof;
mod random;
mod refusal;
#[cfg(test)]
mod sample;
mod trust;
mod verifier;

pub use alert::{Alert, Distrust};
pub use certificate::{Age, Certificate, Validity};
pub use config::{client_config, server_config};
pub use credentials::Credentials;
pub use fingerprint::{Fingerprint, FingerprintError};
pub use identity::{Identity, IdentityError, KeptIdentity, KeptIdentityError};
pub use pem::{PemError, PemFile, PemProblem, PemUse};
pub use random::{RandomError, random};
pub use refusal::{Reason, Refusal};
pub use trust::{Authority, Trust};
pub use verifier::Judgement;
