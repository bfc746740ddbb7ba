//! A file that is written past the page cache, where its file system takes that.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::num::NonZeroU64;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use rustix::fs::{Advice, FallocateFlags, OFlags, fadvise, fallocate, fcntl_setfl};
use rustix::io::Errno;

use super::pages::{PAGE, Pages};

/// Whether the bytes of a backup go through the page cache.
///
/// Through it, each byte is copied once more and all the memory of the host fills with what nobody reads, at a sixth of
/// the rate; so it is bypassed unless somebody knows better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageCache {
    /// Direct I/O, where the file system takes it.
    Bypassed,
    /// Written there, and dropped from there once it is on the disk.
    Used,
}

/// The next bytes of a file, from some offset on, whole pages of them by direct I/O.
///
/// A page that is not full yet can wait here for the rest of it. When it must not ([`settle`](Self::settle)), it goes
/// through the page cache, and the file has its exact length at any time: a crash leaves no padding. When the page is full
/// it is written again, by direct I/O, and the kernel drops the cached one. That loses nothing that was durable: the
/// bytes of the page that were, are written again as they are, so that whatever part of the new page reaches the disk, they
/// are there.
///
/// Whether a file system takes direct I/O is seen by trying: it refuses the flag or the first write (`EINVAL`), and the
/// page cache is used from there on.
#[derive(Debug)]
pub(crate) struct Output {
    file: Arc<File>,
    /// Where the first bytes go that belong to a page begun by somebody else, and how many they are.
    head: (u64, usize),
    pages: Pages,
    direct: Direct,
}

/// What is known about direct I/O to a file, and the state of the flag on its descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direct {
    On,
    Off,
    /// Not wanted, or refused.
    Never,
}

impl Output {
    /// Goes on writing `file` at `offset`. The page in which that lies is read if something is in it already. Nobody else
    /// reads or writes by this file description from now on.
    ///
    /// # Errors
    /// When the page cannot be read.
    pub(crate) fn new(file: Arc<File>, offset: u64, cache: PageCache) -> io::Result<Output> {
        let mut page = [0; PAGE];
        let at = offset - offset % PAGE as u64;
        let head = &mut page[..(offset % PAGE as u64) as usize];
        file.read_exact_at(head, at)?;
        let pages = Pages::after(at, head);
        Ok(Output { file, head: (offset, 0), pages, direct: Direct::wanted(cache) })
    }

    /// Writes a part of `file` that begins at `offset`. The page in which that lies is not read: what comes of it goes
    /// through the page cache. `pages` are those of an earlier output.
    pub(crate) fn of_part(file: Arc<File>, offset: u64, cache: PageCache, mut pages: Pages) -> Output {
        let at = offset.next_multiple_of(PAGE as u64);
        pages.restart(at);
        Output { file, head: (offset, (at - offset) as usize), pages, direct: Direct::wanted(cache) }
    }

    /// Takes the disk space for the first `len` bytes of the file, whose length stays what it is. A file system that
    /// cannot, need not: only the lack of space is an error.
    ///
    /// # Errors
    /// `StorageFull`, `QuotaExceeded` or `FileTooLarge`.
    pub(crate) fn reserve(&self, len: u64) -> io::Result<()> {
        match fallocate(&self.file, FallocateFlags::KEEP_SIZE, 0, len) {
            Err(error @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG)) => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Takes the next bytes. They are in the file after the next [`settle`](Self::settle).
    ///
    /// # Errors
    /// When whole pages cannot be written.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Output { file, head: (offset, missing), pages, direct } = self;
        let (head, bytes) = bytes.split_at(bytes.len().min(*missing));
        if !head.is_empty() {
            file.write_all_at(head, *offset)?;
            *offset += head.len() as u64;
            *missing -= head.len();
        }
        pages.put(bytes, |at, whole| direct.write(file, whole, at))
    }

    /// Writes everything that was taken.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn settle(&mut self) -> io::Result<()> {
        let Output { file, pages, direct, .. } = self;
        pages.release(|at, whole| direct.write(file, whole, at))?;
        let (at, rest) = pages.rest();
        if !rest.is_empty() {
            direct.turn_off(file)?;
            file.write_all_at(rest, at)?;
        }
        Ok(())
    }

    /// Settles, and leaves the file to be written by others. Gives the pages for another output.
    ///
    /// # Errors
    /// As for [`settle`](Self::settle).
    pub(crate) fn end(mut self) -> io::Result<Pages> {
        self.settle()?;
        self.direct.turn_off(&self.file)?;
        Ok(self.pages)
    }
}

impl Direct {
    fn wanted(cache: PageCache) -> Direct {
        if cache == PageCache::Bypassed { Direct::Off } else { Direct::Never }
    }

    /// Writes whole, aligned pages, past the page cache if that can be done.
    fn write(&mut self, file: &File, pages: &[u8], at: u64) -> io::Result<()> {
        if self.turn_on(file)? {
            match file.write_all_at(pages, at) {
                Err(error) if error.kind() == ErrorKind::InvalidInput => {
                    self.turn_off(file)?;
                    *self = Direct::Never;
                }
                done => return done,
            }
        }
        file.write_all_at(pages, at)
    }

