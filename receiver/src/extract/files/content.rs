//! What comes for one file, and what becomes of it: chunks put in their places, or decoded first.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use xbproto::failure::Cause;
use xbproto::stage::{Chain, StageError};
use xbproto::xbstream::{SparseRun, StreamPath};

use super::allowance::Refused;
use super::placing::Placing;
use super::writers::Resources;
use super::writing::{LARGE, Writing};
use crate::disk::{DiskError, Pages};
use crate::extract::sync::Finished;

/// What comes for a file, in order.
#[derive(Debug)]
pub(in crate::extract) enum Part {
    /// A chunk without holes begins.
    Solid {
        /// Where in the file, in bytes.
        offset: u64,
        /// How long it is, in bytes.
        len: u64,
    },
    /// A chunk with holes begins.
    Sparse {
        /// Where in the file the first hole begins, in bytes.
        offset: u64,
        /// Holes and bytes in turn.
        runs: Vec<SparseRun>,
    },
    /// The next bytes of the chunk.
    Bytes(Bytes),
    /// The chunk is complete.
    Whole,
    /// The file is complete.
    End {
        /// How long it is at least, in bytes.
        extent: u64,
    },
}

/// Why the content of a file could not be brought to the disk.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// A system call failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The file as the stream brings it is not what its suffixes say.
    #[error("{path}: {error}")]
    Stage {
        /// The file, as the stream calls it.
        path: StreamPath,
        /// What is wrong with it.
        error: StageError,
    },
    /// Bytes of an encoded file that do not follow one another.
    #[error(
        "{path}: this chunk leaves a hole in a compressed or encrypted file; the stream is damaged or made by hand"
    )]
    Punched {
        /// The file, as the stream calls it.
        path: StreamPath,
    },
    /// Decoding it takes more than is allowed.
    #[error("{path}: {refused}")]
    Refused {
        /// The file, as the stream calls it.
        path: StreamPath,
        /// What it takes too much of.
        refused: Refused,
    },
    /// A defect.
    #[error("a thread that writes files panicked; please report this")]
    Panicked,
}

impl ContentError {
    /// Whose fault it was.
    pub(crate) fn cause(&self) -> Cause {
        match self {
            ContentError::Stage { .. } | ContentError::Punched { .. } => Cause::Integrity,
            ContentError::Disk(_) | ContentError::Refused { .. } => Cause::Sink,
            ContentError::Panicked => Cause::Unforeseen,
        }
    }
}

/// One open file's way to the disk.
#[derive(Debug)]
pub(in crate::extract) struct Content {
    /// As the stream calls it.
    path: StreamPath,
    writing: Writing,
    form: Form,
}

/// How the stream brings a file.
#[derive(Debug)]
enum Form {
    /// As it is to be.
    Plain(Placing),
    /// To be decoded, from its first byte to its last.
    Encoded {
        chain: Box<Chain>,
        /// What it holds, as far as is accounted for.
        held: usize,
        /// Encoded bytes so far.
        taken: u64,
        /// Where the next plain byte goes.
        position: u64,
    },
}

/// The length of an encoded chunk, in bytes, from which what it decodes to is likely to be a large part.
const LIKELY_LARGE: u64 = 256 << 10;

/// What a writer works with.
#[derive(Debug)]
pub(in crate::extract) struct Context<'a> {
    /// Pages of an earlier large part.
    pub(in crate::extract) spare: &'a mut Option<Pages>,
    pub(in crate::extract) resources: &'a Resources,
}

impl Content {
    /// The content of the file that the stream calls `path`; `chain` decodes it.
    pub(in crate::extract) fn new(path: StreamPath, writing: Writing, chain: Option<Chain>) -> Content {
        let form = match chain {
            None => Form::Plain(Placing::solid(0, 0)),
            Some(chain) => Form::Encoded { chain: Box::new(chain), held: 0, taken: 0, position: 0 },
        };
        Content { path, writing, form }
    }

    /// Keeps the file open until it is complete.
    pub(in crate::extract) fn keep_open(&mut self) -> Result<(), DiskError> {
        self.writing.keep_open()
    }

    /// Takes what comes next, all but the end.
    pub(in crate::extract) fn take(&mut self, part: Part, context: &mut Context<'_>) -> Result<(), ContentError> {
        match part {
            Part::Solid { offset, len } => self.solid(offset, len, context),
            Part::Sparse { offset, runs } => self.sparse(offset, runs),
            Part::Bytes(bytes) => self.bytes(bytes, context),
            Part::Whole | Part::End { .. } => Ok(self.writing.pause(context.spare)?),
        }
    }

    /// The file is complete, and at least `extent` bytes long.
    pub(in crate::extract) fn finish(self, extent: u64, context: &mut Context<'_>) -> Result<Finished, ContentError> {
        let extent = match self.form {
            Form::Plain(_) => extent,
            Form::Encoded { mut chain, held, position, .. } => {
                chain.finish().map_err(|error| ContentError::Stage { path: self.path.clone(), error })?;
                context.resources.allowance.give_back(held);
                if chain.takes_any_key() {
                    context.resources.any_key.store(true, Ordering::Relaxed);
                }
                position
            }
        };
        Ok(self.writing.finish(extent, context.resources)?)
    }

    fn solid(&mut self, offset: u64, len: u64, context: &mut Context<'_>) -> Result<(), ContentError> {
        match &mut self.form {
            Form::Plain(placing) => {
                *placing = Placing::solid(offset, len);
                self.writing.begin(offset, len, context.spare)?;
            }
            Form::Encoded { taken, .. } if *taken != offset => {
                return Err(ContentError::Punched { path: self.path.clone() });
            }
            Form::Encoded { position, .. } => {
                let len = if len < LIKELY_LARGE { len } else { LARGE };
                self.writing.begin(*position, len, context.spare)?;
            }
        }
        Ok(())
    }

    fn sparse(&mut self, offset: u64, runs: Vec<SparseRun>) -> Result<(), ContentError> {
        match &mut self.form {
            Form::Plain(placing) => {
                *placing = Placing::sparse(offset, runs);
                Ok(())
            }
            Form::Encoded { .. } => Err(ContentError::Punched { path: self.path.clone() }),
        }
    }

    fn bytes(&mut self, bytes: Bytes, context: &Context<'_>) -> Result<(), ContentError> {
        match &mut self.form {
            Form::Plain(placing) => {
                let mut rest = &bytes[..];
                while let Some((at, now)) = placing.next(&mut rest) {
                    self.writing.write(at, now, &context.resources.stop)?;
                }
                context.resources.progress.add(bytes.len());
            }
            Form::Encoded { chain, held, taken, position } => {
                *taken += bytes.len() as u64;
                chain.feed(bytes);
                let damaged = |error| ContentError::Stage { path: self.path.clone(), error };
                let refused = |refused| ContentError::Refused { path: self.path.clone(), refused };
                while let Some(plain) = chain.next().map_err(damaged)? {
                    // A few bytes may become very many. What is left of them is for nobody.
                    if context.resources.stop.is_raised() {
                        return Ok(());
                    }
                    context.resources.allowance.take(plain.len()).map_err(refused)?;
                    self.writing.write(*position, plain, &context.resources.stop)?;
                    *position += plain.len() as u64;
                    context.resources.progress.add(plain.len());
                }
                let holds = chain.memory();
                context.resources.allowance.hold(std::mem::replace(held, holds), holds).map_err(refused)?;
            }
        }
        Ok(())
    }
}
