//! `xbrecv`: takes a streaming backup from an `xbsend` and stores or unpacks it.
//!
//! | module | owns |
//! |---|---|
//! | [`program`] [`args`] `stand` [`destination`] [`preflight`] [`file_key`] | the command line, what it comes to, and whether that can be |
//! | `start` `far_sender` | a sender that has to be started first; what it is told |
//! | [`transfer`] `status` | one session from the open port to the verdict; how it does |
//! | [`way`] [`entrance`] | who makes the links; where senders come from |
//! | `port` [`listen`] `newcomer` | the thread of the links; one session there; who else wants one |
//! | [`admission`] | who is at the door |
//! | [`downlink`] `joined` [`decode`] | the main link's life; further links that bring blocks; compressed blocks into original ones |
//! | [`hasher`] [`drain`] [`settle`] | order and digest; write; verify and commit |
//! | [`sink`] [`extract`] [`disk`] | where the bytes go; unpacking; files that are safe |
//! | [`after`] `overheard` | what is run once a backup is committed; what a child says |
//! | [`journal`] | what outlives a receiver that is killed |
//! | [`local`] | streams that are stored on this host, without a network |
//! | `stop` `lock` | the flag that ends work for a session that is over; locks that outlive a panic |

pub mod admission;
pub mod after;
pub mod args;
pub mod decode;
pub mod destination;
pub mod disk;
pub mod downlink;
pub mod drain;
pub mod entrance;
pub mod extract;
mod far_sender;
pub mod file_key;
pub mod hasher;
mod joined;
pub mod journal;
pub mod listen;
pub mod local;
mod lock;
mod newcomer;
mod overheard;
mod port;
pub mod preflight;
pub mod program;
pub mod settle;
pub mod sink;
mod stand;
mod start;
mod status;
mod stop;
pub mod transfer;
pub mod way;
