//! `xbsend`: runs or reads a streaming backup and pushes it to an `xbrecv`.

pub mod source;
pub mod tap;
