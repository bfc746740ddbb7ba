//! The incremental decoder: bytes in, items out.

mod header;
mod input;
mod payload;
mod place;
mod state;

use std::mem;

use bytes::Bytes;

use self::input::Input;
use self::place::Place;
use self::state::State;
use super::{DecodeError, Item, Limits, MAGIC};

/// Turns the bytes of a stream, cut anywhere, into items.
///
/// Payload is handed out as slices of what was fed. Kept inside is one unfinished field of a
/// header, or the part of a sparse map that has arrived, both bounded by [`Limits`].
#[derive(Debug)]
pub struct Decoder {
    input: Input,
    state: State,
    limits: Limits,
    /// Where the chunk being read begins.
    chunk: u64,
}

impl Decoder {
    /// A decoder at the start of a stream.
    pub fn new(limits: Limits) -> Decoder {
        Decoder { input: Input::default(), state: State::Magic, limits, chunk: 0 }
    }

    /// Hands over the next bytes of the stream. Call [`next`](Self::next) until it gives `None`
    /// before feeding more; only an unfinished header is kept inside. After an error the bytes
    /// are dropped.
    pub fn feed(&mut self, bytes: Bytes) {
        if !matches!(self.state, State::Failed(_)) {
            self.input.feed(bytes);
        }
    }

    /// The next item, or `None` when more bytes are needed. An error stays: it is returned again.
    #[expect(clippy::should_implement_trait, reason = "fallible, and None is not the end")]
    pub fn next(&mut self) -> Result<Option<Item>, DecodeError> {
        loop {
            if let State::Failed(error) = &self.state {
                return Err(error.clone());
            }
            let Some(field) = self.input.take(self.state.wants()) else { return Ok(None) };
            if let Some(item) = self.advance(field)? {
                return Ok(Some(item));
            }
        }
    }

    /// To be called at the end of the stream, when [`next`](Self::next) gives `None`: an error if it
    /// ended inside a chunk.
    pub fn finish(&self) -> Result<(), DecodeError> {
        let held = self.input.held();
        match &self.state {
            State::Failed(error) => Err(error.clone()),
            State::Magic => place::check_end(held, self.input.position()),
            unfinished => Err(DecodeError::Truncated {
                offset: self.input.position() + held.len() as u64,
                inside: unfinished.inside(),
                missing: unfinished.wants().most() - held.len() as u64,
            }),
        }
    }

    /// How many bytes of the stream were turned into items, or into the header being read.
    pub fn offset(&self) -> u64 {
        self.input.position()
    }

    /// Lets the state take in the field it asked for.
    fn advance(&mut self, field: Bytes) -> Result<Option<Item>, DecodeError> {
        let place = Place { chunk: self.chunk, limits: &self.limits, ahead: self.input.ahead() };
        let state = mem::replace(&mut self.state, State::Magic);
        match state.advance(field, &place) {
            Ok((state, item)) => {
                self.enter(state);
                Ok(item)
            }
            Err(error) => {
                self.state = State::Failed(error.clone());
                Err(error)
            }
        }
    }

    fn enter(&mut self, state: State) {
        match state {
            State::Magic => self.chunk = self.input.position(),
            // The magic after a seek was read together with it.
            State::Head => self.chunk = self.input.position() - MAGIC.len() as u64,
            _ => {}
        }
        self.state = state;
    }
}
