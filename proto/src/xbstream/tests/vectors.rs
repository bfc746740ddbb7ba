//! Golden vectors: streams of foreign writers, byte by byte.

use std::num::NonZeroUsize;

use super::{chunk, decode, hex, path};
use crate::xbstream::{Item, Opening, SparseRun, encode};

/// Two files of five bytes each, as written by Percona's tool.
#[test]
fn two_files_of_percona() {
    let stream = hex("58425354434b3031 00 50 05000000 66696c6531 0500000000000000 0000000000000000 5dfe314b 87198be09a
         58425354434b3031 00 45 05000000 66696c6531
         58425354434b3031 00 50 05000000 66696c6532 0500000000000000 0000000000000000 89588b97 35bf063897
         58425354434b3031 00 45 05000000 66696c6532");
    let file = |name: &str, content: &str| {
        let path = path(name);
        [
            Item::Payload { path: path.clone(), opening: Opening::New, offset: 0, len: 5 },
            Item::Data(hex(content).into()),
            Item::Verified,
            Item::End { path },
        ]
    };
    let expected = [file("file1", "87198be09a"), file("file2", "35bf063897")].concat();
    assert_eq!(decode(&stream), Ok(expected));
}

/// `ABC`, a hole of 5, `DE`, a hole of 6 at the end.
#[test]
fn sparse_with_a_hole_at_the_end() {
    let stream = hex("58 42 53 54 43 4b 30 31 00 53 05 00 00 00 74 2e 69 62 64 03 00 00 00 05 00 00 00 00 00 00 00
         00 00 00 00 00 00 00 00 82 56 b2 73 00 00 00 00 03 00 00 00 05 00 00 00 02 00 00 00 06 00 00 00 00 00 00 00
         41 42 43 44 45");
    let runs = [(0, 3), (5, 2), (6, 0)].map(|(skip, write)| SparseRun { skip, write });
    let expected = vec![
        Item::Sparse { path: path("t.ibd"), offset: 0, len: 5, runs: runs.into() },
        Item::Data((&b"ABCDE"[..]).into()),
        Item::Verified,
    ];
    assert_eq!(decode(&stream), Ok(expected));
    assert_eq!(chunk(encode::sparse(b"t.ibd", 0, &runs, b"ABCDE")), stream);
}

/// Two text files with the CRCs of another independent reader's test, and the encoder agrees.
#[test]
fn two_text_files() {
    let stream = hex("58425354434b3031 00 50 09000000 74657374312e747874 0600000000000000 0000000000000000 20303a36
         68656c6c6f0a 58425354434b3031 00 45 09000000 74657374312e747874
         58425354434b3031 00 50 09000000 74657374322e747874 0600000000000000 0000000000000000 a86138dd
         776f726c640a 58425354434b3031 00 45 09000000 74657374322e747874");
    assert_eq!(decode(&stream).map(|items| items.len()), Ok(8));
    let file = |name, content| chunk(encode::file(name, content, NonZeroUsize::MAX));
    assert_eq!([file(b"test1.txt", b"hello\n"), file(b"test2.txt", b"world\n")].concat(), stream);
}

/// MariaDB's chunks: rewritten, renamed and removed files, and a seek back into a log's header.
#[test]
fn chunks_of_mariadb() {
    let stream = hex("58425354434b3031 00 53 03000000 6c6f67 0800000000000000
         58425354434b3031 00 50 03000000 6c6f67 0600000000000000 0800000000000000 20303a36 68656c6c6f0a
         58425354434b3031 02 50 03000000 66726d 0600000000000000 0000000000000000 20303a36 68656c6c6f0a
         58425354434b3031 00 52 03000000 6f6c64 04000000 6e65776c
         58425354434b3031 00 44 05000000 642f7423 2a");
    let (log, frm) = (path("log"), path("frm"));
    let data = Item::Data((&b"hello\n"[..]).into());
    let expected = vec![
        Item::Seek { path: log.clone(), offset: 8 },
        Item::Payload { path: log, opening: Opening::New, offset: 8, len: 6 },
        data.clone(),
        Item::Verified,
        Item::Payload { path: frm, opening: Opening::Rewrite, offset: 0, len: 6 },
        data,
        Item::Verified,
        Item::Rename { from: path("old"), to: path("newl") },
        Item::Remove { path: path("d/t#*") },
    ];
    assert_eq!(decode(&stream), Ok(expected));
    let encoded = [
        chunk(encode::seek(b"log", 8)),
        chunk(encode::payload(b"log", Opening::New, 8, b"hello\n")),
        chunk(encode::payload(b"frm", Opening::Rewrite, 0, b"hello\n")),
        chunk(encode::rename(b"old", b"newl")),
        chunk(encode::remove(b"d/t#*")),
    ];
    assert_eq!(encoded.concat(), stream);
}
