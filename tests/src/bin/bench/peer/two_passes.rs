//! What people do with a compressed backup: unpack the stream, then decompress every file of it.

use super::{Peer, To};
use crate::need::Need;

/// `mbstream -x`, then a decompressor for all files on both cores, each of which it removes.
pub(crate) struct TwoPasses {
    /// The decompressor with the options for that.
    pub(crate) program: &'static str,
    /// Of the files that it takes.
    pub(crate) suffix: &'static str,
}

impl Peer for TwoPasses {
    fn needs(&self) -> Vec<Need> {
        let program = self.program.split_whitespace().next().unwrap_or(self.program);
        vec![Need::Program("mbstream"), Need::Program(program)]
    }

    fn receiver(&self, _: To) -> Option<String> {
        None
    }

    fn sender(&self, _: To) -> String {
        let TwoPasses { program, suffix } = self;
        format!("mbstream -x -C $OUT; find $OUT -name '*{suffix}' -print0 | xargs -0 -P 2 -n 50 {program}")
    }
}
