//! The content of files, from their chunks to the disk.
//!
//! | module | owns |
//! |---|---|
//! | `writers` | the threads that decode and write, and what waits for them |
//! | `content` | what comes for one file: chunks put in their places, or decoded first |
//! | `allowance` | what decoding may take |
//! | `placing`, `holes` | where bytes belong, and which of them are holes (pure) |
//! | `writing`, `punch` | bringing them to the disk; giving back what was set aside for holes |
//! | `open_files`, `ending` | how many files are open, and whose names may change |
//! | `manifest` | the sum of each |
//! | `progress` | how far it is |

pub(super) mod allowance;
pub(super) mod content;
pub(super) mod ending;
pub(super) mod holes;
pub(super) mod manifest;
pub(super) mod open_files;
pub(super) mod placing;
pub(super) mod progress;
pub(super) mod punch;
pub(super) mod writers;
pub(super) mod writing;
