//! `xbrecv`: takes a streaming backup from an `xbsend` and stores or unpacks it.

pub mod disk;
pub mod extract;
pub mod sink;
