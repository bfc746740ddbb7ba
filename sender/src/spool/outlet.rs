//! Where the bytes of a lane come out of the spool, for whoever reads the lane.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, ReadBuf};

use super::lane::Lane;
use super::queue::Take;

/// Takes bytes out of a queue. A read may block the thread for as long as the disk does, and its errors are
/// [`SpoolError`](super::SpoolError)s.
#[derive(Debug)]
pub struct Outlet {
    lane: Arc<Lane>,
    /// What was read from the disk and is not yet handed out.
    slot: Bytes,
}

impl Outlet {
    pub(super) fn new(lane: Arc<Lane>) -> Outlet {
        Outlet { lane, slot: Bytes::new() }
    }
}

impl AsyncRead for Outlet {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while this.slot.is_empty() {
            match this.lane.take(cx, buf) {
                Take::Disk(stored) => this.slot = this.lane.read(stored).map_err(io::Error::other)?,
                Take::Memory | Take::End => return Poll::Ready(Ok(())),
                Take::Nothing => return Poll::Pending,
            }
        }
        let len = this.slot.len().min(buf.remaining());
        buf.put_slice(&this.slot.split_to(len));
        Poll::Ready(Ok(()))
    }
}
