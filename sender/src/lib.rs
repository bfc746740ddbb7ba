//! `xbsend`: runs or reads a streaming backup and pushes it to an `xbrecv`.
//!
//! | module | owns |
//! |---|---|
//! | [`program`] [`args`] `stand` [`way`] | the command line, and what it comes to |
//! | `start` `far_receiver` | a receiver that has to be started first; what it is told |
//! | [`transfer`] `status` | one session from the first attempt to the verdict; how it does |
//! | `links` [`resume`] [`contact`] | the links' threads; one link after the other; how they come about |
//! | [`uplink`] [`joined`] | what a link does; the links beside the main one |
//! | [`outbox`] | between the session and its links: blocks as they travel, compressed or not |
//! | [`drive`] [`lanes`] [`pump`] | the source's verdict; its threads; read, watch, digest, push |
//! | [`spool`] [`fill`] | a queue on the disk between source and pump; read, watch, queue |
//! | [`source`] [`tap`] | where the bytes come from; what they have to be |
//! | [`result_file`] | the files of `--checksum-file` and `--receipt` |

pub mod args;
pub mod contact;
pub mod drive;
mod far_receiver;
pub mod fill;
pub mod joined;
pub mod lanes;
mod links;
pub mod outbox;
pub mod program;
pub mod pump;
pub mod result_file;
pub mod resume;
#[cfg(test)]
mod silent;
pub mod source;
pub mod spool;
mod stand;
mod start;
mod status;
pub mod tap;
pub mod transfer;
pub mod uplink;
pub mod way;
