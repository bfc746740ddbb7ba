//! Plain text, unchecked.

use super::{Peer, To};
use crate::need::Need;

/// OpenBSD's netcat.
pub(crate) struct Nc;

impl Peer for Nc {
    fn needs(&self) -> Vec<Need> {
        vec![Need::Program("nc")]
    }

    fn receiver(&self, to: To) -> Option<String> {
        Some(format!("nc -l $PORT {}", to.shell()))
    }

    fn sender(&self, _: To) -> String {
        "exec nc -N $HOST $PORT".to_owned()
    }
}
