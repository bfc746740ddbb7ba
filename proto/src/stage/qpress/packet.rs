//! QuickLZ packets, one in each block.
//!
//! | size | field |
//! |---|---|
//! | 1 | flags: 0x01 compressed, 0x02 long, 0x0C level, 0x30 history, 0x40 always set, 0x80 never |
//! | 1, long 4 | length of the packet, this header included |
//! | 1, long 4 | length of what it holds |
//! | | the body |

use adler2::Adler32;

use super::quicklz::{self, Positions};
use crate::stage::gather::{Gather, Whole, u32_at};
use crate::stage::pieces::Pieces;
use crate::stage::{Fault, Field, Part, Unsupported};

/// The most by which a packet is longer than what it holds, in bytes.
const MOST_OVERHEAD: u64 = 400;

/// What a packet can hold at most, as a multiple of its own length: matches of 255 bytes take three.
const EXPANSION: u64 = 85;

/// The Adler-32 before a packet.
const SUM: usize = 4;

mod flag {
    pub(super) const COMPRESSED: u8 = 0x01;
    pub(super) const LONG: u8 = 0x02;
    pub(super) const LEVEL: u8 = 0x0C;
    pub(super) const HISTORY: u8 = 0x30;
    pub(super) const FIXED: u8 = 0xC0;
}

/// A valid header.
#[derive(Clone, Copy)]
pub(super) struct PacketHead {
    storage: Storage,
    body_len: usize,
    content_len: usize,
}

#[derive(Clone, Copy)]
enum Storage {
    Stored,
    Compressed,
}

impl PacketHead {
    /// Reads on in the sum and the header of a packet that holds at most `largest` bytes; none if more bytes are needed.
    pub(super) fn read(gather: &mut Gather, input: &mut &[u8], largest: usize) -> Result<Option<PacketHead>, Fault> {
        let Some(flags) = gather.fill(input, SUM + 1).map(|bytes| bytes[SUM]) else { return Ok(None) };
        let storage = storage(flags)?;
        let len = SUM + if flags & flag::LONG == 0 { 3 } else { 9 };
        let Some(header) = gather.fill(input, len) else { return Ok(None) };
        let (packet, content) = lengths(&header[SUM + 1..]);
        check_lengths(packet, content, (len - SUM) as u64, largest as u64)?;
        Ok(Some(PacketHead { storage, body_len: packet as usize + SUM - len, content_len: content as usize }))
    }
}

fn storage(flags: u8) -> Result<Storage, Fault> {
    if flags & flag::FIXED != 0x40 || flags & flag::HISTORY != 0 {
        return Err(Fault::Unsupported(Unsupported::QuickLz { flags }));
    }
    match (flags & flag::COMPRESSED, (flags & flag::LEVEL) >> 2) {
        (0, _) => Ok(Storage::Stored),
        (_, 1) => Ok(Storage::Compressed),
        _ => Err(Fault::Unsupported(Unsupported::QuickLz { flags })),
    }
}

/// The lengths of the packet and of what it holds.
fn lengths(fields: &[u8]) -> (u64, u64) {
    match *fields {
        [packet, content] => (packet.into(), content.into()),
        _ => (u32_at(fields, 0).into(), u32_at(fields, 4).into()),
    }
}

fn check_lengths(packet: u64, content: u64, header: u64, largest: u64) -> Result<(), Fault> {
    if content > largest {
        return Err(Fault::Limit { field: Field::PacketOriginal, limit: largest, actual: content });
    }
    if packet < header {
        return Err(Fault::Mismatch { field: Field::Packet, expected: header, actual: packet });
    }
    if content > packet * EXPANSION {
        return Err(Fault::Limit { field: Field::PacketOriginal, limit: packet * EXPANSION, actual: content });
    }
    let limit = content + MOST_OVERHEAD;
    if packet > limit {
        return Err(Fault::Limit { field: Field::Packet, limit, actual: packet });
    }
    Ok(())
}

/// Unpacks packets, one at a time.
#[derive(Default)]
pub(super) struct Packets {
    /// What the last one held.
    pub(super) content: Pieces,
    body: Whole,
    positions: Positions,
}

impl Packets {
    /// Reads on in the body of a packet whose header, with the sum before it, was gathered. None if more bytes are needed.
    pub(super) fn read(&mut self, head: PacketHead, header: &Gather, input: &mut &[u8]) -> Result<Option<()>, Fault> {
        let Some(body) = self.body.take(input, head.body_len) else { return Ok(None) };
        check_sum(header.bytes(), body)?;
        let content = &mut self.content.bytes;
        if content.len() < head.content_len {
            content.resize(head.content_len, 0);
        }
        let content = &mut content[..head.content_len];
        match head.storage {
            Storage::Compressed => quicklz::decompress(body, content, &mut self.positions)?,
            Storage::Stored => store(body, content)?,
        }
        self.content.give(head.content_len);
        Ok(Some(()))
    }

    pub(super) fn memory(&self) -> usize {
        self.content.bytes.capacity() + self.body.memory() + self.positions.memory()
    }
}

fn check_sum(header: &[u8], body: &[u8]) -> Result<(), Fault> {
    let mut sum = Adler32::new();
    sum.write_slice(&header[SUM..]);
    sum.write_slice(body);
    let (expected, actual) = (u32_at(header, 0), sum.checksum());
    if expected == actual { Ok(()) } else { Err(Fault::Checksum { of: Part::Packet, expected, actual }) }
}

fn store(body: &[u8], content: &mut [u8]) -> Result<(), Fault> {
    if body.len() != content.len() {
        let (expected, actual) = (body.len() as u64, content.len() as u64);
        return Err(Fault::Mismatch { field: Field::PacketOriginal, expected, actual });
    }
    content.copy_from_slice(body);
    Ok(())
}
