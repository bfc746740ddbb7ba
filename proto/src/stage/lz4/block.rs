//! The blocks of a frame.

use lz4_flex::block::{DecompressError, decompress_into, decompress_into_with_dict};
use twox_hash::XxHash32;

use super::header::{Descriptor, Linkage};
use crate::stage::gather::{Whole, u32_at};
use crate::stage::pieces::Pieces;
use crate::stage::{Defect, Fault, Field, Part};

/// The longest block, in bytes, as it is and decompressed. xtrabackup's chunks are its blocks, and for two reasons they
/// can be larger than the frame declares: there is no code for more than 4 MiB, and for chunks between 1 and 1.18 MiB it
/// declares 1 MiB.
const LONGEST: usize = 16 << 20;

/// How far back linked blocks refer, in bytes.
const HISTORY: usize = 64 << 10;

/// What a block can hold at most, as a multiple of its own length.
const EXPANSION: usize = 255;

/// The most that blocks take, in bytes: one as it is and one decompressed, the sum, and what linked ones refer to.
pub(in crate::stage) const MOST_MEMORY: usize = 2 * LONGEST + 4 + HISTORY;

/// The bit of a block that is stored as it is.
const STORED: u32 = 1 << 31;

/// What stands before a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockHead {
    storage: Storage,
    len: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Storage {
    Compressed,
    Stored,
}

impl BlockHead {
    /// From the four bytes before a block.
    pub(super) fn new(head: u32) -> Result<BlockHead, Fault> {
        let len = (head & !STORED) as usize;
        if len > LONGEST {
            return Err(Fault::Limit { field: Field::Block, limit: LONGEST as u64, actual: len as u64 });
        }
        Ok(BlockHead { storage: if head & STORED == 0 { Storage::Compressed } else { Storage::Stored }, len })
    }
}

/// Decompresses blocks, one at a time.
#[derive(Default)]
pub(super) struct Blocks {
    /// What the last one held.
    pub(super) content: Pieces,
    block: Whole,
    history: Vec<u8>,
}

impl Blocks {
    /// A frame begins: nothing before it is referred to.
    pub(super) fn begin(&mut self) {
        self.history.clear();
    }

    /// Reads on in a block that holds at most `left` bytes. Those that it holds; none if more bytes are needed.
    pub(super) fn read(
        &mut self,
        head: BlockHead,
        frame: &Descriptor,
        left: u64,
        input: &mut &[u8],
    ) -> Result<Option<&[u8]>, Fault> {
        let sum_len = if frame.has_block_sums { 4 } else { 0 };
        let Some(whole) = self.block.take(input, head.len + sum_len) else { return Ok(None) };
        let (block, sum) = whole.split_at(head.len);
        if frame.has_block_sums {
            check_sum(block, u32_at(sum, 0))?;
        }
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(LONGEST);
        let len = match head.storage {
            Storage::Stored => store(block, &mut self.content.bytes, most)?,
            Storage::Compressed => {
                let most = most.min(block.len() * EXPANSION);
                let room = Room { declared: frame.largest_block.min(most), most };
                decompress(block, &mut self.content.bytes, room, &self.history)?
            }
        };
        self.content.give(len);
        if frame.linkage == Linkage::Linked {
            remember(&mut self.history, self.content.all());
        }
        Ok(Some(self.content.all()))
    }

    pub(super) fn memory(&self) -> usize {
        self.content.bytes.capacity() + self.block.memory() + self.history.capacity()
    }
}

/// How much a block may hold, in bytes.
#[derive(Clone, Copy)]
struct Room {
    declared: usize,
    most: usize,
}

fn check_sum(block: &[u8], expected: u32) -> Result<(), Fault> {
    let actual = XxHash32::oneshot(0, block);
    if actual == expected { Ok(()) } else { Err(Fault::Checksum { of: Part::Block, expected, actual }) }
}

fn too_long(actual: usize, limit: usize) -> Fault {
    Fault::Limit { field: Field::Block, limit: limit as u64, actual: actual as u64 }
}

fn store(block: &[u8], content: &mut Vec<u8>, most: usize) -> Result<usize, Fault> {
    if block.len() > most {
        return Err(too_long(block.len(), most));
    }
    content.clear();
    content.extend_from_slice(block);
    Ok(block.len())
}

/// Decompresses into what is declared, and where that does not suffice, into all that a block may hold.
fn decompress(block: &[u8], content: &mut Vec<u8>, room: Room, history: &[u8]) -> Result<usize, Fault> {
    for room in [room.declared, room.most] {
        if content.len() < room {
            content.resize(room, 0);
        }
        let to = &mut content[..room];
        let result =
            if history.is_empty() { decompress_into(block, to) } else { decompress_into_with_dict(block, to, history) };
        match result {
            Err(DecompressError::OutputTooSmall { .. }) => {}
            result => return result.map_err(fault),
        }
    }
    Err(Fault::Corrupt { part: Part::Block, defect: Defect::Overflow })
}

fn fault(error: DecompressError) -> Fault {
    let defect = match error {
        DecompressError::LiteralOutOfBounds | DecompressError::ExpectedAnotherByte => Defect::Cut,
        DecompressError::OffsetZero | DecompressError::OffsetOutOfBounds => Defect::Reference,
        _ => Defect::Overflow,
    };
    Fault::Corrupt { part: Part::Block, defect }
}

/// Keeps the last 64 KiB of all content.
fn remember(history: &mut Vec<u8>, content: &[u8]) {
    let new = &content[content.len().saturating_sub(HISTORY)..];
    let old = (history.len() + new.len()).saturating_sub(HISTORY);
    history.drain(..old);
    history.extend_from_slice(new);
}
