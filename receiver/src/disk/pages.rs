//! Cutting a stream of bytes into writes that direct I/O takes. Pure: bytes in, aligned writes out.

pub(crate) use xbproto::pool::PAGE;

/// The most bytes that are collected before they are written: what a disk likes to get at a time.
const ROOM: usize = 1 << 20;

/// Whole pages of a caller's own buffer are written from there if they are so many bytes at least; it is cheaper to copy
/// fewer than to write them by a call of their own.
const IN_PLACE: usize = 64 << 10;

/// The bytes of a file from some offset on, on their way from buffers of any length and address to writes of whole pages.
///
/// A buffer whose address is congruent to the offset of its bytes, modulo a page, is written without being copied, but for
/// the pages at its ends that it shares with its neighbours. Of any other buffer the bytes are collected first.
#[derive(Debug)]
pub(crate) struct Pages {
    room: AlignedBuffer,
    /// How many bytes of `room` are taken.
    held: usize,
    /// Where the first of them belongs, which is the beginning of a page.
    at: u64,
}

impl Default for Pages {
    fn default() -> Pages {
        Pages::after(0, &[])
    }
}

impl Pages {
    /// Goes on in the middle of a page: `head` is what it holds so far, and begins at the offset `at`, where the page does.
    pub(crate) fn after(at: u64, head: &[u8]) -> Pages {
        debug_assert!(at.is_multiple_of(PAGE as u64) && head.len() < PAGE);
        let mut pages = Pages { room: AlignedBuffer::new(), held: 0, at };
        pages.hold(head);
        pages
    }

    /// Forgets what is held, and goes on from `at`, the beginning of a page.
    pub(crate) fn restart(&mut self, at: u64) {
        debug_assert!(at.is_multiple_of(PAGE as u64));
        (self.at, self.held) = (at, 0);
    }

    /// Takes the next bytes. `write` is called, in order, with the offset of whole pages and what belongs there: all of it is
    /// aligned.
    ///
    /// # Errors
    /// The first one of `write`; nothing may be put any more then.
    pub(crate) fn put<E>(
        &mut self,
        mut bytes: &[u8],
        mut write: impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        while !bytes.is_empty() {
            let gap = self.held.next_multiple_of(PAGE) - self.held;
            let straight = in_place(bytes, gap);
            let copied = if straight > 0 { gap } else { bytes.len().min(ROOM - self.held) };
            let (now, later) = bytes.split_at(copied);
            self.hold(now);
            if straight > 0 || self.held == ROOM {
                self.release(&mut write)?;
            }
            let (now, later) = later.split_at(straight);
            if !now.is_empty() {
                write(self.at, now)?;
                self.at += now.len() as u64;
            }
            bytes = later;
        }
        Ok(())
    }

    /// Writes the whole pages that are held. What is left is the [`rest`](Self::rest).
    ///
    /// # Errors
    /// As for [`put`](Self::put).
    pub(crate) fn release<E>(&mut self, mut write: impl FnMut(u64, &[u8]) -> Result<(), E>) -> Result<(), E> {
        let whole = self.held - self.held % PAGE;
        if whole > 0 {
            write(self.at, &self.room.bytes()[..whole])?;
            self.room.bytes_mut().copy_within(whole..self.held, 0);
            self.held -= whole;
            self.at += whole as u64;
        }
        Ok(())
    }

    /// What is held and where it belongs: after a [`release`](Self::release), less than a page.
    pub(crate) fn rest(&self) -> (u64, &[u8]) {
        (self.at, &self.room.bytes()[..self.held])
    }

    fn hold(&mut self, bytes: &[u8]) {
        self.room.bytes_mut()[self.held..self.held + bytes.len()].copy_from_slice(bytes);
        self.held += bytes.len();
    }
}

/// How many of `bytes`, after the first `gap`, can be written from where they are.
fn in_place(bytes: &[u8], gap: usize) -> usize {
    let whole = bytes.len().saturating_sub(gap) / PAGE * PAGE;
    let aligned = bytes.as_ptr().addr().wrapping_add(gap).is_multiple_of(PAGE);
    if aligned && whole >= IN_PLACE { whole } else { 0 }
}

/// [`ROOM`] bytes whose address is that of a page: a part of an allocation that is a little longer.
#[derive(Debug)]
struct AlignedBuffer {
    whole: Vec<u8>,
    start: usize,
}

impl AlignedBuffer {
    fn new() -> AlignedBuffer {
        // Zeroed by the kernel when it is first touched, so that what is not used costs nothing.
        let whole = vec![0; ROOM + PAGE - 1];
        let address = whole.as_ptr().addr();
        AlignedBuffer { start: address.next_multiple_of(PAGE) - address, whole }
    }

