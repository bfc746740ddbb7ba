//! LZ4 frames, one after the other, as xtrabackup writes them.
//!
//! xtrabackup makes a frame of each of its writes, of up to 10 MiB: independent blocks, the content's length, a checksum
//! over the content. Frames of `lz4` itself are read too: linked blocks, checksums of blocks, skippable frames; not those
//! of its legacy format, and none that need a dictionary. A file without any frame is an empty one. After its header a
//! frame is
//!
//! | size | field |
//! |---|---|
//! | 4 | length n of the block, little-endian; highest bit: stored as it is. All zero: no more blocks |
//! | n | the block |
//! | 4 | its XXH32, if the header says so |
//!
//! and after the last block the content's XXH32, if the header says so.

mod block;
mod header;

use std::hash::Hasher;

use twox_hash::XxHash32;

pub(super) use self::block::MOST_MEMORY;
use self::block::{BlockHead, Blocks};
use self::header::Descriptor;
use super::chain::{Decoder, Step};
use super::gather::{Gather, u32_at};
use super::{Fault, Field, Part, StageError, StageKind};
use crate::xbstream::Quote;

/// What a frame begins with.
const MAGIC: u32 = 0x184D_2204;

/// What a frame begins with that is to be skipped, less the low four bits.
const SKIPPABLE: u32 = 0x184D_2A50;

/// Decompresses one file.
pub(super) struct Lz4 {
    /// Where the frame, or the block in it, begins.
    at: u64,
    /// Where the input has come to.
    offset: u64,
    state: State,
    gather: Gather,
    frame: Frame,
    blocks: Blocks,
}

/// What comes next.
#[derive(Clone, Copy)]
enum State {
    Magic,
    SkipLen,
    Skip { left: u64 },
    Descriptor,
    BlockHead,
    Block(BlockHead),
    ContentSum,
}

/// The frame being read.
struct Frame {
    descriptor: Descriptor,
    /// Of its content so far.
    len: u64,
    sum: XxHash32,
}

impl Frame {
    fn new(descriptor: Descriptor) -> Frame {
        Frame { descriptor, len: 0, sum: XxHash32::with_seed(0) }
    }

    /// Takes account of the next of its content.
    fn add(&mut self, content: &[u8]) {
        self.len += content.len() as u64;
        if self.descriptor.has_content_sum {
            self.sum.write(content);
        }
    }

    /// Bytes of content that may follow.
    fn left(&self) -> u64 {
        self.descriptor.content_len.map_or(u64::MAX, |len| len - self.len)
    }

    /// Holds its length against what the header says.
    fn close(&self) -> Result<State, Fault> {
        match self.descriptor.content_len {
            Some(expected) if expected != self.len => {
                Err(Fault::Mismatch { field: Field::Content, expected, actual: self.len })
            }
            _ if self.descriptor.has_content_sum => Ok(State::ContentSum),
            _ => Ok(State::Magic),
        }
    }
}

impl Lz4 {
    pub(super) fn new() -> Lz4 {
        let (frame, blocks) = (Frame::new(Descriptor::default()), Blocks::default());
        Lz4 { at: 0, offset: 0, state: State::Magic, gather: Gather::new(), frame, blocks }
    }

    /// Reads on; the state after that, or none if more bytes are needed.
    fn step(&mut self, input: &mut &[u8]) -> Result<Option<State>, Fault> {
        match self.state {
            State::Magic => self.gather.fill(input, 4).map(magic).transpose(),
            State::SkipLen => Ok(self.gather.fill(input, 4).map(|len| State::Skip { left: u32_at(len, 0).into() })),
            State::Skip { left } => Ok(skip(left, input)),
            State::Descriptor => self.descriptor(input),
            State::BlockHead => self.block_head(input),
            State::Block(head) => self.block(head, input),
            State::ContentSum => self.content_sum(input),
        }
    }

    fn descriptor(&mut self, input: &mut &[u8]) -> Result<Option<State>, Fault> {
        let Some(descriptor) = Descriptor::read(&mut self.gather, input)? else { return Ok(None) };
        self.blocks.begin();
        self.frame = Frame::new(descriptor);
        Ok(Some(State::BlockHead))
    }

    fn block_head(&mut self, input: &mut &[u8]) -> Result<Option<State>, Fault> {
        match self.gather.fill(input, 4).map(|head| u32_at(head, 0)) {
            None => Ok(None),
            Some(0) => self.frame.close().map(Some),
            Some(head) => Ok(Some(State::Block(BlockHead::new(head)?))),
        }
    }

    fn block(&mut self, head: BlockHead, input: &mut &[u8]) -> Result<Option<State>, Fault> {
        let left = self.frame.left();
        let Some(content) = self.blocks.read(head, &self.frame.descriptor, left, input)? else { return Ok(None) };
        self.frame.add(content);
        Ok(Some(State::BlockHead))
    }

    fn content_sum(&mut self, input: &mut &[u8]) -> Result<Option<State>, Fault> {
        let Some(expected) = self.gather.fill(input, 4).map(|sum| u32_at(sum, 0)) else { return Ok(None) };
        let actual = self.frame.sum.finish_32();
        if actual != expected {
            return Err(Fault::Checksum { of: Part::Content, expected, actual });
        }
        Ok(Some(State::Magic))
    }

    fn enter(&mut self, state: State) {
        if matches!(state, State::Magic | State::BlockHead) {
            self.at = self.offset;
        }
        self.gather.clear();
        self.state = state;
    }
}

/// Passes over what is left to skip.
fn skip(left: u64, input: &mut &[u8]) -> Option<State> {
    let skipped = input.len().min(usize::try_from(left).unwrap_or(usize::MAX));
    *input = &input[skipped..];
    match left - skipped as u64 {
        0 => Some(State::Magic),
        _ if skipped == 0 => None,
        left => Some(State::Skip { left }),
    }
}

fn magic(magic: &[u8]) -> Result<State, Fault> {
    match u32_at(magic, 0) {
        MAGIC => Ok(State::Descriptor),
        other if other & !0xF == SKIPPABLE => Ok(State::SkipLen),
        _ => Err(Fault::Magic { expected: Part::Lz4Frame, found: Quote::new(magic) }),
    }
}

impl Decoder for Lz4 {
    fn advance(&mut self, input: &mut &[u8]) -> Result<Step, StageError> {
        loop {
            if let Some(step) = self.blocks.content.next() {
                return Ok(step);
            }
            let before = input.len();
            let next = self.step(input);
            self.offset += (before - input.len()) as u64;
            match next.map_err(|fault| StageError::new(StageKind::Lz4, self.at, fault))? {
                Some(state) => self.enter(state),
                None => return Ok(Step::Hungry),
            }
        }
    }

    fn piece(&self) -> &[u8] {
        self.blocks.content.piece()
    }

    fn finish(&self) -> Result<(), StageError> {
        let inside = match self.state {
            State::Magic if self.gather.len() == 0 => return Ok(()),
            State::Magic | State::Descriptor => Part::FrameHeader,
            State::Block(_) => Part::Block,
            State::SkipLen | State::Skip { .. } | State::BlockHead | State::ContentSum => Part::Lz4Frame,
        };
        Err(StageError::new(StageKind::Lz4, self.offset, Fault::Truncated { inside }))
    }

    fn memory(&self) -> usize {
        self.blocks.memory()
    }
}
