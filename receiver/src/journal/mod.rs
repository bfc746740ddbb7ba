//! What outlives a receiver that is killed: who it was, and how far its session had come.
//!
//! | module | owns |
//! |---|---|
//! | `record` | one record as bytes (pure) |
//! | `replay` | what the records of a journal come to (pure) |
//! | `store` | the file they are in |
//! | `recalled` | what a receiver that comes back is told |

mod recalled;
mod record;
mod replay;
#[cfg(test)]
pub(crate) mod sample;

pub use recalled::{Damage, Recalled, RecalledSession};
pub use record::Presence;
