//! What can be wrong with a file, and where.

use std::fmt;

use super::StageKind;
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
    #[error("{part} cannot be decompressed: {reason}: the file is damaged")]
    Corrupt {
        /// What cannot.
        part: Part,
        /// What the decoder says.
        reason: &'static str,
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

/// What a file is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The header of an xbcrypt chunk.
    ChunkHeader,
    /// What is encrypted in it.
    Chunk,
    /// A zstd frame.
    ZstdFrame,
    /// A LZ4 frame.
    Lz4Frame,
    /// Its header.
    FrameHeader,
    /// A block of it.
    Block,
    /// All that its blocks hold.
    Content,
    /// The header of a qpress archive.
    Archive,
    /// The block or the trailer that follows in it.
    Record,
    /// A QuickLZ packet in a block.
    Packet,
    /// The trailer.
    Trailer,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::ChunkHeader => "the header of a chunk (\"XBCRYP01\" to \"XBCRYP03\")",
            Part::Chunk => "a chunk",
            Part::ZstdFrame => "a zstd frame",
            Part::Lz4Frame => "an LZ4 frame",
            Part::FrameHeader => "the header of a frame",
            Part::Block => "a block",
            Part::Content => "a frame's content",
            Part::Archive => "a qpress archive of one file (\"qpress10\")",
            Part::Record => "a block or the trailer (\"NEWBNEWB\" or \"ENDSENDS\")",
            Part::Packet => "a QuickLZ packet",
            Part::Trailer => "the trailer",
        })
    }
}

/// A number in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Version of the format of a chunk, which all chunks of a file have in common.
    Version,
    /// What must be zero in the header of an xbcrypt chunk.
    Reserved,
    /// Length of a chunk's original data.
    ChunkOriginal,
    /// Length of a chunk's encrypted data.
    ChunkEncrypted,
    /// Length of its initialisation vector.
    ChunkIv,
    /// Length of a compressed block.
    Block,
    /// Length of a frame's content.
    Content,
    /// Bits of a frame's header that must be zero, or its version.
    FrameFlags,
    /// What the blocks of a qpress archive are made of.
    ArchiveChunk,
    /// Length of the name in a qpress archive.
    Name,
    /// What ends that name.
    NameEnd,
    /// Length of a QuickLZ packet.
    Packet,
    /// Length of what it holds.
    PacketOriginal,
    /// What must be zero in the trailer.
    Trailer,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Field::Version => "the version of a chunk",
            Field::Reserved => "the reserved field of a chunk",
            Field::ChunkOriginal => "the original length of a chunk in bytes",
            Field::ChunkEncrypted => "the encrypted length of a chunk in bytes",
            Field::ChunkIv => "the length of a chunk's initialisation vector in bytes",
            Field::Block => "the length of a block in bytes",
            Field::Content => "the length of a frame's content in bytes",
            Field::FrameFlags => "the version, or a reserved bit, in the header of a frame",
            Field::ArchiveChunk => "the chunk size of the archive in bytes",
            Field::Name => "the length of the name in the archive in bytes",
            Field::NameEnd => "the byte after the name in the archive",
            Field::Packet => "the length of a packet in bytes",
            Field::PacketOriginal => "the unpacked length of a packet in bytes",
            Field::Trailer => "the number in the trailer",
        })
    }
}

/// What only other programs write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsupported {
    /// A frame that needs a dictionary to be decompressed.
    Dictionary,
    /// A qpress archive that begins with something other than a file.
    Directory,
    /// A QuickLZ packet of another level than 1, or one that needs those before it.
    QuickLz {
        /// Its first byte.
        flags: u8,
    },
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unsupported::Dictionary => write!(f, "a frame that needs a dictionary"),
            Unsupported::Directory => write!(f, "an archive that does not begin with a file"),
            Unsupported::QuickLz { flags } => {
                write!(f, "a QuickLZ packet with the flags 0x{flags:02x}, not of level 1 and on its own")
            }
        }
    }
}
