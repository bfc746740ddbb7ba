//! Every error of the decoder, with its words.

use bytes::Bytes;

use super::{chunk, decode};
use crate::xbstream::{DecodeError, Decoder, Limits, Opening, SparseRun, encode};

fn refused(stream: &[u8]) -> String {
    decode(stream).expect_err("a stream to be refused").to_string()
}

/// A whole chunk of 15 bytes, so that what follows is not at the beginning.
fn after_a_chunk(rest: &[u8]) -> Vec<u8> {
    [&chunk(encode::end(b"a"))[..], rest].concat()
}

#[test]
fn text_before_the_first_chunk() {
    let expected = "text on stdout before the first chunk: \"Warning: using a password\\n\" at byte 0: \
                    the tool or its wrapper wrote to stdout, let it write messages to stderr";
    assert_eq!(refused(b"Warning: using a password\n"), expected);
    let short = "text on stdout before the first chunk: \"done\\n\" at byte 0: \
                 the tool or its wrapper wrote to stdout, let it write messages to stderr";
    assert_eq!(refused(b"done\n"), short);
}

/// The message is quoted, not the stream that follows it.
#[test]
fn text_in_front_of_a_good_stream() {
    let stream = [b"can't open log\n", &chunk(encode::end(b"a"))[..]].concat();
    let expected = "text on stdout before the first chunk: \"can't open log\\n\" at byte 0: \
                    the tool or its wrapper wrote to stdout, let it write messages to stderr";
    assert_eq!(refused(&stream), expected);
}

#[test]
fn another_format() {
    let gzip = "at byte 0: gzip data, \"\\x1f\\x8b\\x08\\x00\\x00\\x00\\x00\\x00\\x00\\x03\", expected an xbstream \
                (\"XBSTCK01\")";
    assert_eq!(refused(b"\x1f\x8b\x08\0\0\0\0\0\0\x03"), gzip);
    let salted = "at byte 0: data encrypted by openssl, \"Salted__12345678\", expected an xbstream \
                  (\"XBSTCK01\")";
    assert_eq!(refused(b"Salted__12345678"), salted);
    let zeros = "at byte 0: data of an unknown format, \"\\0\\0\\0\\0\\0\\0\\0\\0\", expected an xbstream \
                 (\"XBSTCK01\")";
    assert_eq!(refused(&[0; 8]), zeros);
}

#[test]
fn garbage_between_chunks() {
    let text = "at byte 15: expected the next chunk (\"XBSTCK01\"), found \"xtrabackup: warning\": \
                the stream is damaged, or something else was written into it";
    assert_eq!(refused(&after_a_chunk(b"xtrabackup: warning")), text);
    let padding = "at byte 15: expected the next chunk (\"XBSTCK01\"), found \"\\0\\0\": \
                   the stream is damaged, or something else was written into it";
    assert_eq!(refused(&after_a_chunk(&[0, 0])), padding);
}

#[test]
fn unknown_type() {
    let mut stream = after_a_chunk(&chunk(encode::end(b"b")));
    stream[15 + 9] = b'X';
    let expected = "at byte 15: unknown chunk type 0x58 ('X'), expected P, E, S, R or D: \
                    the stream is damaged, or made by a newer tool";
    assert_eq!(refused(&stream), expected);
}

#[test]
fn path_length() {
    let mut stream = chunk(encode::end(&[b'x'; 511]));
    stream[10..14].copy_from_slice(&512_u32.to_le_bytes());
    assert_eq!(refused(&stream), "at byte 0: path of 512 bytes, expected 1 to 511: the stream is damaged");
    stream[10..14].copy_from_slice(&0_u32.to_le_bytes());
    assert_eq!(refused(&stream), "at byte 0: path of 0 bytes, expected 1 to 511: the stream is damaged");
}

#[test]
fn second_path_of_a_rename() {
    let mut stream = chunk(encode::rename(b"a", b"b"));
    stream[15..19].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(refused(&stream), "at byte 0: path of 4294967295 bytes, expected 1 to 511: the stream is damaged");
}

#[test]
fn nul_in_a_path() {
    let mut stream = chunk(encode::end(b"a/b"));
    stream[15] = 0;
    assert_eq!(refused(&stream), "at byte 0: the path \"a\\u{0}b\" contains a NUL byte: the stream is damaged");
}

#[test]
fn payload_length() {
    let mut stream = chunk(encode::payload(b"f", Opening::New, 0, b"abc"));
    stream[15..23].copy_from_slice(&(1_u64 << 62).to_le_bytes());
    let expected = "at byte 0: f: payload of 4611686018427387904 bytes, expected at most 1099511627776: \
                    the stream is damaged";
    assert_eq!(refused(&stream), expected);
}

#[test]
fn payload_beyond_the_largest_file() {
    let mut stream = chunk(encode::payload(b"f", Opening::New, 0, b"abc"));
    stream[23..31].copy_from_slice(&u64::MAX.to_le_bytes());
    let expected = "at byte 0: f: 3 bytes at offset 18446744073709551615 of the file reach beyond the largest file \
                    (2^63 - 1): the stream is damaged";
    assert_eq!(refused(&stream), expected);
}