    fn bytes(&self) -> &[u8] {
        &self.whole[self.start..self.start + ROOM]
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.whole[self.start..self.start + ROOM]
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::OnceLock;

    use proptest::prelude::*;

    use super::*;

    /// A file in memory, which takes whole, aligned pages only.
    #[derive(Default)]
    struct Disk {
        bytes: Vec<u8>,
        writes: usize,
    }

    impl Disk {
        fn write(&mut self, at: u64, bytes: &[u8]) -> Result<(), Infallible> {
            assert_eq!((at % PAGE as u64, bytes.len() % PAGE, bytes.as_ptr().addr() % PAGE), (0, 0, 0));
            assert!(!bytes.is_empty());
            self.put(at, bytes);
            self.writes += 1;
            Ok(())
        }

        fn put(&mut self, at: u64, bytes: &[u8]) {
            let at = usize::try_from(at).unwrap();
            self.bytes.resize(self.bytes.len().max(at + bytes.len()), 0);
            self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        }
    }

    fn release(pages: &mut Pages, disk: &mut Disk) {
        let Ok(()) = pages.release(|at, bytes| disk.write(at, bytes));
        let (at, rest) = pages.rest();
        assert!(rest.len() < PAGE);
        disk.put(at, rest);
    }

    /// `len` bytes in a buffer whose address is `shift` after that of a page.
    fn shifted(from: u64, len: usize, shift: usize) -> (Vec<u8>, std::ops::Range<usize>) {
        let mut room = vec![0; len + 2 * PAGE];
        let start = room.as_ptr().addr().next_multiple_of(PAGE) - room.as_ptr().addr() + shift;
        room[start..start + len].copy_from_slice(content(from..from + len as u64));
        (room, start..start + len)
    }

    /// What belongs to these offsets: different in each page.
    fn content(range: std::ops::Range<u64>) -> &'static [u8] {
        static CONTENT: OnceLock<Vec<u8>> = OnceLock::new();
        let all = CONTENT.get_or_init(|| (0..16_u32 << 20).map(|i| (i ^ (i >> 8) ^ (i >> 16)) as u8).collect());
        &all[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()]
    }

    /// A buffer: its length, whether its address is congruent to its offset, and whether a release follows.
    fn buffers() -> impl Strategy<Value = Vec<(usize, bool, bool)>> {
        let len = prop_oneof![1_usize..10, 1_usize..20_000, 60_000_usize..80_000, Just(1 << 20), Just(ROOM + 5)];
        prop::collection::vec((len, any::<bool>(), prop::bool::weighted(0.2)), 0..12)
    }

    proptest! {
        #[test]
        fn what_is_put_is_written(start in 0_usize..2 * PAGE, buffers in buffers()) {
            let mut disk = Disk { bytes: content(0..start as u64).to_vec(), writes: 0 };
            let page = start / PAGE * PAGE;
            let mut pages = Pages::after(page as u64, &disk.bytes[page..]);
            let mut end = start as u64;
            for (len, congruent, released) in buffers {
                let shift = if congruent { end as usize % PAGE } else { (end as usize + 1) % PAGE };
                let (room, range) = shifted(end, len, shift);
                let Ok(()) = pages.put(&room[range], |at, bytes| disk.write(at, bytes));
                end += len as u64;
                if released {
                    release(&mut pages, &mut disk);
                }
            }
            release(&mut pages, &mut disk);
            prop_assert_eq!(disk.bytes.len() as u64, end);
            prop_assert!(disk.bytes == content(0..end));
        }
    }

    #[test]
    fn congruent_buffers_are_not_copied() {
        let mut pages = Pages::after(0, b"");
        for turn in 0..3 {
            let (room, range) = shifted(0, ROOM, 0);
            let mut written = Vec::new();
            let Ok(()) = pages.put(&room[range.clone()], |at, bytes| {
                written.push((at, bytes.as_ptr(), bytes.len()));
                Ok::<(), Infallible>(())
            });
            assert_eq!(written, [(turn * ROOM as u64, room[range].as_ptr(), ROOM)]);
        }
    }

    #[test]
    fn small_buffers_are_collected() {
        let (mut pages, mut disk) = (Pages::after(0, b""), Disk::default());
        for i in 0..2 * ROOM as u64 / 100 {
            let (room, range) = shifted(100 * i, 100, 1);
            let Ok(()) = pages.put(&room[range], |at, bytes| disk.write(at, bytes));
        }
        assert_eq!(disk.writes, 1);
    }
}