    /// Whether direct I/O is on now.
    fn turn_on(&mut self, file: &File) -> io::Result<bool> {
        if *self == Direct::Off {
            *self = match fcntl_setfl(file, OFlags::DIRECT) {
                Ok(()) => Direct::On,
                Err(Errno::INVAL) => Direct::Never,
                Err(error) => return Err(error.into()),
            };
        }
        Ok(*self == Direct::On)
    }

    fn turn_off(&mut self, file: &File) -> io::Result<()> {
        if *self == Direct::On {
            fcntl_setfl(file, OFlags::empty())?;
            *self = Direct::Off;
        }
        Ok(())
    }
}

/// Gives back what was reserved after the end of `file`.
///
/// # Errors
/// When it cannot be cut.
pub(crate) fn give_back(file: &File) -> io::Result<()> {
    // Cutting a file to the length it has frees what lies behind.
    file.set_len(file.metadata()?.len())
}

/// Drops the first `len` bytes of a file, which are durable, from the page cache. Nobody will read them, and what would
/// have to go for them is in use. Advice only: nothing is to be done about a failure.
pub(crate) fn drop_cached(file: impl AsFd, len: u64) {
    if let Some(len) = NonZeroU64::new(len) {
        let _ = fadvise(file, 0, Some(len), Advice::DontNeed);
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    const BOTH: [PageCache; 2] = [PageCache::Bypassed, PageCache::Used];

    fn output(file: &File, offset: u64, cache: PageCache) -> Output {
        Output::new(Arc::new(file.try_clone().unwrap()), offset, cache).unwrap()
    }

    fn content(range: std::ops::Range<u64>) -> Vec<u8> {
        range.map(|i| (i % 251) as u8).collect()
    }

    #[test]
    fn a_file_has_its_exact_length_whenever_it_is_settled() {
        for cache in BOTH {
            let mut file = tempfile::tempfile().unwrap();
            let mut output = output(&file, 0, cache);
            let mut end = 0;
            for len in [1, 4095, 4096, 3 << 20, 5000, 1 << 20, 7] {
                output.write(&content(end..end + len)).unwrap();
                end += len;
                output.settle().unwrap();
                output.settle().unwrap();
                assert_eq!(file.metadata().unwrap().len(), end, "{cache:?}");
            }
            let mut all = Vec::new();
            io::Read::read_to_end(&mut file, &mut all).unwrap();
            assert!(all == content(0..end), "{cache:?}");
        }
    }

    #[test]
    fn it_goes_on_at_any_offset() {
        for cache in BOTH {
            for offset in [0, 1, 4095, 4096, 10_000] {
                let file = tempfile::tempfile().unwrap();
                file.write_all_at(&content(0..offset), 0).unwrap();
                let mut output = output(&file, offset, cache);
                output.write(&content(offset..offset + 2_000_000)).unwrap();
                output.settle().unwrap();
                let mut all = vec![0; usize::try_from(offset).unwrap() + 2_000_000];
                file.read_exact_at(&mut all, 0).unwrap();
                assert!(all == content(0..offset + 2_000_000), "{cache:?} from {offset}");
            }
        }
    }

    #[test]
    fn parts_make_a_whole() {
        for cache in BOTH {
            let file = tempfile::tempfile().unwrap();
            let (mut pages, mut end) = (Pages::default(), 0);
            for len in [10 << 20, 5, 3 << 20, 4091, 1, 1 << 20, 100] {
                let file = Arc::new(file.try_clone().unwrap());
                let mut output = Output::of_part(file, end, cache, pages);
                content(end..end + len).chunks(700_000).for_each(|bytes| output.write(bytes).unwrap());
                end += len;
                pages = output.end().unwrap();
            }
            let mut all = vec![0; usize::try_from(end).unwrap()];
            file.read_exact_at(&mut all, 0).unwrap();
            assert!(all == content(0..end), "{cache:?}");
        }
    }

    #[test]
    fn what_should_be_there_and_is_not_is_an_error() {
        let file = Arc::new(tempfile::tempfile().unwrap());
        let error = Output::new(file, 10, PageCache::Bypassed).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_reservation_is_given_back() {
        let file = tempfile::tempfile().unwrap();
        let taken = || file.metadata().unwrap().blocks() * 512;
        output(&file, 0, PageCache::Bypassed).reserve(1 << 20).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 0);
        if taken() == 0 {
            // This file system cannot.
            return;
        }
        file.write_all_at(b"x", 0).unwrap();
        give_back(&file).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 1);
        assert!(taken() < 1 << 20);
    }

    #[test]
    fn more_than_there_is_cannot_be_reserved() {
        let file = tempfile::tempfile().unwrap();
        let error = output(&file, 0, PageCache::Bypassed).reserve(1 << 62).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::FileTooLarge), "{error}");
    }
}
