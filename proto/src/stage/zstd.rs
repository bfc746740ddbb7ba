//! zstd frames, one after the other, as xtrabackup writes them.
//!
//! xtrabackup ends a frame with each of its writes, of some MiB, with a checksum over the content. A file without any
//! frame is an empty one. Skippable frames are skipped.

use zstd_safe::zstd_sys::ZSTD_ErrorCode as Code;
use zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer};

use super::chain::{Decoder, PIECE, Step};
use super::gather::Gather;
use super::{Defect, Fault, Part, StageError, StageKind, Unsupported};
use crate::xbstream::Quote;

/// The largest window, as a power of two: 128 MiB, that of `zstd --ultra -22`. xtrabackup's largest is 8 MiB.
const WINDOW_LOG: u32 = 27;

/// The most that a file makes its decoder hold, in bytes: a window, and some blocks of 128 KiB around it.
pub(super) const MOST_MEMORY: usize = (1 << WINDOW_LOG) + (1 << 20);

/// What a frame begins with.
const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();

/// What a frame begins with that is to be skipped, less the low four bits.
const SKIPPABLE: u32 = 0x184D_2A50;

/// The longest header of a frame, its magic included, in bytes.
const LONGEST_HEADER: usize = 18;

/// Decompresses one file. Its context is made when the first frame is; the window's memory is taken with that, of the
/// size that the frame needs.
pub(super) struct Zstd {
    context: Option<DCtx<'static>>,
    /// Where the frame begins.
    at: u64,
    /// Where the input has come to.
    offset: u64,
    magic: Gather,
    /// How much of the frame the decoder was given, in bytes.
    given: usize,
    /// Whether there may be output for which there was no room in the piece.
    is_holding: bool,
    piece: Vec<u8>,
}

impl Zstd {
    pub(super) fn new() -> Zstd {
        let magic = Gather::new();
        Zstd { context: None, at: 0, offset: 0, magic, given: 0, is_holding: false, piece: Vec::new() }
    }

    fn is_between_frames(&self) -> bool {
        self.magic.len() < MAGIC.len()
    }

    /// Reads the magic, and begins a frame with it.
    fn open(&mut self, input: &mut &[u8]) -> Result<(), Fault> {
        let magic = self.magic.fill(input, MAGIC.len());
        let Some(magic) = magic.and_then(|magic| <[u8; 4]>::try_from(magic).ok()) else { return Ok(()) };
        if magic != MAGIC && u32::from_le_bytes(magic) & !0xF != SKIPPABLE {
            return Err(Fault::Magic { expected: Part::ZstdFrame, found: Quote::new(&magic) });
        }
        if self.context.is_none() {
            self.context = Some(context()?);
            self.piece.reserve_exact(PIECE);
        }
        magic.iter().try_for_each(|byte| self.decompress(&mut std::slice::from_ref(byte)))
    }

    /// Gives the decoder its next input, and fills the piece from it. The header goes byte by byte: when the decoder comes to
    /// its end it looks whether what it has been given last, be it amid the header, is a whole frame, and goes another way
    /// if so, on which it does not look at the window.
    fn decompress(&mut self, input: &mut &[u8]) -> Result<(), Fault> {
        let Some(context) = &mut self.context else { return Err(Fault::Memory) };
        self.piece.clear();
        let most = if self.given < LONGEST_HEADER { 1 } else { usize::MAX };
        let (mut from, mut to) =
            (InBuffer::around(&input[..input.len().min(most)]), OutBuffer::around(&mut self.piece));
        let wanted = context.decompress_stream(&mut to, &mut from).map_err(fault)?;
        let taken = from.pos();
        *input = &input[taken..];
        self.given += taken;
        if wanted == 0 {
            self.magic.clear();
            self.given = 0;
        }
        self.is_holding = wanted > 0 && self.piece.len() == self.piece.capacity();
        Ok(())
    }
}

impl Decoder for Zstd {
    fn advance(&mut self, input: &mut &[u8]) -> Result<Step, StageError> {
        self.piece.clear();
        while self.is_holding || !input.is_empty() {
            let before = input.len();
            let step = if self.is_between_frames() { self.open(input) } else { self.decompress(input) };
            step.map_err(|fault| StageError::new(StageKind::Zstd, self.at, fault))?;
            self.offset += (before - input.len()) as u64;
            if self.magic.len() == 0 {
                self.at = self.offset;
            }
            if !self.piece.is_empty() {
                return Ok(Step::Piece);
            }
        }
        Ok(Step::Hungry)
    }

    fn piece(&self) -> &[u8] {
        &self.piece
    }

    fn finish(&self) -> Result<(), StageError> {
        if self.magic.len() == 0 {
            return Ok(());
        }
        Err(StageError::new(StageKind::Zstd, self.offset, Fault::Truncated { inside: Part::ZstdFrame }))
    }

    fn memory(&self) -> usize {
        self.piece.capacity() + self.context.as_ref().map_or(0, DCtx::sizeof)
    }
}

fn context() -> Result<DCtx<'static>, Fault> {
    let mut context = DCtx::try_create().ok_or(Fault::Memory)?;
    context.set_parameter(DParameter::WindowLogMax(WINDOW_LOG)).map_err(fault)?;
    Ok(context)
}

/// What the decoder's error means. It does not tell the numbers it holds against each other.
fn fault(code: usize) -> Fault {
    const fn of(code: Code) -> usize {
        (code as usize).wrapping_neg()
    }
    const WINDOW: usize = of(Code::ZSTD_error_frameParameter_windowTooLarge);
    const DICTIONARY: usize = of(Code::ZSTD_error_dictionary_wrong);
    const MEMORY: usize = of(Code::ZSTD_error_memory_allocation);
    match code {
        WINDOW => Fault::Window { limit: 1 << WINDOW_LOG },
        DICTIONARY => Fault::Unsupported(Unsupported::Dictionary),
        MEMORY => Fault::Memory,
        _ => Fault::Corrupt { part: Part::ZstdFrame, defect: Defect::Other(zstd_safe::get_error_name(code)) },
    }
}
