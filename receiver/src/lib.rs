//! `xbrecv`: takes a streaming backup from an `xbsend` and stores or unpacks it.
//!
//! | module | owns |
//! |---|---|
//! | [`program`] [`args`] [`destination`] | the command line, and what it comes to |
//! | [`transfer`] | one session from the open port to the verdict |
//! | [`listen`] [`arrivals`] [`strangers`] | admission; who is at the door; who is turned away |
//! | [`downlink`] | one link's life |
//! | [`drain`] [`settle`] | order, digest, write; verify and commit |
//! | [`sink`] [`extract`] [`disk`] | where the bytes go; unpacking; files that are safe |
//! | [`journal`] | what outlives a receiver that is killed |
//! | `stop` | the flag that ends work for a session that is over |

pub mod args;
pub mod arrivals;
pub mod destination;
pub mod disk;
pub mod downlink;
pub mod drain;
pub mod extract;
pub mod journal;
pub mod listen;
pub mod program;
pub mod settle;
pub mod sink;
mod stop;
pub mod strangers;
pub mod transfer;
