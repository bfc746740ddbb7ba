//! `xbsend`: runs or reads a streaming backup and pushes it to an `xbrecv`.
//!
//! | module | owns |
//! |---|---|
//! | [`program`] [`args`] [`route`] | the command line, and what it comes to |
//! | `way` `far_receiver` | the way to the receiver, which may have to be started first |
//! | [`transfer`] `status` | one session from the first attempt to the verdict; how it does |
//! | `links` [`resume`] `reach` | the links' threads; coming back; reaching the receiver |
//! | [`uplink`] [`joined`] | what a link does; the links beside the main one |
//! | [`outbox`] | between the session and its links: blocks as they travel, compressed or not |
//! | [`drive`] [`lanes`] [`pump`] | the source's verdict; its threads; read, watch, digest, push |
//! | [`spool`] [`fill`] | a queue on the disk between source and pump; read, watch, queue |
//! | [`source`] [`tap`] | where the bytes come from; what they have to be |
//! | [`result_file`] | the files of `--checksum-file` and `--receipt` |

pub mod args;
pub mod drive;
mod far_receiver;
pub mod fill;
pub mod joined;
pub mod lanes;
mod links;
pub mod outbox;
pub mod program;
pub mod pump;
mod reach;
pub mod result_file;
pub mod resume;
pub mod route;
#[cfg(test)]
mod silent;
pub mod source;
pub mod spool;
mod status;
pub mod tap;
pub mod transfer;
pub mod uplink;
mod way;
