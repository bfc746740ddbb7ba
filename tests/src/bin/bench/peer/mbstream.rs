//! No transfer at all: a stream that is on the destination already.

use super::{Peer, To};
use crate::need::Need;

/// `mbstream -x` alone, which syncs nothing.
pub(crate) struct Mbstream;

impl Peer for Mbstream {
    fn needs(&self) -> Vec<Need> {
        vec![Need::Program("mbstream")]
    }

    fn receiver(&self, _: To) -> Option<String> {
        None
    }

    fn sender(&self, _: To) -> String {
        "exec mbstream -x -C $OUT".to_owned()
    }
}
