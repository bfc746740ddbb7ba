//! The writing end of a pipe, which its reader may leave or stop reading.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::stop::Stop;

/// How long a write or an open that waits for the reader goes without looking whether it was interrupted.
pub(super) const LOOK_UP: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// How a write to an [`Outlet`] came to nothing.
#[derive(Debug)]
pub(super) enum Blocked {
    /// Nobody reads any more.
    ReaderGone,
    /// The [`Stop`] was raised.
    Stopped,
    /// The system refused.
    Failed(io::Error),
}

/// Our end of a pipe. It is not blocking, so that a write can be given up while the reader sleeps; for this it must
/// not share its open file description with another process.
#[derive(Debug)]
pub(super) struct Outlet {
    fd: OwnedFd,
    stop: Stop,
}

impl Outlet {
    /// Takes over `fd`.
    pub(super) fn new(fd: OwnedFd, stop: Stop) -> io::Result<Outlet> {
        rustix::io::ioctl_fionbio(&fd, true)?;
        Ok(Outlet { fd, stop })
    }

    /// Writes all of `bytes`, however long the reader takes.
    pub(super) fn write_all(&self, mut bytes: &[u8]) -> Result<(), Blocked> {
        while !bytes.is_empty() {
            if self.stop.is_raised() {
                return Err(Blocked::Stopped);
            }
            match rustix::io::write(&self.fd, bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::AGAIN) => self.wait()?,
                Err(Errno::INTR) => {}
                Err(Errno::PIPE) => return Err(Blocked::ReaderGone),
                Err(error) => return Err(Blocked::Failed(error.into())),
            }
        }
        Ok(())
    }

    /// Whether the reader has taken every byte. If not, looks for `patience` whether it leaves.
    ///
    /// # Errors
    /// `ReaderGone` when it has left with bytes unread.
    pub(super) fn is_emptied(&self, patience: &Timespec) -> Result<bool, Blocked> {
        if self.stop.is_raised() {
            return Err(Blocked::Stopped);
        }
        if self.unread()? == 0 {
            return Ok(true);
        }
        let fd = self.fd.as_fd();
        let left = match poll(&mut [PollFd::new(&fd, PollFlags::empty())], Some(patience)) {
            Ok(events) => events > 0,
            Err(Errno::INTR) => false,
            Err(error) => return Err(Blocked::Failed(error.into())),
        };
        // Counted once more, because it may have read everything before it left.
        match (self.unread()?, left) {
            (0, _) => Ok(true),
            (_, true) => Err(Blocked::ReaderGone),
            (_, false) => Ok(false),
        }
    }

    /// Bytes in the pipe.
    fn unread(&self) -> Result<u64, Blocked> {
        rustix::io::ioctl_fionread(&self.fd).map_err(|error| Blocked::Failed(error.into()))
    }

    fn wait(&self) -> Result<(), Blocked> {
        match poll(&mut [PollFd::new(&self.fd.as_fd(), PollFlags::OUT)], Some(&LOOK_UP)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(Blocked::Failed(error.into())),
        }
    }
}

impl AsFd for Outlet {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::thread;

    use super::*;

    fn pipe() -> (std::io::PipeReader, Outlet, Stop) {
        let (reader, writer) = std::io::pipe().unwrap();
        let stop = Stop::default();
        (reader, Outlet::new(writer.into(), stop.clone()).unwrap(), stop)
    }

    #[test]
    fn more_than_fits_waits_for_the_reader() {
        let (mut reader, outlet, _) = pipe();
        let sent: Vec<u8> = (0..1 << 20).map(|i: u32| i as u8).collect();
        let writer = thread::spawn({
            let sent = sent.clone();
            move || outlet.write_all(&sent).unwrap()
        });
        let mut got = Vec::new();
        reader.read_to_end(&mut got).unwrap();
        writer.join().unwrap();
        assert!(got == sent);
    }

    #[test]
    fn a_sleeping_reader_does_not_outlast_the_stop() {
        let (_reader, outlet, stop) = pipe();
        let writer = thread::spawn(move || outlet.write_all(&[0; 1 << 20]));
        stop.raise();
        assert!(matches!(writer.join().unwrap(), Err(Blocked::Stopped)));
    }

    #[test]
    fn a_reader_that_is_gone_is_told_from_a_failure() {
        let (reader, outlet, _) = pipe();
        drop(reader);
        assert!(matches!(outlet.write_all(b"x"), Err(Blocked::ReaderGone)));
    }

    #[test]
    fn it_is_emptied_by_a_reader_who_reads_and_not_by_one_who_leaves() {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        let (mut reader, outlet, stop) = pipe();
        outlet.write_all(b"xy").unwrap();
        reader.read_exact(&mut [0]).unwrap();
        assert!(!outlet.is_emptied(&now).unwrap());
        reader.read_exact(&mut [0]).unwrap();
        assert!(outlet.is_emptied(&now).unwrap());
        outlet.write_all(b"x").unwrap();
        drop(reader);
        assert!(matches!(outlet.is_emptied(&now), Err(Blocked::ReaderGone)));
        stop.raise();
        assert!(matches!(outlet.is_emptied(&now), Err(Blocked::Stopped)));
    }
}
