//! `xbsend` and `xbrecv`.

use super::{Peer, To};
use crate::need::Need;

/// The two programs: encrypted, checksummed, synced and confirmed.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ours {
    /// Options of the sender.
    pub(crate) sending: &'static str,
    /// Options of the receiver.
    pub(crate) receiving: &'static str,
}

impl Peer for Ours {
    fn needs(&self) -> Vec<Need> {
        let sender = self.sending.split_whitespace().map(|option| Need::Option("xbsend", option));
        let receiver = self.receiving.split_whitespace().map(|option| Need::Option("xbrecv", option));
        sender
            .chain(receiver)
            .filter(|need| matches!(need, Need::Option(_, option) if option.starts_with("--")))
            .collect()
    }

    fn receiver(&self, to: To) -> Option<String> {
        let out = match to {
            To::Nowhere | To::File => "-o $OUT",
            To::Folder => "-x -C $OUT",
        };
        Some(format!("exec xbrecv --progress none --listen $HOST:$PORT {} {out}", self.receiving))
    }

    fn sender(&self, _: To) -> String {
        format!("exec xbsend --progress none {} $HOST:$PORT", self.sending)
    }

    fn is_ours(&self) -> bool {
        true
    }
}
