//! What a file consists of, in words for its errors.

use std::fmt;

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

/// Why something cannot be decompressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// It has no more bytes where some should be.
    Cut,
    /// It goes on when all is there.
    Leftover,
    /// It refers to what is not there.
    Reference,
    /// It makes more than it may.
    Overflow,
    /// It repeats less than can be repeated.
    Match,
    /// It does not say what follows.
    Control,
    /// In the words of the decoder.
    Other(&'static str),
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Defect::Cut => "it ends too early",
            Defect::Leftover => "bytes follow its content",
            Defect::Reference => "it refers to bytes that do not exist",
            Defect::Overflow => "it holds more than it may",
            Defect::Match => "a match in it is shorter than 3 bytes",
            Defect::Control => "a control word in it is empty",
            Defect::Other(words) => words,
        })
    }
}
