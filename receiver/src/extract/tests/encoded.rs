//! Files that the tool has compressed or encrypted, and their names.

use std::sync::Arc;

use xbproto::stage::{Cipher, Decompress, FileKey, Stages};

use super::*;

/// The real archive of `xtrabackup_binlog_info`, and what is in it.
const QP: &str = "7170726573733130000001000000000046160000007874726162\
    61636b75705f62696e6c6f675f696e666f004e4557424e4557420000000000000000a507569c45251e00000080\
    62696e6c6f672e30303030303109343135313036333509302d312d31310a454e4453454e44530000000000000000";
const PLAIN: &str = "binlog.000001\t41510635\t0-1-11\n";

fn qp() -> Vec<u8> {
    let digits = |i: usize| u8::from_str_radix(&QP[i..i + 2], 16).unwrap();
    (0..QP.len()).step_by(2).map(digits).collect()
}

fn zst(plain: &str) -> Vec<u8> {
    let mut frame = vec![0; 1 << 10];
    let len = zstd_safe::compress(&mut frame[..], plain.as_bytes(), 1).unwrap();
    frame.truncate(len);
    frame
}

fn chunk(path: &str, data: &[u8]) -> Vec<u8> {
    encode::payload(path.as_bytes(), New, 0, data).unwrap()
}

fn decompressing() -> Unpacking {
    let stages = Stages { decompress: Decompress::Yes, decrypt: None };
    Unpacking { stages, ..Unpacking::default() }
}

/// Unpacks these chunks with decompression, all of them or up to the first error.
fn unpack(room: &Room, chunks: &[Vec<u8>]) -> Result<(), ExtractError> {
    unpack_as(room, decompressing(), chunks)
}

fn unpack_as(room: &Room, unpacking: Unpacking, chunks: &[Vec<u8>]) -> Result<(), ExtractError> {
    let (mut extraction, _) = Extraction::create(&room.dir(), ID, unpacking).unwrap();
    feed(&extraction, chunks)?;
    extraction.commit()
}

fn said(result: Result<(), ExtractError>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.cause(), Cause::Integrity, "{error}");
    error.to_string()
}

#[test]
fn files_are_decoded_and_lose_their_suffix() {
    let room = Room::new();
    let chunks = [
        chunk("db/info.qp", &qp()),
        end("db/info.qp"),
        chunk("db/t.ibd.zst", &[zst("one "), zst("two")].concat()),
        end("db/t.ibd.zst"),
        end("db/empty.zst"),
        end("db/empty2.lz4"),
        file("plain", "plain"),
        chunk("db/x.zst.xbcrypt", b"as it is"),
        end("db/x.zst.xbcrypt"),
    ];
    unpack(&room, &chunks).unwrap();
    let expected = ["db/", "db/empty", "db/empty2", "db/info", "db/t.ibd", "db/x.zst.xbcrypt", "plain"];
    assert_eq!(room.paths(), expected);
    assert_eq!((room.read("db/info"), room.read("db/t.ibd")), (PLAIN.into(), "one two".into()));
    assert_eq!((room.read("db/empty"), room.read("db/empty2")), (String::new(), String::new()));
}

#[test]
fn without_being_told_nothing_is_decoded() {
    let room = Room::new();
    room.unpack(&[chunk("info.qp", &qp()), end("info.qp")]).unwrap();
    assert_eq!(fs::read(room.at("info.qp")).unwrap(), qp());
}

#[test]
fn a_file_that_is_cut_or_damaged_is_named() {
    let room = Room::new();
    let whole = qp();
    let cut = [chunk("db/info.qp", &whole[..100]), end("db/info.qp")];
    assert!(said(unpack(&room, &cut)).starts_with("db/info.qp: "));
    let mut damaged = whole;
    damaged[70] ^= 1;
    assert!(said(unpack(&room, &[chunk("db/info.qp", &damaged), end("db/info.qp")])).starts_with("db/info.qp: "));
    assert_eq!(room.paths(), [""; 0]);
}

