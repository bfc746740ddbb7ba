//! The task that writes: control first, then pongs and pings, then parts of blocks.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, timeout};

use super::block::{PIECE, Part};
use super::drivers::PARTING;
use super::inbound::lost;
use super::state::{Farewell, State};
use crate::shared::Shared;
use crate::wire::Frame;

/// Control that goes into one frame, in bytes.
const WORDS: usize = 16 << 10;

/// What is written to a connection, and where it comes from.
pub(super) struct Outbound<W> {
    pub(super) stream: W,
    /// Frames that the connection has not taken yet.
    pub(super) pending: BytesMut,
    /// Nothing once there is no more of this side's control.
    pub(super) control: Option<ReadHalf<DuplexStream>>,
    /// What was read of it last.
    pub(super) words: BytesMut,
    pub(super) blocks: mpsc::Receiver<Part>,
    pub(super) pings: Interval,
    /// When pings are counted from.
    pub(super) begun: Instant,
    pub(super) state: Arc<Shared<State>>,
}

impl<W: AsyncWrite + Unpin> Outbound<W> {
    /// Writes until the connection has ended, and then what is to be said of that.
    pub(super) async fn run(mut self) {
        let state = self.state.clone();
        tokio::select! {
            biased;
            _ = state.when(|s| s.ended().cloned()) => {}
            error = self.write() => match error {
                Ok(never) => match never {},
                Err(error) => state.change(|s| s.end(lost(&error))),
            },
        }
        // Whoever has more blocks hears that they go nowhere.
        self.blocks.close();
        let _ = match state.look(State::farewell) {
            None | Some(Farewell::Gone) => return,
            Some(Farewell::Heard) => timeout(PARTING, self.stream.shutdown()).await,
            Some(Farewell::Close(code, sentence)) => {
                let close = Frame::Close { code: code.number(), sentence };
                timeout(PARTING, self.leave(&close)).await
            }
        };
    }

    async fn write(&mut self) -> io::Result<Infallible> {
        loop {
            self.push_out().await?;
            let control = next_words(&mut self.control, &mut self.words);
            let frame = tokio::select! {
                biased;
                words = control => self.said(words?),
                number = self.state.when(|s| s.ping.take()) => Some(Frame::Pong(number)),
                _ = self.pings.tick() => Some(Frame::Ping(self.now())),
                Some(part) = self.blocks.recv() => Some(frame_of(part)),
            };
            frame.into_iter().for_each(|frame| frame.encode(&mut self.pending));
            self.gather();
        }
    }

    /// Adds the parts of blocks that fit into the same write, so that short ones do not cost a packet each.
    fn gather(&mut self) {
        while self.pending.len() < PIECE
            && let Ok(part) = self.blocks.try_recv()
        {
            frame_of(part).encode(&mut self.pending);
        }
    }

    /// Writes what is pending. What is not written when this is dropped is still pending.
    async fn push_out(&mut self) -> io::Result<()> {
        while !self.pending.is_empty() {
            let taken = self.stream.write_buf(&mut self.pending).await?;
            self.state.change(|s| s.sent_bytes += taken as u64);
        }
        self.stream.flush().await
    }

    /// Says what there is of control, and why this side goes.
    async fn leave(&mut self, close: &Frame) -> io::Result<()> {
        loop {
            let words = next_words(&mut self.control, &mut self.words);
            let words = tokio::select! {
                biased;
                words = words => words?,
                () = std::future::ready(()) => break,
            };
            self.said(words).into_iter().for_each(|frame| frame.encode(&mut self.pending));
            self.push_out().await?;
        }
        close.encode(&mut self.pending);
        self.push_out().await?;
        self.stream.shutdown().await
    }

    /// What is to be written of control, now that these are its next words, or none follow.
    fn said(&mut self, words: Option<Bytes>) -> Option<Frame> {
        if words.is_none() {
            self.control = None;
        }
        let end = self.state.look(|s| s.said_all).then_some(Frame::ControlEnd);
        words.map(Frame::Control).or(end)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// The next of this side's control; nothing at its end, and never anything after that. Cancel-safe.
async fn next_words(control: &mut Option<impl AsyncRead + Unpin>, words: &mut BytesMut) -> io::Result<Option<Bytes>> {
    let Some(control) = control else { return std::future::pending().await };
    words.reserve(WORDS);
    match control.read_buf(words).await? {
        0 => Ok(None),
        _ => Ok(Some(words.split().freeze())),
    }
}

fn frame_of(part: Part) -> Frame {
    match part {
        Part::Piece(bytes) => Frame::Piece(bytes),
        Part::End => Frame::BlockEnd,
        Part::Cancelled => Frame::BlockCancelled,
    }
}
