//! QuickLZ 1.5, level 1: the body of a compressed packet.
//!
//! Items follow a control word of 32 bits, little-endian, one bit for each of up to 31 items, lowest first, and a one
//! behind the last. A 0 is a literal: one byte. A 1 is a match of two bytes, or three: 4 bits of length (less 2, or 0
//! where a third byte has all of it), then 12 bits that name a position by a hash of the three bytes there. Position by
//! position, both sides enter what they know into the same table: of the literals as soon as three bytes stand at a
//! position, of a match only where it begins.

use crate::stage::{Defect, Fault, Part};

/// Entries of the table.
const ENTRIES: usize = 4096;

/// The shortest match, which is also what is hashed, in bytes.
const SHORTEST: usize = 3;

/// No position.
const NONE: u32 = u32::MAX;

/// The longest padding of a body: no writer makes one of less than 9 bytes.
const PADDED: usize = 9;

/// For each hash, where its three bytes were seen last. 16 KiB, taken when first used.
#[derive(Default)]
pub(super) struct Positions(Option<Box<[u32; ENTRIES]>>);

impl Positions {
    fn fresh(&mut self) -> &mut [u32; ENTRIES] {
        let table = self.0.get_or_insert_with(|| Box::new([NONE; ENTRIES]));
        table.fill(NONE);
        table
    }

    pub(super) fn memory(&self) -> usize {
        self.0.as_ref().map_or(0, |table| size_of_val(&**table))
    }
}

/// Decompresses `body`, which must fill `content`.
///
/// # Errors
/// When it does not, or is not valid.
pub(super) fn decompress(body: &[u8], content: &mut [u8], positions: &mut Positions) -> Result<(), Fault> {
    let mut packet = Unpacking { body, content, filled: 0, hashed: 0, table: positions.fresh() };
    packet.unpack().map_err(|defect| Fault::Corrupt { part: Part::Packet, defect })
}

struct Unpacking<'a> {
    /// What is left of it.
    body: &'a [u8],
    content: &'a mut [u8],
    filled: usize,
    /// The first position that is not in the table, and is to be.
    hashed: usize,
    table: &'a mut [u32; ENTRIES],
}

impl Unpacking<'_> {
    fn unpack(&mut self) -> Result<(), Defect> {
        let whole = self.body.len();
        let mut control = 1;
        while self.filled < self.content.len() {
            if control == 1 {
                control = u32::from_le_bytes(self.take()?);
            }
            match control.trailing_zeros() {
                32 => return Err(Defect::Control),
                0 if control == 1 => {}
                0 => {
                    self.reference()?;
                    control >>= 1;
                }
                literals => {
                    self.literals(literals as usize)?;
                    control >>= literals;
                }
            }
        }
        if self.body.is_empty() || whole <= PADDED { Ok(()) } else { Err(Defect::Leftover) }
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Defect> {
        let (taken, rest) = self.body.split_first_chunk().ok_or(Defect::Cut)?;
        self.body = rest;
        Ok(*taken)
    }

    /// Copies bytes as they are; of the last ones, as many as there is room for.
    fn literals(&mut self, count: usize) -> Result<(), Defect> {
        let count = count.min(self.content.len() - self.filled);
        let (literals, rest) = self.body.split_at_checked(count).ok_or(Defect::Cut)?;
        self.content[self.filled..self.filled + count].copy_from_slice(literals);
        self.body = rest;
        self.filled += count;
        Ok(())
    }

    fn reference(&mut self) -> Result<(), Defect> {
        let (start, reference) = (self.filled, u16::from_le_bytes(self.take()?));
        let len = match usize::from(reference & 0xF) {
            0 => usize::from(u8::from_le_bytes(self.take()?)),
            short => short + 2,
        };
        if len < SHORTEST {
            return Err(Defect::Match);
        }
        self.hash((start + 1).saturating_sub(SHORTEST));
        let from = self.table[usize::from(reference >> 4)] as usize;
        if from >= start {
            return Err(Defect::Reference);
        }
        if len > self.content.len() - start {
            return Err(Defect::Overflow);
        }
        self.repeat(from, len);
        self.hash(start + 1);
        self.hashed = self.filled;
        Ok(())
    }

    /// Copies `len` bytes from position `from`, some of which may be copies themselves.
    fn repeat(&mut self, from: usize, len: usize) {
        let start = self.filled;
        if start - from >= len {
            self.content.copy_within(from..from + len, start);
        } else {
            for at in 0..len {
                self.content[start + at] = self.content[from + at];
            }
        }
        self.filled += len;
    }

    /// Enters all positions before `end`. Three bytes are known at each.
    fn hash(&mut self, end: usize) {
        if self.hashed >= end {
            return;
        }
        for (at, bytes) in self.content[self.hashed..end + SHORTEST - 1].windows(SHORTEST).enumerate() {
            let value = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
            self.table[(((value >> 12) ^ value) & 0xFFF) as usize] = (self.hashed + at) as u32;
        }
        self.hashed = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a body decompresses to, or why it does not.
    fn unpacked(len: usize, control: u32, items: &[u8]) -> Result<Vec<u8>, Defect> {
        let (body, mut content) = ([&control.to_le_bytes(), items].concat(), vec![0xEE; len]);
        match decompress(&body, &mut content, &mut Positions::default()) {
            Ok(()) => Ok(content),
            Err(Fault::Corrupt { defect, .. }) => Err(defect),
            Err(fault) => panic!("{fault}"),
        }
    }

    /// A match with the position where `bytes` stand, in two bytes.
    fn repeat(bytes: &[u8; 3], len: u16) -> [u8; 2] {
        let value = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
        ((((value >> 12) ^ value) as u16 & 0xFFF) << 4 | len).to_le_bytes()
    }

    #[test]
    fn matches_repeat_even_themselves() {
        let [low, high] = repeat(b"abc", 3);
        assert_eq!(unpacked(8, 0b1000 | 1 << 31, &[b'a', b'b', b'c', low, high]), Ok(b"abcabcab".to_vec()));
        let [low, high] = repeat(b"xyz", 0);
        let content = unpacked(258, 0b1000 | 1 << 31, &[b'x', b'y', b'z', low, high, 255]);
        assert_eq!(content, Ok(b"xyz".repeat(86)));
    }

    #[test]
    fn what_is_not_valid_is_refused() {
        let [low, high] = repeat(b"abc", 3);
        assert_eq!(unpacked(5, 1 << 31, b"abcd"), Err(Defect::Cut));
        assert_eq!(unpacked(5, 0, b"abcde"), Err(Defect::Control));
        assert_eq!(unpacked(6, 1 << 31, b"abcdefg"), Err(Defect::Leftover));
        assert_eq!(unpacked(7, 0b1000 | 1 << 31, &[b'a', b'b', b'c', low, high]), Err(Defect::Overflow));
        assert_eq!(unpacked(8, 0b1000 | 1 << 31, &[b'a', b'b', b'c', low & 0xF0, high, 2]), Err(Defect::Match));
        assert_eq!(unpacked(8, 0b0100 | 1 << 31, &[b'a', b'b', low, high]), Err(Defect::Reference));
        assert_eq!(unpacked(8, 0b1000 | 1 << 31, &[b'a', b'b', b'd', low, high]), Err(Defect::Reference));
    }

    #[test]
    fn a_body_of_nine_bytes_may_be_padded() {
        assert_eq!(unpacked(3, 1 << 31, b"abcde"), Ok(b"abc".to_vec()));
        assert_eq!(unpacked(3, 1 << 31, b"abcdef"), Err(Defect::Leftover));
    }
}