#[test]
fn seek_beyond_the_largest_file() {
    let mut stream = [chunk(encode::seek(b"f", 0)), chunk(encode::end(b"f"))].concat();
    stream[15..23].copy_from_slice(&(1_u64 << 63).to_le_bytes());
    let expected = "at byte 0: f: 0 bytes at offset 9223372036854775808 of the file reach beyond the largest file \
                    (2^63 - 1): the stream is damaged";
    assert_eq!(refused(&stream), expected);
}

#[test]
fn sparse_map_too_long() {
    let mut stream = chunk(encode::sparse(b"f", 0, &[SparseRun { skip: 1, write: 1 }], b"a"));
    stream[15..19].copy_from_slice(&u32::MAX.to_le_bytes());
    let expected = "at byte 0: f: sparse map of 4294967295 entries, expected at most 2097152: the stream is damaged";
    assert_eq!(refused(&stream), expected);
}

#[test]
fn sparse_map_that_does_not_fit() {
    let mut stream = chunk(encode::sparse(b"f", 0, &[SparseRun { skip: 1, write: 1 }], b"a"));
    stream[43..47].copy_from_slice(&2_u32.to_le_bytes());
    let expected = "at byte 0: f: the sparse map writes 2 bytes, expected the payload's 1: the stream is damaged";
    assert_eq!(refused(&stream), expected);
}

#[test]
fn sparse_hole_beyond_the_largest_file() {
    let mut stream = chunk(encode::sparse(b"f", 0, &[SparseRun { skip: 1, write: 1 }], b"a"));
    stream[27..35].copy_from_slice(&(i64::MAX as u64 - 1).to_le_bytes());
    let expected = "at byte 0: f: 2 bytes at offset 9223372036854775806 of the file reach beyond the largest file \
                    (2^63 - 1): the stream is damaged";
    assert_eq!(refused(&stream), expected);
}

#[test]
fn checksum() {
    let mut stream = after_a_chunk(&chunk(encode::payload(b"shop/orders.ibd", Opening::New, 0, b"hello\n")));
    let end = stream.len();
    stream[end - 1] = b'!';
    let actual = crc32fast::hash(b"hello!");
    let expected = format!(
        "at byte 15: shop/orders.ibd: CRC of a payload of 6 bytes is {actual:08x}, expected 363a3020: \
         the data was damaged on its way or by its writer"
    );
    assert_eq!(refused(&stream), expected);
}

/// The map is covered by the CRC, too.
#[test]
fn checksum_of_a_sparse_map() {
    let mut stream = chunk(encode::sparse(b"f", 0, &[SparseRun { skip: 1, write: 1 }], b"a"));
    stream[39] ^= 1;
    assert!(matches!(decode(&stream), Err(DecodeError::Checksum { .. })));
}

#[test]
fn checksum_of_an_ignored_chunk() {
    let mut stream = chunk(encode::ignorable(b"f", b'X', b"abc"));
    stream[35] ^= 1;
    assert!(matches!(decode(&stream), Err(DecodeError::Checksum { .. })));
}

#[test]
fn truncated() {
    let stream = chunk(encode::payload(b"db/t.ibd", Opening::New, 0, &[0; 100]));
    let cut = |len: usize| refused(&stream[..len]);
    let words = |at: usize, inside: &str, missing: u64| {
        format!(
            "at byte {at}: the stream ends inside {inside}, at least {missing} bytes missing: its writer ended early"
        )
    };
    assert_eq!(cut(5), words(5, "the header of a chunk", 3));
    assert_eq!(cut(8), words(8, "the header of a chunk", 6));
    assert_eq!(cut(16), words(16, "the path of a chunk", 6));
    assert_eq!(cut(22), words(22, "the header of a chunk of db/t.ibd", 20));
    assert_eq!(cut(42), words(42, "the payload of a chunk of db/t.ibd", 100));
    assert_eq!(cut(141), words(141, "the payload of a chunk of db/t.ibd", 1));
}

/// A seek is never the last chunk of its file, so a stream that ends with one was cut.
#[test]
fn truncated_after_a_seek() {
    let stream = chunk(encode::seek(b"f", 9));
    let expected = "at byte 23: the stream ends inside the header of a chunk of f, at least 8 bytes missing: \
                    its writer ended early";
    assert_eq!(refused(&stream), expected);
}

#[test]
fn truncated_inside_a_sparse_map() {
    let stream = chunk(encode::sparse(b"f", 0, &[SparseRun { skip: 1, write: 1 }], b"a"));
    let expected = "at byte 42: the stream ends inside the header of a chunk of f, at least 5 bytes missing: \
                    its writer ended early";
    assert_eq!(refused(&stream[..42]), expected);
}

#[test]
fn an_error_stays() {
    let mut decoder = Decoder::new(Limits::default());
    decoder.feed(Bytes::from_static(b"Warning: something"));
    let error = decoder.next().expect_err("text is no chunk");
    decoder.feed(chunk(encode::end(b"a")).into());
    assert_eq!(decoder.next(), Err(error.clone()));
    assert_eq!(decoder.finish(), Err(error));
}

#[test]
fn limits_are_settings() {
    let mut decoder = Decoder::new(Limits { payload: 2, ..Limits::default() });
    decoder.feed(chunk(encode::payload(b"f", Opening::New, 0, b"abc")).into());
    assert!(matches!(decoder.next(), Err(DecodeError::PayloadLength { len: 3, limit: 2, .. })));
}
