//! Golden vectors: streams of foreign writers, byte by byte.

use super::{decode, hex, path};
use crate::xbstream::{Item, Opening, SparseRun};

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
}
