//! What outlives a receiver that is killed: who it was, and how far its session had come.
//!
//! | module | owns |
//! |---|---|
//! | `record` | one record as bytes (pure) |
//! | `replay` | what the records of a journal come to (pure) |
//! | `store` | the file they are in |
//! | `recalled` | what a receiver that comes back is told |

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod recalled;
mod record;
mod replay;
#[cfg(test)]
pub(crate) mod sample;
mod store;
#[cfg(test)]
mod tests;

pub use recalled::{Damage, Recalled, RecalledSession};
pub use record::Presence;
pub(crate) use record::Record;
pub(crate) use replay::{Marks, Replayed, Session, replay};
pub(crate) use store::{Found, Journal};
