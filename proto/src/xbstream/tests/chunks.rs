//! Each type of chunk, and how they follow each other.

use bytes::Bytes;

use super::{chunk, decode, path};
use crate::xbstream::{Decoder, Item, Limits, Opening, SparseRun, encode};

fn payload(name: &str, opening: Opening, offset: u64, len: u64) -> Item {
    Item::Payload { path: path(name), opening, offset, len }
}

fn data(bytes: &'static [u8]) -> Item {
    Item::Data(Bytes::from_static(bytes))
}

#[test]
fn payload_with_every_flag() {
    for (flags, opening) in [
        (0x00, Opening::New),
        (0x01, Opening::New),
        (0x02, Opening::Rewrite),
        (0x03, Opening::New),
        (0x80, Opening::New),
    ] {
        let mut stream = chunk(encode::payload(b"f", Opening::New, 7, b"abc"));
        stream[8] = flags;
        assert_eq!(decode(&stream), Ok(vec![payload("f", opening, 7, 3), data(b"abc"), Item::Verified]), "{flags:#x}");
    }
}

#[test]
fn empty_payload() {
    let stream = chunk(encode::payload(b"f", Opening::Rewrite, 0, b""));
    assert_eq!(decode(&stream), Ok(vec![payload("f", Opening::Rewrite, 0, 0), Item::Verified]));
}

#[test]
fn lone_end_is_an_empty_file() {
    let stream = chunk(encode::end(b"mysql/slow_log.CSV"));
    assert_eq!(decode(&stream), Ok(vec![Item::End { path: path("mysql/slow_log.CSV") }]));
}

#[test]
fn empty_stream() {
    assert_eq!(decode(b""), Ok(vec![]));
}

/// After a seek the decoder has read the next magic already, whatever that chunk is.
#[test]
fn seek_before_every_other_chunk() {
    let seek = chunk(encode::seek(b"aria_log.00000001", 8200));
    let seen = Item::Seek { path: path("aria_log.00000001"), offset: 8200 };
    let others = [
        chunk(encode::payload(b"f", Opening::New, 0, b"abc")),
        chunk(encode::sparse(b"f", 0, &[SparseRun { skip: 1, write: 1 }], b"a")),
        chunk(encode::rename(b"a", b"b")),
        chunk(encode::remove(b"a")),
        chunk(encode::end(b"a")),
        chunk(encode::ignorable(b"a", b'x', b"abc")),
    ];
    for other in others {
        let alone = decode(&other).expect("a whole chunk");
        let both = decode(&[&seek[..], &other[..]].concat()).expect("two whole chunks");
        assert_eq!(both, [vec![seen.clone()], alone].concat());
    }
    let twice = [&seek[..], &seek[..], &chunk(encode::end(b"a"))[..]].concat();
    assert_eq!(decode(&twice), Ok(vec![seen.clone(), seen, Item::End { path: path("a") }]));
}

/// The format's own magic inside a file must not be taken for a chunk.
#[test]
fn sparse_whose_payload_is_the_magic() {
    let runs = [SparseRun { skip: 0, write: 8 }];
    let stream = chunk(encode::sparse(b"f", 0, &runs, b"XBSTCK01"));
    let begun = Item::Sparse { path: path("f"), offset: 0, len: 8, runs: runs.into() };
    assert_eq!(decode(&stream), Ok(vec![begun, data(b"XBSTCK01"), Item::Verified]));
}

#[test]
fn sparse_of_nothing_but_a_hole() {
    let runs = [SparseRun { skip: u32::MAX, write: 0 }];
    let stream = chunk(encode::sparse(b"f", 1 << 40, &runs, b""));
    let begun = Item::Sparse { path: path("f"), offset: 1 << 40, len: 0, runs: runs.into() };
    assert_eq!(decode(&stream), Ok(vec![begun, Item::Verified]));
}

#[test]
fn sparse_without_a_map() {
    let stream = chunk(encode::sparse(b"f", 0, &[], b""));
    let begun = Item::Sparse { path: path("f"), offset: 0, len: 0, runs: vec![] };
    assert_eq!(decode(&stream), Ok(vec![begun, Item::Verified]));
}

/// The shape of a real chunk of Percona's (page-compressed table of seven 16 KiB pages).
#[test]
fn sparse_map_of_a_page_compressed_table() {
    let runs = [(0, 16474), (16294, 152), (16232, 1450), (14934, 147), (16237, 32768)];
    let runs = runs.map(|(skip, write)| SparseRun { skip, write });
    let stream = chunk(encode::sparse(b"test/t1.ibd", 0, &runs, &[0x5a; 50991]));
    let items = decode(&stream).expect("a whole chunk");
    assert_eq!(items[0], Item::Sparse { path: path("test/t1.ibd"), offset: 0, len: 50991, runs: runs.into() });
    assert_eq!(items.last(), Some(&Item::Verified));
}

#[test]
fn rename_and_remove() {
    let stream = [chunk(encode::rename(b"d2/ar1.MAD", b"d2/ar1r.MAD")), chunk(encode::remove(b"d2/ap2#P#*"))].concat();
    let rename = Item::Rename { from: path("d2/ar1.MAD"), to: path("d2/ar1r.MAD") };
    assert_eq!(decode(&stream), Ok(vec![rename, Item::Remove { path: path("d2/ap2#P#*") }]));
}

#[test]
fn ignorable_chunk_of_an_unknown_type() {
    let stream = chunk(encode::ignorable(b"f", b'X', b"abc"));
    let begun = Item::Ignored { path: path("f"), kind: b'X', len: 3 };
    assert_eq!(decode(&stream), Ok(vec![begun, data(b"abc"), Item::Verified]));
}

#[test]
fn names_may_be_any_bytes() {
    for name in [&[b'x'; 511][..], b"\xff\xfe", b".rocksdb/CURRENT", b"#innodb_redo/#ib_redo0", b"a b\n"] {
        let expected = vec![Item::End { path: super::StreamPath(name.into()) }];
        assert_eq!(decode(&chunk(encode::end(name))), Ok(expected));
    }
}

#[test]
fn payload_is_handed_out_without_copying() {
    let stream = Bytes::from(chunk(encode::payload(b"f", Opening::New, 0, &[7; 1000])));
    let mut decoder = Decoder::new(Limits::default());
    decoder.feed(stream.clone());
    let _begun = decoder.next();
    let Ok(Some(Item::Data(payload))) = decoder.next() else { panic!("expected payload") };
    assert_eq!(payload.as_ptr(), stream[stream.len() - 1000..].as_ptr());
}

#[test]
fn feeding_before_everything_is_read_loses_nothing() {
    let stream = chunk(encode::payload(b"f", Opening::New, 0, b"abcdef"));
    let mut decoder = Decoder::new(Limits::default());
    stream.chunks(5).for_each(|part| decoder.feed(Bytes::copy_from_slice(part)));
    let items: Vec<Item> = std::iter::from_fn(|| decoder.next().expect("a valid stream")).collect();
    assert_eq!(Ok(items), decode(&stream));
    assert_eq!(decoder.offset(), stream.len() as u64);
}
