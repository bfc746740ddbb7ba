//! What can be wrong with a file, and where.

use super::{Defect, Field, Part, StageKind, Unsupported};
use crate::xbstream::Quote;

/// A file is not what its name says, or not whole. The name is for the caller to add.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{stage}, at byte {offset}: {fault}")]
pub struct StageError {
    /// The format that was being undone.
    pub stage: StageKind,
    /// Where the chunk, frame or block begins, in bytes from the start of what is in that format; where the file ends if
    /// that is what is wrong.
    pub offset: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// What may be wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Something else stands there.
    #[error("expected {expected}, found {found}: the file is damaged, or not what its name says")]
    Magic {
        /// What should stand there.
        expected: Part,
        /// What does.
        found: Quote,
    },
    /// What was decrypted is nothing.
    #[error("expected {expected}, but decrypting gave {found}: wrong key?")]
    Decrypted {
        /// What should have come out.
        expected: Part,
        /// What did.
        found: Quote,
    },
    /// The key is not the one the file was encrypted with.
    #[error("the SHA-256 in a chunk is not that of its decrypted data, though the chunk is undamaged: wrong key?")]
    WrongKey,
    /// No key was given for an encrypted file.
    #[error("the file is encrypted, and there is no key")]
    NoKey,
    /// A number that is not what it must be.
    #[error("{field} is {actual}, expected {expected}: the file is damaged")]
    Mismatch {
        /// Which number.
        field: Field,
        /// What it must be.
        expected: u64,
        /// What it is.
        actual: u64,
    },
    /// A number beyond what is taken.
    #[error("{field} is {actual}, expected at most {limit}: the file is damaged, or made with unusual settings")]
    Limit {
        /// Which number.
        field: Field,
        /// The most that is taken.
        limit: u64,
        /// What it is.
        actual: u64,
    },
    /// A frame that declares another largest block than there is a code for.
    #[error(
        "the code of a frame's largest block is 0x{code:02x}, expected 0x40, 0x50, 0x60 or 0x70: the file is damaged"
    )]
    BlockCode {
        /// What it says.
        code: u8,
    },
    /// A frame that wants more of its past kept than is.
    #[error("a frame has a window of more than {limit} bytes: the file is damaged, or made with unusual settings")]
    Window {
        /// The largest window that is taken, in bytes.
        limit: u64,
    },
    /// The bytes are not those that were written.
    #[error("the checksum of {of} is {actual:08x}, expected {expected:08x}: the file was damaged")]
    Checksum {
        /// What it is the checksum of.
        of: Part,
        /// As the file says.
        expected: u32,
        /// Of the bytes that are there.
        actual: u32,
    },
    /// Valid perhaps, but nothing that a backup tool writes.
    #[error("{0}, which no backup tool writes: the file is damaged, or made by something else")]
    Unsupported(Unsupported),
    /// It cannot be decompressed.
    #[error("{part} cannot be decompressed: {defect}: the file is damaged")]
    Corrupt {
        /// What cannot.
        part: Part,
        /// Why.
        defect: Defect,
    },
    /// The file ends too early.
    #[error("the file ends inside {inside}: its writer ended early, or a part of it was lost")]
    Truncated {
        /// What was being read.
        inside: Part,
    },
    /// The file ends too late.
    #[error("the file goes on after {after}: something was written behind its end")]
    Trailing {
        /// What should have been the last.
        after: Part,
    },
    /// The system gives no memory.
    #[error("no memory for a decoder: is the machine short of it?")]
    Memory,
}

impl StageError {
    pub(super) fn new(stage: StageKind, offset: u64, fault: Fault) -> StageError {
        StageError { stage, offset, fault }
    }

    /// Behind a decryption, bytes that begin nothing may also mean a wrong key: versions 1 and 2 have no proof of it.
    pub(super) fn after(self, stages_before: usize) -> StageError {
        match self.fault {
            Fault::Magic { expected, found } if stages_before > 0 && self.offset == 0 => {
                StageError { fault: Fault::Decrypted { expected, found }, ..self }
            }
            _ => self,
        }
    }
}
