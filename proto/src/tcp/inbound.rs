//! The task that reads: frames in, control and parts of blocks out.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, WriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::block::{Arriving, Part};
use super::drivers::PARTING;
use super::endpoint::distrusted;
use super::state::{Farewell, State};
use crate::link::LinkError;
use crate::shared::Shared;
use crate::wire::{CloseCode, Frame, WireError};

/// How many bytes are read at a time.
const READ: usize = 64 << 10;

/// Parts of a block that may wait for whoever reads it. Nothing is read from the connection when there are more.
const PARTS: usize = 16;

/// What is read from a connection, and where it goes.
pub(super) struct Inbound<R> {
    pub(super) stream: R,
    pub(super) arrived: BytesMut,
    /// Nothing once the peer's control has ended.
    pub(super) control: Option<WriteHalf<DuplexStream>>,
    /// Blocks that have begun. Whoever takes them is waited for.
    pub(super) blocks: mpsc::Sender<Arriving>,
    /// The one that is under way.
    pub(super) block: Option<mpsc::Sender<Part>>,
    pub(super) state: Arc<Shared<State>>,
    /// When pings are counted from.
    pub(super) begun: Instant,
    /// How long a living peer may be silent.
    pub(super) patience: Duration,
}

impl<R: AsyncRead + Unpin> Inbound<R> {
    /// Reads until the connection has ended, and then until the peer has no more to send: what the kernel still holds for
    /// a socket when it is closed makes it forget what it had to send.
    pub(super) async fn run(mut self) {
        let state = self.state.clone();
        let error = tokio::select! {
            biased;
            error = state.when(|s| s.ended().cloned()) => error,
            error = self.read() => match error {
                Ok(never) => match never {},
                Err(error) => error,
            },
        };
        state.change(|s| s.end(error));
        // Whoever waits for more of them hears that there is none.
        let Inbound { mut stream, control, blocks, block, .. } = self;
        drop((control, blocks, block));
        if state.look(State::farewell) != Some(Farewell::Gone) {
            let mut rest = vec![0; READ];
            let discarded = async { while matches!(stream.read(&mut rest).await, Ok(1..)) {} };
            let _ = timeout(PARTING, discarded).await;
        }
    }

    async fn read(&mut self) -> Result<Infallible, LinkError> {
        loop {
            while let Some(frame) = Frame::take(&mut self.arrived)? {
                self.take(frame).await?;
            }
            self.arrived.reserve(READ);
            match timeout(self.patience, self.stream.read_buf(&mut self.arrived)).await {
                Err(_) => return Err(LinkError::Silent),
                Ok(Ok(0)) => return Err(LinkError::Lost("the peer has ended the connection without a word".into())),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(lost(&error)),
            }
        }
    }

    async fn take(&mut self, frame: Frame) -> Result<(), LinkError> {
        let disorder = WireError::FrameOrder { frame: frame.name() };
        match frame {
            Frame::Control(bytes) => {
                let control = self.control.as_mut().ok_or(disorder)?;
                // It fails when nobody wants to hear any more.
                let _ = control.write_all(&bytes).await;
            }
            Frame::ControlEnd => {
                let mut control = self.control.take().ok_or(disorder)?;
                self.state.change(|s| s.heard_all = true);
                let _ = control.shutdown().await;
            }
            Frame::Piece(bytes) => self.piece(bytes, disorder).await?,
            Frame::BlockEnd => self.last(Part::End, disorder).await?,
            Frame::BlockCancelled => self.last(Part::Cancelled, disorder).await?,
            Frame::Close { code, sentence } => return Err(closed(code, sentence)),
            Frame::Ping(number) => self.state.change(|s| s.ping = Some(number)),
            Frame::Pong(number) => self.pong(number),
        }
        Ok(())
    }

    async fn piece(&mut self, bytes: Bytes, disorder: WireError) -> Result<(), LinkError> {
        let block = match &mut self.block {
            Some(block) => block,
            none => {
                if !self.state.look(|s| s.takes_blocks) {
                    return Err(disorder.into());
                }
                let (parts, arriving) = mpsc::channel(PARTS);
                let _ = self.blocks.send(Arriving::new(arriving, self.state.clone())).await;
                none.insert(parts)
            }
        };
        // It fails when nobody wants the rest of it, which goes by.
        let _ = block.send(Part::Piece(bytes)).await;
        Ok(())
    }

    async fn last(&mut self, part: Part, disorder: WireError) -> Result<(), LinkError> {
        let block = self.block.take().ok_or(disorder)?;
        let _ = block.send(part).await;
        Ok(())
    }

    fn pong(&self, number: u64) {
        let now = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.state.change(|s| {
            s.pongs += 1;
            s.round_trip = Duration::from_micros(now.saturating_sub(number));
        });
    }
}

fn closed(code: u32, reason: String) -> LinkError {
    match CloseCode::from_number(code.into()) {
        Some(code) => LinkError::Closed { code, reason },
        None => LinkError::Stranger(format!("it closed with the unknown code {code}")),
    }
}

/// A connection that broke; what TLS has to say of it is said in its own words.
pub(super) fn lost(error: &io::Error) -> LinkError {
    distrusted(error).unwrap_or_else(|| LinkError::Lost(format!("the TCP connection broke: {error}")))
}
