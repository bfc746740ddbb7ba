//! What decoding the files of a backup may take: plain bytes, and memory.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use xbproto::quantity::ByteSize;

/// The most memory, in bytes, that the decoders of all open files hold together. Eight files at once with the largest
/// window of zstd come to it, and some thousand with the one it has by default.
const DECODERS: usize = 1 << 30;

/// What encoded files may become, and what decoding them may hold, all of them together.
#[derive(Debug)]
pub(crate) struct Allowance {
    left: AtomicU64,
    limit: u64,
    held: AtomicUsize,
}

impl Allowance {
    /// So many plain bytes, or as many as may come.
    pub(crate) fn new(limit: Option<u64>) -> Allowance {
        let limit = limit.unwrap_or(u64::MAX);
        Allowance { left: AtomicU64::new(limit), limit, held: AtomicUsize::new(0) }
    }

    /// So many more plain bytes have come.
    ///
    /// # Errors
    /// When they are too many.
    pub(crate) fn take(&self, len: usize) -> Result<(), Refused> {
        let spent = |left: u64| left.checked_sub(len as u64);
        match self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spent) {
            Ok(_) => Ok(()),
            Err(_) => Err(Refused::TooMuch { limit: self.limit }),
        }
    }

    /// A decoder that held `before` bytes of memory holds `now`.
    ///
    /// # Errors
    /// When all together hold too many.
    pub(crate) fn hold(&self, before: usize, now: usize) -> Result<(), Refused> {
        let held = self.held.fetch_add(now, Ordering::Relaxed) + now - before;
        self.give_back(before);
        // One file alone has limits of its own.
        if held > DECODERS && held > now && now > before {
            return Err(Refused::TooWide);
        }
        Ok(())
    }

    /// A decoder that held so much is gone.
    pub(crate) fn give_back(&self, held: usize) {
        self.held.fetch_sub(held, Ordering::Relaxed);
    }
}

/// Decoding takes too much.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// More plain bytes than was allowed.
    #[error("with it, decoded files take more than {}, which is the limit (--unpacked-limit)", ByteSize(*.limit))]
    TooMuch {
        /// The limit, in bytes.
        limit: u64,
    },
    /// More memory than is good.
    #[error("decoding all files that are under way at once takes more than {} of memory", ByteSize(DECODERS as u64))]
    TooWide,
}
