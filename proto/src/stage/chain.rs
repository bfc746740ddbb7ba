//! Decoders behind one another.

use std::fmt;

use bytes::{Buf, Bytes};

use super::lz4::Lz4;
use super::qpress::Qpress;
use super::xbcrypt::Xbcrypt;
use super::zstd::Zstd;
use super::{FileKey, StageError, StageKind};

/// The longest piece of output, in bytes.
pub const PIECE: usize = 256 << 10;

/// One format, undone.
pub(super) trait Decoder: Send {
    /// Takes what it can use from the front of `input`, and makes the next piece if that suffices.
    fn advance(&mut self, input: &mut &[u8]) -> Result<Step, StageError>;

    /// The piece made last: 1 to [`PIECE`] bytes after [`Step::Piece`].
    fn piece(&self) -> &[u8];

    /// Nothing follows.
    fn finish(&self) -> Result<(), StageError>;

    /// What it holds, in bytes.
    fn memory(&self) -> usize;

    /// Whether another key would have done as well, so far as it can tell.
    fn takes_any_key(&self) -> bool {
        false
    }
}

/// How far a decoder came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// There is a piece.
    Piece,
    /// All of the input was taken, and nothing is left to give.
    Hungry,
}

/// The decoders of one file. Fed its bytes, gives the original ones.
pub struct Chain {
    links: Vec<Link>,
    input: Bytes,
    /// What is given out as it came, where nothing is undone.
    passing: Bytes,
    /// Why the file was refused.
    refusal: Option<StageError>,
}

/// A decoder, and how much of its piece the next one has taken.
struct Link {
    decoder: Box<dyn Decoder>,
    taken: usize,
}

impl Chain {
    pub(super) fn new(kinds: &[StageKind], key: Option<&FileKey>) -> Chain {
        let links = kinds.iter().map(|kind| Link { decoder: decoder(*kind, key), taken: 0 }).collect();
        Chain { links, input: Bytes::new(), passing: Bytes::new(), refusal: None }
    }

    /// The next bytes of the file.
    ///
    /// # Panics
    /// When [`next`](Self::next) has not said yet that it wants them.
    pub fn feed(&mut self, input: Bytes) {
        assert!(self.input.is_empty(), "fed before it was hungry");
        self.input = input;
    }

    /// The next 1 to [`PIECE`] bytes of the original, or none: then more input is wanted, or the end.
    ///
    /// # Errors
    /// [`StageError`] when the file is damaged; the same when asked again.
    #[expect(clippy::should_implement_trait, reason = "its items borrow from it")]
    pub fn next(&mut self) -> Result<Option<&[u8]>, StageError> {
        let Some(last) = self.links.len().checked_sub(1) else {
            self.passing = self.input.split_to(self.input.len().min(PIECE));
            return Ok(Some(&self.passing[..]).filter(|piece| !piece.is_empty()));
        };
        match self.pull()? {
            Step::Piece => Ok(Some(self.links[last].decoder.piece())),
            Step::Hungry => Ok(None),
        }
    }

    /// Makes the next piece. After an error the decoders are not asked any more.
    fn pull(&mut self) -> Result<Step, StageError> {
        if let Some(refusal) = &self.refusal {
            return Err(refusal.clone());
        }
        pull(&mut self.links, &mut self.input).inspect_err(|error| self.refusal = Some(error.clone()))
    }

    /// The file ends here. To be called when [`next`](Self::next) wants more.
    ///
    /// # Errors
    /// [`StageError`] when it should not.
    ///
    /// # Panics
    /// When there is more to be had.
    pub fn finish(&mut self) -> Result<(), StageError> {
        assert!(self.next()?.is_none(), "finished before it was emptied");
        self.links.iter().try_for_each(|link| link.decoder.finish())
    }

    /// Whether the file was encrypted in a format that holds no proof of the key: by a wrong one it becomes rubbish, and
    /// nobody here can tell.
    pub fn takes_any_key(&self) -> bool {
        self.links.iter().any(|link| link.decoder.takes_any_key())
    }

    /// What its decoders hold now, in bytes. Grows with what has come, up to the bounds of their formats.
    pub fn memory(&self) -> usize {
        self.links.iter().map(|link| link.decoder.memory()).sum()
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Chain({} stages, …)", self.links.len())
    }
}

fn decoder(kind: StageKind, key: Option<&FileKey>) -> Box<dyn Decoder> {
    match kind {
        StageKind::Xbcrypt => Box::new(Xbcrypt::new(key)),
        StageKind::Zstd => Box::new(Zstd::new()),
        StageKind::Lz4 => Box::new(Lz4::new()),
        StageKind::Qpress => Box::new(Qpress::new()),
    }
}

/// Makes the next piece of the last link from those of the links before it, and in the end from the input.
fn pull(links: &mut [Link], input: &mut Bytes) -> Result<Step, StageError> {
    let Some((link, before)) = links.split_last_mut() else { return Ok(Step::Hungry) };
    loop {
        let source = before.last().map_or(&input[..], |source| &source.decoder.piece()[source.taken..]);
        let mut rest = source;
        let step = link.decoder.advance(&mut rest).map_err(|error| error.after(before.len()))?;
        link.taken = 0;
        let taken = source.len() - rest.len();
        match before.last_mut() {
            None => input.advance(taken),
            Some(source) => source.taken += taken,
        }
        if step == Step::Piece || pull(before, input)? == Step::Hungry {
            return Ok(step);
        }
    }
}
