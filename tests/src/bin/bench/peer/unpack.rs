//! `xbrecv --from`: a stream that is on the destination already, unpacked, synced and committed.

use super::{Peer, To};
use crate::need::Need;

/// `xbrecv -x` alone, with these options.
pub(crate) struct Unpack(pub(crate) &'static str);

impl Peer for Unpack {
    fn needs(&self) -> Vec<Need> {
        self.0.split_whitespace().map(|option| Need::Option("xbrecv", option)).collect()
    }

    fn receiver(&self, _: To) -> Option<String> {
        None
    }

    fn sender(&self, _: To) -> String {
        format!("exec xbrecv -x {} -C $OUT --from -", self.0)
    }

    fn is_ours(&self) -> bool {
        true
    }
}
