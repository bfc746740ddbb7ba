//! Streams that pass by, whole and odd.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::xbstream::{Decoder, Limits, SparseRun, encode};

const INFO: &[u8] = b"tool_name = mariadb-backup\ninnodb_to_lsn = 99\n";
const CHECKPOINTS: &[u8] = b"backup_type = full-backuped\nto_lsn = 42\n";

fn chunk(path: &str, opening: Opening, offset: u64, bytes: &[u8]) -> Vec<u8> {
    encode::payload(path.as_bytes(), opening, offset, bytes).unwrap()
}

fn end(path: &str) -> Vec<u8> {
    encode::end(path.as_bytes()).unwrap()
}

fn file(path: &str, bytes: &[u8]) -> Vec<u8> {
    [chunk(path, Opening::New, 0, bytes), end(path)].concat()
}

fn watch(stream: &[u8], piece: usize) -> FactsWatch {
    let (mut decoder, mut watch) = (Decoder::new(Limits::default()), FactsWatch::default());
    for bytes in stream.chunks(piece.max(1)) {
        decoder.feed(Bytes::copy_from_slice(bytes));
        while let Some(item) = decoder.next().unwrap() {
            watch.apply(&item);
        }
    }
    watch
}

fn to_lsn(stream: &[Vec<u8>]) -> Option<u64> {
    watch(&stream.concat(), 1 << 20).facts().to_lsn
}

#[test]
fn facts_are_found_however_the_stream_is_cut() {
    let stream =
        [file("shop/t.ibd", b"to_lsn = 1"), file("xtrabackup_checkpoints", CHECKPOINTS), file("xtrabackup_info", INFO)]
            .concat();
    for piece in [1, 7, 64, 1 << 20] {
        let facts = watch(&stream, piece).facts();
        assert_eq!(facts.to_lsn, Some(42), "the checkpoints' word counts");
        assert_eq!(facts.tool.as_deref(), Some("mariadb-backup"));
    }
}

#[test]
fn lanes_are_merged_and_the_order_of_lanes_does_not_count() {
    let mut facts = watch(&file("xtrabackup_info", INFO), 9);
    facts.merge(watch(&file("xtrabackup_checkpoints", CHECKPOINTS), 9));
    assert_eq!(facts.facts().to_lsn, Some(42));
}

#[test]
fn chunks_of_several_files_may_alternate() {
    let (left, right) = CHECKPOINTS.split_at(11);
    let stream = [
        chunk("mariadb_backup_checkpoints", Opening::New, 0, left),
        file("mariadb_backup_info", INFO),
        chunk("mariadb_backup_checkpoints", Opening::New, 11, right),
        end("mariadb_backup_checkpoints"),
    ];
    assert_eq!(to_lsn(&stream), Some(42));
}

#[test]
fn a_rewrite_replaces_and_a_seek_goes_back() {
    let rewritten = [
        file("xtrabackup_checkpoints", b"to_lsn = 41 and this is longer\n"),
        chunk("xtrabackup_checkpoints", Opening::Rewrite, 0, b"to_lsn = 7\n"),
        end("xtrabackup_checkpoints"),
    ];
    assert_eq!(to_lsn(&rewritten), Some(7));
    let sought = [
        chunk("xtrabackup_checkpoints", Opening::New, 0, b"to_lsn = 41\n"),
        encode::seek(b"xtrabackup_checkpoints", 9).unwrap(),
        chunk("xtrabackup_checkpoints", Opening::New, 9, b"53"),
        end("xtrabackup_checkpoints"),
    ];
    assert_eq!(to_lsn(&sought), Some(53));
}

#[test]
fn what_is_removed_cut_off_or_suffixed_says_nothing() {
    let whole = file("xtrabackup_checkpoints", CHECKPOINTS);
    assert_eq!(to_lsn(&[whole.clone(), encode::remove(b"xtrabackup_checkpoints").unwrap()]), None);
    assert_eq!(to_lsn(&[whole.clone(), encode::remove(b"xtra*").unwrap()]), None);
    assert_eq!(to_lsn(&[whole.clone(), encode::remove(b"shop/*").unwrap()]), Some(42));
    assert_eq!(to_lsn(&[whole[..whole.len() - 40].to_vec()]), None);
    assert_eq!(to_lsn(&[file("xtrabackup_checkpoints.qp", CHECKPOINTS)]), None);
}

#[test]
fn compressed_files_are_read_too() {
    let mut frame = vec![0; 1 << 10];
    let len = zstd_safe::compress(&mut frame[..], CHECKPOINTS, 1).unwrap();
    let whole = file("xtrabackup_checkpoints.zst", &frame[..len]);
    assert_eq!(to_lsn(std::slice::from_ref(&whole)), Some(42));
    assert_eq!(to_lsn(&[whole, encode::remove(b"xtrabackup_checkpoints.zst").unwrap()]), None);
    // Damaged, or with a key that we do not have: nothing is said, and nothing is wrong.
    assert_eq!(to_lsn(&[file("xtrabackup_checkpoints.zst", &frame[..len - 1])]), None);
    assert_eq!(to_lsn(&[file("xtrabackup_checkpoints.zst.xbcrypt", &frame[..len])]), None);
    // More than such a file has.
    let len = zstd_safe::compress(&mut frame[..], &[CHECKPOINTS, &vec![b'\n'; MAX_METADATA]].concat(), 1).unwrap();
    assert_eq!(to_lsn(&[file("xtrabackup_checkpoints.zst", &frame[..len])]), None);
}

#[test]
fn long_and_sparse_files_are_not_kept() {
    let long = [CHECKPOINTS, &vec![b'\n'; MAX_METADATA]].concat();
    let mut watched = watch(&chunk("xtrabackup_checkpoints", Opening::New, 0, &long), 1 << 20);
    assert!(matches!(watched.open.values().next(), Some(Content::Unfit)));
    watched.apply(&Item::End { path: "xtrabackup_checkpoints".into() });
    assert!(watched.facts().is_empty());
    let far = chunk("xtrabackup_checkpoints", Opening::New, i64::MAX as u64 - 5, b"x");
    assert!(matches!(watch(&far, 9).open.values().next(), Some(Content::Unfit)));
    let runs = [SparseRun { skip: 4096, write: 12 }];
    let sparse = encode::sparse(b"xtrabackup_checkpoints", 0, &runs, b"to_lsn = 42\n").unwrap();
    assert_eq!(to_lsn(&[sparse, end("xtrabackup_checkpoints")]), None);
}

proptest! {
    #[test]
    fn a_file_is_collected_whatever_its_chunks_are(content in "[a-z0-9_= \n]{0,200}", cuts: Vec<prop::sample::Index>) {
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(content.len() + 1)).collect();
        cuts.extend([0, content.len()]);
        cuts.sort();
        let name = "xtrabackup_checkpoints";
        let mut stream: Vec<u8> = cuts
            .windows(2)
            .filter(|cut| cut[0] < cut[1])
            .flat_map(|cut| chunk(name, Opening::New, cut[0] as u64, &content.as_bytes()[cut[0]..cut[1]]))
            .collect();
        stream.extend(end(name));
        prop_assert_eq!(watch(&stream, 5).facts(), MetadataFile::Checkpoints.read(content.as_bytes()));
    }
}
