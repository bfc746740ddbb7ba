//! The reading end of a FIFO that may not be there yet.

use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::oneshot;

use super::super::fd::FdReader;

/// Reads a FIFO from when it is handed over. One that never is has no end: its source says why.
pub(super) enum FifoReader {
    /// Not handed over yet.
    Awaited(oneshot::Receiver<OwnedFd>),
    /// It will not be.
    Never,
    /// It was.
    Open(FdReader),
}

impl AsyncRead for FifoReader {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            *self = match &mut *self {
                FifoReader::Awaited(fifo) => match ready!(Pin::new(fifo).poll(cx)) {
                    Ok(fifo) => FifoReader::Open(FdReader::new(fifo)?),
                    Err(_) => FifoReader::Never,
                },
                FifoReader::Never => return Poll::Pending,
                FifoReader::Open(reader) => return Pin::new(reader).poll_read(cx, buf),
            }
        }
    }
}
