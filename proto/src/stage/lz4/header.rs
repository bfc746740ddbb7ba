//! The descriptor of a frame: what follows its magic.

use std::ops::RangeInclusive;

use twox_hash::XxHash32;

use crate::stage::gather::{Gather, u64_at};
use crate::stage::{Fault, Field, Part, Unsupported};

/// The two bytes that every descriptor begins with: flags, and the code of the largest block.
const FIXED: usize = 2;

/// What the flags say.
mod flag {
    pub(super) const VERSION: u8 = 0b1100_0000;
    pub(super) const INDEPENDENT: u8 = 0b0010_0000;
    pub(super) const BLOCK_SUM: u8 = 0b0001_0000;
    pub(super) const CONTENT_LEN: u8 = 0b0000_1000;
    pub(super) const CONTENT_SUM: u8 = 0b0000_0100;
    pub(super) const RESERVED: u8 = 0b0000_0010;
    pub(super) const DICTIONARY: u8 = 0b0000_0001;
}

/// The only version there is.
const VERSION_ONE: u8 = 0b0100_0000;

/// Codes of the largest block: 64 KiB, 256 KiB, 1 MiB, 4 MiB.
const CODES: RangeInclusive<u8> = 4..=7;

/// Whether a block refers to those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Linkage {
    #[default]
    Independent,
    Linked,
}

/// A valid descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Descriptor {
    pub(super) linkage: Linkage,
    /// Whether each block is followed by its sum.
    pub(super) has_block_sums: bool,
    /// Whether the sum of the content follows the last block.
    pub(super) has_content_sum: bool,
    /// Length of the content in bytes.
    pub(super) content_len: Option<u64>,
    /// The largest block in bytes, as declared.
    pub(super) largest_block: usize,
}

impl Descriptor {
    /// Reads on in a descriptor; none if more bytes are needed.
    pub(super) fn read(header: &mut Gather, input: &mut &[u8]) -> Result<Option<Descriptor>, Fault> {
        let Some(fixed) = header.fill(input, FIXED) else { return Ok(None) };
        let (flags, code) = (fixed[0], fixed[1]);
        check(flags, code)?;
        let has = |bit| flags & bit != 0;
        let sum_at = FIXED + if has(flag::CONTENT_LEN) { 8 } else { 0 };
        let Some(all) = header.fill(input, sum_at + 1) else { return Ok(None) };
        check_sum(&all[..sum_at], all[sum_at])?;
        Ok(Some(Descriptor {
            linkage: if has(flag::INDEPENDENT) { Linkage::Independent } else { Linkage::Linked },
            has_block_sums: has(flag::BLOCK_SUM),
            has_content_sum: has(flag::CONTENT_SUM),
            content_len: has(flag::CONTENT_LEN).then(|| u64_at(all, FIXED)),
            largest_block: 1 << (2 * (code >> 4) + 8),
        }))
    }
}

/// The flags and the code are of the known version.
fn check(flags: u8, code: u8) -> Result<(), Fault> {
    let (version, reserved) = (flags & flag::VERSION, flags & flag::RESERVED);
    if version != VERSION_ONE || reserved != 0 {
        let actual = u64::from(version | reserved);
        return Err(Fault::Mismatch { field: Field::FrameFlags, expected: VERSION_ONE.into(), actual });
    }
    if code & 0x8F != 0 || !CODES.contains(&(code >> 4)) {
        return Err(Fault::BlockCode { code });
    }
    if flags & flag::DICTIONARY != 0 {
        return Err(Fault::Unsupported(Unsupported::Dictionary));
    }
    Ok(())
}

/// The second byte of the descriptor's XXH32 stands behind it.
fn check_sum(descriptor: &[u8], sum: u8) -> Result<(), Fault> {
    let [_, actual, ..] = XxHash32::oneshot(0, descriptor).to_le_bytes();
    if actual == sum {
        return Ok(());
    }
    Err(Fault::Checksum { of: Part::FrameHeader, expected: sum.into(), actual: actual.into() })
}
