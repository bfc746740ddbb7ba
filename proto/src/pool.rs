//! Memory for blocks, used again and again.
//!
//! Memory that is fresh from the system costs a page fault for every 4 KiB, which in a virtual machine is more work than
//! copying them, and an allocator gives buffers of the size of a block back at once.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::lane::MAX_BLOCK;

/// What direct I/O asks of the address, the offset and the length of a write, in bytes: a page. The logical blocks of disks
/// have 512 or 4096; a file system that asks for more refuses the write, and is written through the page cache then.
pub const PAGE: usize = 4096;

/// What the pool keeps: room for the largest block, wherever in a page it begins.
const KEPT: usize = MAX_BLOCK + PAGE;

/// From this length on memory comes from the pool, which so holds no more than twice what is in it. Smaller buffers are
/// the allocator's affair, and no larger than they need to be, however many of them stand in a window.
const LARGE: usize = MAX_BLOCK / 2;

/// A pool of memory for blocks. It grows with what is in use at the same time, which is bounded by whoever has a window.
/// Clones are the same pool.
#[derive(Clone, Debug, Default)]
pub struct Pool(Arc<Free>);

#[derive(Debug, Default)]
struct Free(Mutex<Vec<Vec<u8>>>);

impl Free {
    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pool {
    /// An empty buffer for `len` bytes that belong at `offset` of a lane. It begins as far into a page of memory as
    /// `offset` lies in a page of a file, so that whole pages can be written without being copied.
    ///
    /// # Panics
    /// When `len` is more than [`MAX_BLOCK`].
    pub fn buffer(&self, len: usize, offset: u64) -> Buffer {
        assert!(len <= MAX_BLOCK, "a buffer of {len} bytes for a block");
        let memory = match len {
            LARGE.. => self.0.lock().pop().unwrap_or_else(|| vec![0; KEPT]),
            _ => vec![0; len + PAGE],
        };
        let into_page = (offset % PAGE as u64) as usize;
        let start = (into_page + PAGE - memory.as_ptr().addr() % PAGE) % PAGE;
        Buffer { memory, start, filled: start, end: start + len, home: Arc::clone(&self.0) }
    }
}

/// Memory for one block, filled from its beginning.
pub struct Buffer {
    memory: Vec<u8>,
    start: usize,
    filled: usize,
    end: usize,
    /// Where the memory goes afterwards.
    home: Arc<Free>,
}

impl Buffer {
    /// How many bytes are in it.
    pub fn len(&self) -> usize {
        self.filled - self.start
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rest, to be filled from its beginning; what is in there means nothing.
    pub fn spare(&mut self) -> &mut [u8] {
        &mut self.memory[self.filled..self.end]
    }

    /// The next `len` bytes were filled.
    ///
    /// # Panics
    /// When there is less room.
    pub fn advance(&mut self, len: usize) {
        assert!(len <= self.end - self.filled, "{len} bytes were filled where there is no room");
        self.filled += len;
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.filled = self.start;
    }

    /// Takes in a copy of `bytes`, if there is room for all of them.
    #[must_use]
    pub fn extend(&mut self, bytes: &[u8]) -> bool {
        match self.spare().get_mut(..bytes.len()) {
            Some(room) => room.copy_from_slice(bytes),
            None => return false,
        }
        self.filled += bytes.len();
        true
    }

    /// What is in it, to be shared. The memory is used again when the last of those who share it is gone.
    pub fn freeze(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.memory[self.start..self.filled]
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} of {} bytes)", self.len(), self.end - self.start)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        if memory.len() == KEPT {
            self.home.lock().push(memory);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_begins_where_its_bytes_do_in_a_page() {
        let pool = Pool::default();
        for (len, offset) in [(1, 1), (100, 4095), (MAX_BLOCK, 0), (MAX_BLOCK, 4097), (LARGE, u64::MAX - 5)] {
            let mut buffer = pool.buffer(len, offset);
            assert!(buffer.extend(&vec![7; len]));
            assert!(!buffer.extend(&[8]), "there is room for no more");
            let bytes = buffer.freeze();
            assert_eq!(bytes.as_ptr().addr() as u64 % 4096, offset % 4096, "{len} bytes at {offset}");
            assert!(bytes.len() == len && bytes.iter().all(|byte| *byte == 7));
        }
    }

    #[test]
    fn memory_is_used_again_when_nobody_reads_it_any_more() {
        let pool = Pool::default();
        let mut buffer = pool.buffer(MAX_BLOCK, 0);
        let memory = buffer.memory.as_ptr();
        buffer.spare()[..3].copy_from_slice(b"abc");
        buffer.advance(3);
        let whole = buffer.freeze();
        let part = whole.slice(1..);
        drop(whole);
        assert_ne!(pool.buffer(MAX_BLOCK, 0).memory.as_ptr(), memory, "a part of it is still read");
        assert_eq!(&part[..], b"bc");
        drop(part);
        assert_eq!(pool.buffer(MAX_BLOCK, 9).memory.as_ptr(), memory);
    }

    #[test]
    fn small_buffers_are_small() {
        let pool = Pool::default();
        assert!(pool.buffer(10, 5).memory.len() <= 10 + PAGE);
        assert!(pool.0.lock().is_empty());
    }
}