#[test]
fn two_files_cannot_become_one() {
    let room = Room::new();
    let zst = |path| [chunk(path, &zst("x")), end(path)].concat();
    let clashes = [
        vec![zst("a.zst"), file("a", "y")],
        vec![file("a", "y"), zst("a.zst")],
        vec![end("a"), end("a.zst")],
        vec![chunk("a.zst", b""), payload("a", 0, "y")],
        vec![file("b", "y"), rename("b", "a"), zst("a.zst")],
    ];
    for chunks in clashes {
        let said = said(unpack(&room, &chunks));
        assert!(said.contains("both would be a once they are decoded"), "{said}");
    }
}

#[test]
fn renames_and_removals_may_use_either_name() {
    let room = Room::new();
    let zst = |path| [chunk(path, &zst(path)), end(path)].concat();
    let chunks = [
        zst("a.zst"),
        zst("b.zst"),
        zst("d/p#1.zst"),
        zst("d/p#2.zst"),
        zst("d/q.zst"),
        rename("a.zst", "x.zst"),
        rename("b", "y"),
        // The name is free again, for a file that comes in another form.
        file("a", "plain"),
        remove("d/p#*"),
        remove("d/q.zst"),
        file("d/p#1", "plain"),
        [encode::payload(b"y.zst", Rewrite, 0, &self::zst("again")).unwrap(), end("y.zst")].concat(),
    ];
    unpack(&room, &chunks).unwrap();
    assert_eq!(room.paths(), ["a", "d/", "d/p#1", "x", "y"]);
    assert_eq!((room.read("x"), room.read("y")), ("a.zst".into(), "again".into()));
}

#[test]
fn what_a_suffix_hides_is_judged_too() {
    let room = Room::new();
    for path in ["...zst", "db/...zst", "db/..zst", "../x.zst"] {
        let error = unpack(&room, &[end(path)]).unwrap_err();
        assert!(matches!(error, ExtractError::Path(_)), "{path}: {error}");
    }
}

#[test]
fn an_encoded_file_cannot_have_holes() {
    let room = Room::new();
    for chunks in [vec![sparse("a.zst", 0, &[(5, 2)], "xy")], vec![seek("a.zst", 5), payload("a.zst", 5, "x")]] {
        let chunks = [chunks, vec![end("a.zst")]].concat();
        assert!(said(unpack(&room, &chunks)).starts_with("a.zst: this chunk leaves a hole"));
    }
}

#[test]
fn what_files_become_is_limited() {
    let room = Room::new();
    let unpacking = |limit| Unpacking { limit: Some(limit), ..decompressing() };
    let chunks = [chunk("a.zst", &zst(&"0".repeat(1000))), end("a.zst")];
    let error = unpack_as(&room, unpacking(999), &chunks).unwrap_err();
    assert!(
        error.to_string().starts_with("a.zst: with it, decoded files take more than 999 B, which is the limit"),
        "{error}"
    );
    unpack_as(&room, unpacking(1000), &chunks).unwrap();
}

#[test]
fn a_wrong_key_is_no_key() {
    let room = Room::new();
    let key = Arc::new(FileKey::new(Cipher::Aes128, &[7; 16]).unwrap());
    let stages = Stages { decompress: Decompress::No, decrypt: Some(key) };
    let chunks = [chunk("a.zst.xbcrypt", b"no chunk of xbcrypt"), end("a.zst.xbcrypt")];
    let unpacking = Unpacking { stages, ..Unpacking::default() };
    assert!(said(unpack_as(&room, unpacking, &chunks)).starts_with("a.zst.xbcrypt: "));
}

#[test]
fn a_long_decode_ends_with_the_session() {
    // 32 GiB of zeros in one piece: blocks of 128 KiB, each of one byte that is repeated.
    let room = Room::new();
    let block = [&(1_u32 << 1 | (128 << 10) << 3).to_le_bytes()[..3], &[0]].concat();
    let bomb = [b"\x28\xb5\x2f\xfd\x00\x38", &block.repeat(1 << 18)[..]].concat();
    let (mut extraction, _) = Extraction::create(&room.dir(), ID, decompressing()).unwrap();
    extraction.lane(LaneId(0)).write(&Bytes::from(chunk("a.zst", &bomb))).unwrap();
    let progress = extraction.progress();
    while progress.bytes() == 0 {
        std::thread::yield_now();
    }
    extraction.abandon();
    assert!(progress.bytes() < 32 << 30, "all of it was decoded");
    assert_eq!(room.paths(), [""; 0]);
}
