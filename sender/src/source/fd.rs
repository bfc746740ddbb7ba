//! Reads any file descriptor asynchronously, without changing it.
//!
//! The standard input's file description is shared with other processes (the shell, the far end
//! of a terminal), so O_NONBLOCK must not be set on it: it would be set for all of them.

use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::{Errno, retry_on_intr};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, Interest, ReadBuf};

/// Most bytes taken by one call, and what a pipe is made to hold: as much as Linux lets anybody have. A writer then runs
/// ahead of a reader that is busy with the block before, and they wake each other less often.
const READ_AT_ONCE: usize = 1 << 20;

/// An open file descriptor of any kind, as [`AsyncRead`].
#[derive(Debug)]
pub(super) enum FdReader {
    /// A pipe, socket or terminal: waits for readiness, then reads what is there.
    Polled(AsyncFd<OwnedFd>),
    /// A regular file and the like, which epoll refuses: reading blocks the thread for a while.
    Plain(OwnedFd),
}

impl FdReader {
    /// Registers `fd` with the current runtime. A pipe is enlarged, if the system lets us.
    #[expect(deprecated, reason = "the new form is unsafe, for types whose AsRawFd may lie; OwnedFd's does not")]
    pub(super) fn new(fd: OwnedFd) -> io::Result<FdReader> {
        let _ = rustix::pipe::fcntl_setpipe_size(&fd, READ_AT_ONCE);
        match AsyncFd::try_with_interest(fd, Interest::READABLE) {
            Ok(fd) => Ok(FdReader::Polled(fd)),
            Err(refused) => match refused.into_parts() {
                (fd, error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(FdReader::Plain(fd)),
                (_, error) => Err(error),
            },
        }
    }
}

impl AsyncRead for FdReader {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let fd = match self.get_mut() {
            FdReader::Plain(fd) => return Poll::Ready(read(fd, buf).map_err(io::Error::from)),
            FdReader::Polled(fd) => fd,
        };
        loop {
            let mut ready = ready!(fd.poll_read_ready(cx))?;
            // Readiness is reported when it begins, not while it lasts, and a blocking descriptor
            // never says that it is over: ask before each read.
            if has_something(fd.get_ref())? {
                match read(fd.get_ref(), buf) {
                    Err(Errno::AGAIN) => {}
                    done => return Poll::Ready(done.map_err(io::Error::from)),
                }
            }
            ready.clear_ready();
        }
    }
}

/// Whether a read would come back at once: with bytes, the end, or an error.
fn has_something(fd: &OwnedFd) -> io::Result<bool> {
    let mut fds = [PollFd::new(fd, PollFlags::IN)];
    Ok(retry_on_intr(|| rustix::event::poll(&mut fds, Some(&Timespec::default())))? > 0)
}

fn read(fd: &OwnedFd, buf: &mut ReadBuf<'_>) -> Result<(), Errno> {
    let space = buf.initialize_unfilled_to(buf.remaining().min(READ_AT_ONCE));
    let len = retry_on_intr(|| rustix::io::read(fd, &mut *space))?;
    buf.advance(len);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};
    use std::time::Duration;

    use rustix::fs::{OFlags, fcntl_getfl};
    use tokio::io::AsyncReadExt;

    use super::*;

    async fn read_all(fd: OwnedFd) -> Vec<u8> {
        let mut all = Vec::new();
        FdReader::new(fd).unwrap().read_to_end(&mut all).await.unwrap();
        all
    }

    #[tokio::test]
    async fn a_pipe_is_read_to_its_end_in_pieces_of_any_size() {
        let (reader, writer) = std::io::pipe().unwrap();
        let sent: Vec<u8> = (0..1_000_003_u32).map(|i| i as u8).collect();
        let expected = sent.clone();
        let writing = std::thread::spawn(move || { writer }.write_all(&sent));
        let mut fd = FdReader::new(reader.into()).unwrap();
        let mut all = Vec::new();
        let mut piece = [0; 777];
        loop {
            let len = fd.read(&mut piece).await.unwrap();
            if len == 0 {
                break;
            }
            all.extend_from_slice(&piece[..len]);
        }
        writing.join().unwrap().unwrap();
        assert!(all == expected);
    }

    #[tokio::test]
    async fn a_silent_pipe_does_not_block_the_thread() {
        let (reader, writer) = std::io::pipe().unwrap();
        let shared: OwnedFd = reader.try_clone().unwrap().into();
        let mut fd = FdReader::new(reader.into()).unwrap();
        (&writer).write_all(b"ab").unwrap();
        let mut one = [0];
        fd.read_exact(&mut one).await.unwrap();
        fd.read_exact(&mut one).await.unwrap();
        let silent = tokio::time::timeout(Duration::from_millis(20), fd.read(&mut one)).await;
        assert!(silent.is_err(), "{silent:?}");
        assert!(!fcntl_getfl(&shared).unwrap().contains(OFlags::NONBLOCK));
        (&writer).write_all(b"c").unwrap();
        fd.read_exact(&mut one).await.unwrap();
        assert_eq!(&one, b"c");
    }

    #[tokio::test]
    async fn a_regular_file_is_read_from_where_it_stands() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"header and body").unwrap();
        file.seek(io::SeekFrom::Start(11)).unwrap();
        assert_eq!(read_all(file.into()).await, b"body");
    }

    #[tokio::test]
    async fn a_socket_is_read_to_its_end() {
        let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        theirs.write_all(b"hello").unwrap();
        drop(theirs);
        assert_eq!(read_all(ours.into()).await, b"hello");
    }
}
