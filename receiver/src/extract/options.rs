//! What is to become of the files of a backup while they are unpacked.

use crate::disk::PageCache;

/// How a backup is to be unpacked.
#[derive(Clone, Debug)]
pub struct Unpacking {
    /// How large files are written.
    pub cache: PageCache,
}

impl Default for Unpacking {
    /// As `xbstream -x` does: files become what they are in the stream.
    fn default() -> Unpacking {
        Unpacking { cache: PageCache::Bypassed }
    }
}
