//! qpress archives whose numbers lie, and QuickLZ packets that refer to what is not there.

use super::formats::{qpress_block, qpress_end, qpress_head};
use super::{Case, Chunk};

/// Flags of a packet that is compressed, and of one that is not, with lengths of four bytes.
const COMPRESSED: u8 = 0x47;
const STORED: u8 = 0x46;
/// Length of their header.
const HEAD: u32 = 9;

pub(super) fn cases() -> Vec<Case> {
    [of_archives(), of_packets(), of_content()].into_iter().flatten().collect()
}

fn case(name: &str, said: &str, content: &[u8]) -> Case {
    Case::refused(name, &format!("a.qp: qpress, at byte {said}"), Chunk::file("a.qp", content)).with(["--decompress"])
}

/// An archive with one packet.
fn archive(flags: u8, packet: u32, content: u32, body: &[u8]) -> Vec<u8> {
    [qpress_head(64 << 10, b'F', 1, b"a"), qpress_block(flags, packet, content, body), qpress_end(0)].concat()
}

fn of_archives() -> Vec<Case> {
    let head = |chunk, kind, len| qpress_head(chunk, kind, len, b"a");
    let stored = archive(STORED, HEAD + 3, 3, b"abc");
    let ends_in = |end: &[u8]| [&head(64 << 10, b'F', 1)[..], end].concat();
    vec![
        case("plain text for qpress", "0: expected a qpress archive", b"plain text"),
        case("empty file for qpress", "0: the file ends inside", b""),
        case("qpress chunk of 64 MiB and a byte", "0: the chunk size", &head((64 << 20) + 1, b'F', 1)),
        case("qpress chunk of 2^64 - 1", "0: the chunk size", &head(u64::MAX, b'F', 1)),
        case("qpress directory", "0: an archive that does not", &head(1, b'D', 1)),
        case("qpress name of 4 GiB", "0: the length of the name", &head(1, b'F', u32::MAX)),
        case("qpress name that does not end", "0: the byte after the name", &head(1, b'F', 0)),
        case("qpress without an end", "23: the file ends inside", &ends_in(b"")),
        case("qpress with another mark", "23: expected a block or the trailer", &ends_in(b"OTHEROTHER")),
        case("qpress with a number at its end", "23: the number in the trailer", &ends_in(&qpress_end(1))),
        case("qpress with two ends", "", &ends_in(&[qpress_end(0), qpress_end(0)].concat())),
        case("two archives in one file", "", &[&stored[..], &stored].concat()),
    ]
}

fn of_packets() -> Vec<Case> {
    let lie = |name: &str, said: &str, flags, packet, content| {
        case(name, &format!("23: {said}"), &archive(flags, packet, content, b"abc"))
    };
    let (unpacked, packet) = ("the unpacked length of a packet", "the length of a packet");
    let mut sum = archive(STORED, HEAD + 3, 3, b"abc");
    sum[23 + 16] ^= 1;
    vec![
        lie("packet of 4 GiB", packet, COMPRESSED, u32::MAX, 3),
        lie("packet shorter than its header", packet, COMPRESSED, HEAD - 1, 3),
        lie("packet of nothing", packet, COMPRESSED, 0, 0),
        lie("packet much longer than what it holds", packet, COMPRESSED, 3 + 401, 3),
        lie("packet that holds 4 GiB", unpacked, COMPRESSED, HEAD + 3, u32::MAX),
        lie("packet that holds more than a chunk", unpacked, COMPRESSED, HEAD + 3, (64 << 10) + 1),
        lie("packet that holds more than it can", unpacked, COMPRESSED, HEAD + 3, 12 * 85 + 1),
        lie("stored packet that holds more", unpacked, STORED, HEAD + 3, 4),
        lie("stored packet that holds less", unpacked, STORED, HEAD + 3, 2),
        lie("packet of level 3", "a QuickLZ packet with the flags 0x4f", COMPRESSED | 0x08, HEAD + 3, 3),
        lie("packet with a history", "a QuickLZ packet with the flags 0x57", COMPRESSED | 0x10, HEAD + 3, 3),
        lie("packet with a flag that is never set", "a QuickLZ packet", COMPRESSED | 0x80, HEAD + 3, 3),
        case("packet sum", "23: the checksum of a QuickLZ packet", &sum),
    ]
}

/// Control words and items of a compressed packet.
fn of_content() -> Vec<Case> {
    let corrupt = |name: &str, said: &str, content: u32, control: u32, items: &[u8]| {
        let body = [&control.to_le_bytes()[..], items].concat();
        let packet = archive(COMPRESSED, HEAD + body.len() as u32, content, &body);
        case(name, &format!("23: a QuickLZ packet cannot be decompressed: {said}"), &packet)
    };
    let literals = 1 << 31;
    vec![
        corrupt("literals that do not come", "it ends too early", 40, literals, b"abcd"),
        corrupt("no control word", "it ends too early", 200, 0b1 | 1 << 31, &[]),
        corrupt("empty control word", "a control word in it is empty", 5, 0, b"abcde"),
        corrupt("bytes that are left over", "bytes follow its content", 4, literals, b"abcdefgh"),
        corrupt("reference to what is not there", "it refers to bytes", 9, 0b100 | literals, b"ab\xF3\xFF"),
        corrupt("reference at the start", "it refers to bytes", 9, 0b1 | literals, b"\x03\0xxxxx"),
        corrupt("match of two bytes", "a match in it is shorter", 9, 0b1000 | literals, b"abc\0\0\x02xx"),
        corrupt("match of no bytes", "a match in it is shorter", 9, 0b1000 | literals, b"abc\0\0\0xx"),
        corrupt("match that does not come", "it ends too early", 9, 0b1000 | literals, b"abc"),
    ]
}
