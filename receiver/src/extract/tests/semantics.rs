//! What each chunk does to the files.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::thread;

use crate::disk::PageCache;

use super::*;

#[test]
fn files_come_in_pieces_and_interleaved() {
    let room = Room::new();
    room.unpack(&[
        payload("ibdata1", 0, "ab"),
        payload("shop/orders.ibd", 0, "x"),
        payload("ibdata1", 2, "cd"),
        end("shop/orders.ibd"),
        payload("a/b/c/d", 0, ""),
        end("a/b/c/d"),
        end("ibdata1"),
    ])
    .unwrap();
    assert_eq!(room.paths(), ["a/", "a/b/", "a/b/c/", "a/b/c/d", "ibdata1", "shop/", "shop/orders.ibd"]);
    assert_eq!((room.read("ibdata1"), room.read("shop/orders.ibd")), ("abcd".into(), "x".into()));
}

#[test]
fn the_stream_may_be_cut_anywhere() {
    let room = Room::new();
    let stream = [file("a", "hello"), sparse("b", 0, &[(2, 1), (3, 2)], "xyz"), end("b")].concat();
    room.unpack(&stream.chunks(1).map(<[u8]>::to_vec).collect::<Vec<_>>()).unwrap();
    assert_eq!((room.read("a"), room.read("b")), ("hello".into(), "\0\0x\0\0\0yz".into()));
}

#[test]
fn large_chunks_arrive_whole_wherever_they_begin() {
    let content: String = (0..300_000).map(|i| format!("{i:010}")).collect();
    for cache in [PageCache::Bypassed, PageCache::Used] {
        let room = Room::new();
        let (mut extraction, _) =
            Extraction::create(&room.dir(), ID, Unpacking { cache, ..Unpacking::default() }).unwrap();
        let cuts = [0, 1_500_000, 1_500_001, 2_600_000, 2_600_100, 3_000_000];
        let mut chunks: Vec<_> =
            cuts.windows(2).map(|cut| payload("t.ibd", cut[0] as u64, &content[cut[0]..cut[1]])).collect();
        // What is on the disk already is written again, in part.
        chunks.extend([seek("t.ibd", 4000), payload("t.ibd", 4000, &content[..1_200_000]), end("t.ibd")]);
        feed(&extraction, &[chunks.concat()]).unwrap();
        extraction.commit().unwrap();
        let expected = [&content[..4000], &content[..1_200_000], &content[1_204_000..]].concat();
        assert!(room.read("t.ibd") == expected, "{cache:?}");
    }
}

#[test]
fn more_directories_than_are_kept_open() {
    let room = Room::new();
    let (dirs, turns) = (200, 2);
    let files = (0..turns).flat_map(|turn| (0..dirs).map(move |dir| file(&format!("d{dir}/{turn}"), "x")));
    room.unpack(&files.collect::<Vec<_>>()).unwrap();
    assert_eq!(room.paths().len(), dirs * (turns + 1));
}

#[test]
fn a_lone_end_makes_an_empty_file() {
    let room = Room::new();
    room.unpack(&[end("mysql/slow_log.CSV")]).unwrap();
    assert_eq!(room.read("mysql/slow_log.CSV"), "");
}

#[test]
fn modes_are_those_of_the_tools() {
    let room = Room::new();
    room.unpack(&[file("d/f", "x")]).unwrap();
    let mode = |path: &str| room.at(path).metadata().unwrap().permissions().mode();
    assert_eq!((mode("d/f") & 0o7137, mode("d") & 0o7027), (0, 0));
    assert_eq!((mode("d/f") & 0o600, mode("d") & 0o700), (0o600, 0o700));
}

#[test]
fn holes_stay_holes() {
    let room = Room::new();
    let skip = 64 << 20;
    room.unpack(&[sparse("t.ibd", 0, &[(skip, 3), (skip, 2)], "abcde"), end("t.ibd")]).unwrap();
    let meta = room.at("t.ibd").metadata().unwrap();
    assert_eq!(meta.len(), 2 * u64::from(skip) + 5);
    assert!(meta.blocks() * 512 < 1 << 20, "{} blocks", meta.blocks());
}

#[test]
fn a_hole_at_the_end_counts() {
    let room = Room::new();
    room.unpack(&[
        sparse("t.ibd", 0, &[(0, 3), (5, 2), (6, 0)], "ABCDE"),
        end("t.ibd"),
        sparse("u.ibd", 0, &[(7, 0)], ""),
        end("u.ibd"),
        payload("v.ibd", 0, "A"),
        sparse("v.ibd", 1, &[(2, 0)], ""),
        payload("v.ibd", 3, "B"),
        end("v.ibd"),
    ])
    .unwrap();
    assert_eq!(room.read("t.ibd"), "ABC\0\0\0\0\0DE\0\0\0\0\0\0");
    assert_eq!((room.read("u.ibd"), room.read("v.ibd")), ("\0".repeat(7), "A\0\0B".into()));
}

#[test]
fn a_seek_back_rewrites_and_keeps_the_length() {
    let room = Room::new();
    room.unpack(&[
        payload("aria_log.00000001", 0, "headtail"),
        seek("aria_log.00000001", 1),
        payload("aria_log.00000001", 1, "EA"),
        end("aria_log.00000001"),
    ])
    .unwrap();
    assert_eq!(room.read("aria_log.00000001"), "hEAdtail");
}

