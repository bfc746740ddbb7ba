//! Plain text with a large buffer on each side.

use super::{Peer, To};
use crate::need::Need;

/// `mbuffer` over TCP, with its own buffer sizes.
pub(crate) struct Mbuffer;

impl Peer for Mbuffer {
    fn needs(&self) -> Vec<Need> {
        vec![Need::Program("mbuffer")]
    }

    fn receiver(&self, to: To) -> Option<String> {
        Some(format!("mbuffer -q -I $PORT {}", to.shell()))
    }

    fn sender(&self, _: To) -> String {
        "exec mbuffer -q -O $HOST:$PORT".to_owned()
    }
}
