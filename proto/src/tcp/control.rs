//! This side's end of the control stream: memory between whoever talks and the two tasks.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, ReadHalf, WriteHalf};

use super::state::State;
use crate::link::{ControlOut, Eventually};
use crate::shared::Shared;

/// The half that is read. It ends well only if the peer has said so.
pub(super) struct Heard {
    pub(super) stream: ReadHalf<DuplexStream>,
    pub(super) state: Arc<Shared<State>>,
}

impl AsyncRead for Heard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let ended = buffer.filled().len() == before && buffer.remaining() > 0;
        Poll::Ready(match ended && !self.state.look(|s| s.heard_all) {
            true => Err(io::Error::new(io::ErrorKind::ConnectionAborted, "the connection has ended")),
            false => Ok(()),
        })
    }
}

/// The half that is written. It ends only if this side says so, and not when it is dropped.
pub(super) struct Said {
    pub(super) stream: WriteHalf<DuplexStream>,
    pub(super) state: Arc<Shared<State>>,
}

impl ControlOut for Said {
    /// Nobody can tell: what the kernel has taken is not what the peer has heard. A close comes after it in any case.
    fn delivered(&self) -> Eventually<'_, bool> {
        Box::pin(std::future::ready(false))
    }
}

impl AsyncWrite for Said {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.state.change(|s| s.said_all = true);
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