#[test]
fn a_seek_forward_leaves_a_hole_only_if_something_follows() {
    let room = Room::new();
    room.unpack(&[
        seek("a", 3),
        payload("a", 3, "x"),
        end("a"),
        payload("b", 0, "x"),
        seek("b", 1000),
        payload("b", 1000, ""),
        end("b"),
        seek("c", 1000),
        end("c"),
    ])
    .unwrap();
    assert_eq!((room.read("a"), room.read("b"), room.read("c")), ("\0\0\0x".into(), "x".into(), String::new()));
}

#[test]
fn a_rewrite_replaces_what_came_before() {
    let room = Room::new();
    room.unpack(&[file("d/t.frm", "long version"), rewrite("d/t.frm", "short"), end("d/t.frm")]).unwrap();
    assert_eq!(room.read("d/t.frm"), "short");
}

#[test]
fn an_empty_file_replaces_what_came_before() {
    let room = Room::new();
    room.unpack(&[file("d/t.MYD", "rows"), end("d/t.MYD"), end("d/t.MYD")]).unwrap();
    assert_eq!(room.read("d/t.MYD"), "");
}

#[test]
fn a_rename_moves_and_replaces() {
    let room = Room::new();
    room.unpack(&[
        file("d2/a.MAD", "data"),
        file("d2/b.MAD", "old"),
        rename("d2/a.MAD", "d2/b.MAD"),
        file("d2/c.MAD", "c"),
        rename("d2/c.MAD", "new/deep/c.MAD"),
        file("d2/c.MAD", "again"),
    ])
    .unwrap();
    assert_eq!(room.paths(), ["d2/", "d2/b.MAD", "d2/c.MAD", "new/", "new/deep/", "new/deep/c.MAD"]);
    assert_eq!((room.read("d2/b.MAD"), room.read("new/deep/c.MAD")), ("data".into(), "c".into()));
}

#[test]
fn a_rename_of_what_did_not_come_is_ignored() {
    let room = Room::new();
    room.unpack(&[file("d/f", "x"), rename("d/a.frm", "new/b.frm"), rename("no/a", "no/b")]).unwrap();
    assert_eq!(room.paths(), ["d/", "d/f"]);
}

#[test]
fn a_removal_takes_a_file_or_a_directory() {
    let room = Room::new();
    room.unpack(&[
        file("d1/f", "x"),
        file("d1/sub/g", "x"),
        file("d2/f", "x"),
        file("d2/g", "x"),
        remove("d1"),
        remove("d2/f"),
        remove("d2/missing"),
        remove("missing/f"),
        file("d1/h", "again"),
    ])
    .unwrap();
    assert_eq!(room.paths(), ["d1/", "d1/h", "d2/", "d2/g"]);
}

#[test]
fn a_removal_by_prefix_stays_in_its_directory_and_takes_files_only() {
    let room = Room::new();
    room.unpack(&[
        file("d2/ap2#P#p0.MAD", "x"),
        file("d2/ap2#P#p1.MAD", "x"),
        file("d2/ap2#P#dir/f", "x"),
        file("d2/ap2.frm", "x"),
        file("d3/ap2#P#p0.MAD", "x"),
        remove("d2/ap2#P#*"),
        remove("missing/x*"),
    ])
    .unwrap();
    assert_eq!(room.paths(), ["d2/", "d2/ap2#P#dir/", "d2/ap2#P#dir/f", "d2/ap2.frm", "d3/", "d3/ap2#P#p0.MAD"]);
}

#[test]
fn chunks_that_may_be_ignored_are() {
    let room = Room::new();
    let extraction = room.extraction();
    feed(&extraction, &[file("a", "x"), encode::ignorable(b"b", b'x', b"data").unwrap()]).unwrap();
    assert!(room.staged("a").exists() && !room.staged("b").exists());
}

#[test]
fn progress_is_counted() {
    let room = Room::new();
    let extraction = room.extraction();
    let progress = extraction.progress();
    assert_eq!(progress.current_file(), None);
    feed(&extraction, &[file("a", "xyz"), sparse("b\n", 0, &[(100, 2)], "xy")]).unwrap();
    assert_eq!(progress.files(), 1);
    assert_eq!(progress.current_file().unwrap(), "b\\n");
    feed(&extraction, &[end("b\n")]).unwrap();
    extraction.shared.settle().unwrap();
    assert_eq!((progress.files(), progress.bytes()), (2, 5));
}

#[test]
fn files_are_counted_as_they_are_in_the_end() {
    let room = Room::new();
    let extraction = room.extraction();
    let again = [rewrite("a", "new"), end("a")].concat();
    feed(&extraction, &[file("a", "x"), again, file("b", "x"), file("c", "x"), rename("b", "d"), remove("c")]).unwrap();
    assert_eq!(extraction.progress().files(), 2);
}

#[test]
fn lanes_make_one_tree() {
    let room = Room::new();
    let mut extraction = room.extraction();
    thread::scope(|scope| {
        for lane in 0..4 {
            let mut unpacker = extraction.lane(LaneId(lane));
            scope.spawn(move || {
                for i in 0..50 {
                    let path = format!("db/{lane}-{i}");
                    unpacker.write(&Bytes::from(file(&path, &path))).unwrap();
                }
                unpacker.finish().unwrap();
            });
        }
    });
    extraction.commit().unwrap();
    assert_eq!(room.paths().len(), 201);
    assert_eq!(room.read("db/3-49"), "db/3-49");
}

#[test]
fn a_hole_at_the_end_stays_whatever_is_written_again() {
    let room = Room::new();
    let chunks =
        [sparse("t", 0, &[(0, 10), (5, 0)], "0123456789"), seek("t", 0), payload("t", 0, "abcdefghij"), end("t")];
    room.unpack(&chunks).unwrap();
    assert_eq!(room.read("t"), "abcdefghij\0\0\0\0\0");
}
