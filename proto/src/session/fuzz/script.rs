//! Bytes as steps.

use crate::lane::MAX_BLOCK;

/// Bytes that are read as orders.
pub(super) struct Script<'a>(&'a [u8]);

/// Something happens; what exactly, and to whom, the operands say.
pub(super) struct Step {
    pub(super) kind: u8,
    pub(super) a: u8,
    pub(super) b: u8,
}

/// What may happen in a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cast {
    /// Links are lost and processes restarted, and that is all: it must end well.
    Honest,
    /// Either side may fail, and receivers may forget.
    Unlucky,
    /// The sender hears words that its receiver would not say.
    LyingReceiver,
    /// The receiver hears words, and gets blocks, that its sender would not send.
    LyingSender,
}

impl<'a> Script<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Script<'a> {
        Script(bytes)
    }

    pub(super) fn cast(&mut self) -> Cast {
        [Cast::Honest, Cast::Unlucky, Cast::LyingReceiver, Cast::LyingSender][usize::from(self.byte() % 4)]
    }

    pub(super) fn lanes(&mut self) -> u16 {
        1 + u16::from(self.byte() % 3)
    }

    /// The next step, until there is none.
    pub(super) fn step(&mut self) -> Option<Step> {
        let ([kind, a, b], rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(Step { kind: *kind, a: *a, b: *b })
    }

    /// One more byte; zeros for ever after the last.
    pub(super) fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or_default()
    }

    /// A length and that many bytes, or what is left.
    pub(super) fn bytes(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte()).min(self.0.len());
        self.0.split_off(..len).unwrap_or_default()
    }
}

/// A size of a block: of every order of magnitude, or large enough for a few to fill a window.
pub(super) fn size(byte: u8) -> usize {
    if byte < 128 { 1 << (byte % 20) } else { usize::from(byte - 127) * MAX_BLOCK / 128 }
}
