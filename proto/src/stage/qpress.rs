//! A qpress archive of one file, as xtrabackup and mariabackup write it.
//!
//! All integers are little-endian:
//!
//! | size | field |
//! |---|---|
//! | 8 | `qpress10` |
//! | 8 | chunk size: the most that a block unpacks to |
//! | 1 | `F`: a file |
//! | 4 | length n of its name |
//! | n | its name, which the archive's own makes needless |
//! | 1 | 0 |
//!
//! then any number of blocks, each of its own:
//!
//! | size | field |
//! |---|---|
//! | 8 | `NEWBNEWB` |
//! | 8 | for recovery: where the block belongs, which not all writers count alike |
//! | 4 | Adler-32 of the packet |
//! | | a QuickLZ packet, see `quicklz.rs` |
//!
//! and `ENDSENDS` with 8 bytes of zero. Nothing follows.

mod packet;
mod quicklz;

use self::packet::{PacketHead, Packets};
use super::chain::{Decoder, Step};
use super::gather::{Gather, u32_at, u64_at};
use super::{Fault, Field, Part, StageError, StageKind, Unsupported};
use crate::xbstream::Quote;

/// The largest chunk, in bytes: what a block may unpack to. `--compress-chunk-size` is 64 KiB by default.
const LARGEST_CHUNK: u64 = 64 << 20;

/// The most that a file makes its decoder hold, in bytes: a packet, what it holds, and a table of positions.
pub(super) const MOST_MEMORY: usize = 2 * LARGEST_CHUNK as usize + 400 + (16 << 10);

/// The longest name, in bytes. It is skipped; the limit only finds damage early.
const LONGEST_NAME: u32 = 4096;

/// Magic, chunk size, kind, length of the name.
const ARCHIVE_HEADER: usize = 8 + 8 + 1 + 4;

/// Mark and recovery information.
const RECORD_HEADER: usize = 8 + 8;

/// Unpacks one archive.
pub(super) struct Qpress {
    /// Where the block begins.
    at: u64,
    /// Where the input has come to.
    offset: u64,
    state: State,
    gather: Gather,
    largest: usize,
    packets: Packets,
}

/// What comes next.
#[derive(Clone, Copy)]
enum State {
    Archive,
    Name { left: u32 },
    NameEnd,
    Record,
    PacketHead,
    Packet(PacketHead),
    End,
}

impl Qpress {
    pub(super) fn new() -> Qpress {
        let (gather, packets) = (Gather::new(), Packets::default());
        Qpress { at: 0, offset: 0, state: State::Archive, gather, largest: 0, packets }
    }

    /// Reads on; the state after that, or none if more bytes are needed.
    fn step(&mut self, input: &mut &[u8]) -> Result<Option<State>, Fault> {
        match self.state {
            State::Archive => self.archive(input),
            State::Name { left } => Ok(skip_name(left, input)),
            State::NameEnd => self.gather.fill(input, 1).map(name_end).transpose(),
            State::Record => self.record(input),
            State::PacketHead => Ok(PacketHead::read(&mut self.gather, input, self.largest)?.map(State::Packet)),
            State::Packet(head) => Ok(self.packets.read(head, &self.gather, input)?.map(|()| State::Record)),
            State::End if input.is_empty() => Ok(None),
            State::End => Err(Fault::Trailing { after: Part::Trailer }),
        }
    }

    fn archive(&mut self, input: &mut &[u8]) -> Result<Option<State>, Fault> {
        let Some(magic) = self.gather.fill(input, 8) else { return Ok(None) };
        if magic != b"qpress10" {
            return Err(Fault::Magic { expected: Part::Archive, found: Quote::new(magic) });
        }
        let Some(header) = self.gather.fill(input, ARCHIVE_HEADER) else { return Ok(None) };
        self.largest = at_most(Field::ArchiveChunk, u64_at(header, 8), LARGEST_CHUNK)? as usize;
        if header[16] != b'F' {
            return Err(Fault::Unsupported(Unsupported::Directory));
        }
        let name_len = u32_at(header, 17);
        at_most(Field::Name, name_len.into(), LONGEST_NAME.into())?;
        Ok(Some(State::Name { left: name_len }))
    }

    fn record(&mut self, input: &mut &[u8]) -> Result<Option<State>, Fault> {
        let Some(mark) = self.gather.fill(input, 8) else { return Ok(None) };
        let is_block = match mark {
            b"NEWBNEWB" => true,
            b"ENDSENDS" => false,
            _ => return Err(Fault::Magic { expected: Part::Record, found: Quote::new(mark) }),
        };
        match self.gather.fill(input, RECORD_HEADER).map(|header| u64_at(header, 8)) {
            None => Ok(None),
            Some(_) if is_block => Ok(Some(State::PacketHead)),
            Some(0) => Ok(Some(State::End)),
            Some(actual) => Err(Fault::Mismatch { field: Field::Trailer, expected: 0, actual }),
        }
    }

    fn enter(&mut self, state: State) {
        if matches!(state, State::Record | State::End) {
            self.at = self.offset;
        }
        // A packet's checksum covers its header too.
        if !matches!(state, State::Packet(_)) {
            self.gather.clear();
        }
        self.state = state;
    }
}

fn at_most(field: Field, actual: u64, limit: u64) -> Result<u64, Fault> {
    if actual > limit { Err(Fault::Limit { field, limit, actual }) } else { Ok(actual) }
}

/// Passes over what is left of the name.
fn skip_name(left: u32, input: &mut &[u8]) -> Option<State> {
    let skipped = input.len().min(left as usize);
    *input = &input[skipped..];
    match left - skipped as u32 {
        0 => Some(State::NameEnd),
        _ if skipped == 0 => None,
        left => Some(State::Name { left }),
    }
}

fn name_end(byte: &[u8]) -> Result<State, Fault> {
    match byte[0] {
        0 => Ok(State::Record),
        actual => Err(Fault::Mismatch { field: Field::NameEnd, expected: 0, actual: actual.into() }),
    }
}

impl Decoder for Qpress {
    fn advance(&mut self, input: &mut &[u8]) -> Result<Step, StageError> {
        loop {
            if let Some(step) = self.packets.content.next() {
                return Ok(step);
            }
            let before = input.len();
            let next = self.step(input);
            self.offset += (before - input.len()) as u64;
            match next.map_err(|fault| StageError::new(StageKind::Qpress, self.at, fault))? {
                Some(state) => self.enter(state),
                None => return Ok(Step::Hungry),
            }
        }
    }

    fn piece(&self) -> &[u8] {
        self.packets.content.piece()
    }

    fn finish(&self) -> Result<(), StageError> {
        let inside = match self.state {
            State::End => return Ok(()),
            State::Archive | State::Name { .. } | State::NameEnd => Part::Archive,
            State::Record => Part::Record,
            State::PacketHead | State::Packet(_) => Part::Packet,
        };
        Err(StageError::new(StageKind::Qpress, self.offset, Fault::Truncated { inside }))
    }

    fn memory(&self) -> usize {
        self.packets.memory()
    }
}
