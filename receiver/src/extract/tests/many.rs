//! Many files at once, and what is kept about all of them.

use std::os::unix::fs::MetadataExt;

use super::*;

#[test]
fn more_files_than_may_be_open_are_under_way() {
    let room = Room::new();
    // Beyond what a test process may open.
    let count = 6000;
    let begun: Vec<_> = (0..count).map(|i| payload(&format!("d{}/f{i}", i % 7), 0, "begun, ")).collect();
    let ended = (0..count).map(|i| {
        let path = format!("d{}/f{i}", i % 7);
        [payload(&path, 7, "ended"), end(&path)].concat()
    });
    setrlimit(Resource::Nofile, Rlimit { current: Some(1024), maximum: Some(1024) }).unwrap();
    let mut small = room.extraction();
    feed(&small, &begun).unwrap();
    feed(&small, &ended.collect::<Vec<_>>()).unwrap();
    small.commit().unwrap();
    for i in [0, 1, count / 2, count - 1] {
        let path = room.at(&format!("d{}/f{i}", i % 7));
        assert_eq!(fs::read_to_string(path).unwrap(), "begun, ended");
    }
}

#[test]
fn the_manifest_has_the_final_names() {
    let room = Room::new();
    let manifest = Some(room.0.path().join("unused"));
    let unpacking = Unpacking { manifest, wanted: Wanted::only(vec!["d".parse().unwrap()]), ..Unpacking::default() };
    let (mut extraction, _) = Extraction::create(&room.dir(), ID, unpacking).unwrap();
    let chunks = [
        file("d/a", "a"),
        file("d/b", "other"),
        [rewrite("d/b", "b"), end("d/b")].concat(),
        file("old", "c"),
        rename("old", "d/c"),
        sparse("d/s", 0, &[(3, 1), (2, 0)], "s"),
        end("d/s"),
        payload("d/back", 0, "xxxx"),
        seek("d/back", 1),
        payload("d/back", 1, "y"),
        end("d/back"),
        file("not wanted", "x"),
    ];
    feed(&extraction, &chunks).unwrap();
    extraction.sync().unwrap();
    let lines = String::from_utf8(extraction.manifest().unwrap().unwrap()).unwrap();
    extraction.commit().unwrap();
    assert_eq!(room.paths(), ["d/", "d/a", "d/b", "d/back", "d/c", "d/s"]);
    assert_eq!(extraction.progress().files(), 5);
    let expected: String = ["d/a", "d/b", "d/back", "d/c", "d/s"]
        .map(|path| {
            let mut digest = xbproto::lane::LaneDigest::default();
            digest.update(&fs::read(room.at(path)).unwrap());
            format!("{}  {path}\n", digest.sum())
        })
        .concat();
    assert_eq!(lines, expected);
}

#[test]
fn the_manifest_leaves_a_directory_that_lost_its_files() {
    let room = Room::new();
    let unpacking = Unpacking { manifest: Some(room.0.path().join("unused")), ..Unpacking::default() };
    let (mut extraction, _) = Extraction::create(&room.dir(), ID, unpacking).unwrap();
    feed(&extraction, &[file("a", "a"), file("d/dropped", "x"), remove("d/dropped")]).unwrap();
    extraction.sync().unwrap();
    assert!(extraction.manifest().unwrap().unwrap().ends_with(b"  a\n"));
    extraction.commit().unwrap();
    assert_eq!(room.paths(), ["a", "d/"]);
}

#[test]
fn nothing_wanted_is_an_error() {
    let room = Room::new();
    let unpacking = Unpacking { wanted: Wanted::only(vec!["shop".parse().unwrap()]), ..Unpacking::default() };
    let (mut extraction, _) = Extraction::create(&room.dir(), ID, unpacking).unwrap();
    feed(&extraction, &[file("db/a", "a")]).unwrap();
    assert_eq!(extraction.commit().unwrap_err().to_string(), "no file of the backup matches --only shop");
}

#[test]
fn pages_that_a_server_has_compressed_keep_their_holes() {
    let room = Room::new();
    let page = |kind: u16, len: usize| {
        let mut page = vec![0_u8; 16 << 10];
        page[..len].fill(1);
        page[24..26].copy_from_slice(&kind.to_be_bytes());
        page
    };
    let mut space = page(8, 16 << 10);
    // No flag: the pages tell.
    space[54..58].copy_from_slice(&0x4021_u32.to_be_bytes());
    (0..300).for_each(|_| space.extend(page(14, 3000)));
    let chunk = encode::payload(b"t.ibd", New, 0, &space).unwrap();
    let dense = encode::payload(b"t.MYD", New, 0, &space).unwrap();
    room.unpack(&[chunk, dense, end("t.ibd"), end("t.MYD")]).unwrap();
    assert!(fs::read(room.at("t.ibd")).unwrap() == space);
    let blocks = |path| fs::metadata(room.at(path)).unwrap().blocks();
    assert!(blocks("t.ibd") * 3 < blocks("t.MYD"), "{} of {}", blocks("t.ibd"), blocks("t.MYD"));
}

#[test]
fn zeros_that_replace_something_are_written() {
    let room = Room::new();
    let mut space = vec![1_u8; 16 << 10];
    space[54..58].copy_from_slice(&(1_u32 << 16).to_be_bytes());
    let begun = encode::payload(b"t.ibd", New, 0, &[space.clone(), space].concat()).unwrap();
    let replaced = encode::payload(b"t.ibd", New, 20 << 10, &[0; 4096]).unwrap();
    room.unpack(&[begun, seek("t.ibd", 20 << 10), replaced, end("t.ibd")]).unwrap();
    let content = fs::read(room.at("t.ibd")).unwrap();
    assert!(
        content[20 << 10..24 << 10].iter().all(|byte| *byte == 0) && content[24 << 10..].iter().all(|byte| *byte == 1)
    );
}

#[test]
fn a_manifest_leaves_the_tree_alone() {
    let room = Room::new();
    let unpacking = Unpacking { manifest: Some(room.0.path().join("unused")), ..Unpacking::default() };
    let (mut extraction, _) = Extraction::create(&room.dir(), ID, unpacking).unwrap();
    feed(&extraction, &[file("db/a", "a"), file("b", "b"), remove("db/a")]).unwrap();
    extraction.sync().unwrap();
    extraction.manifest().unwrap();
    extraction.commit().unwrap();
    assert_eq!(room.paths(), ["b", "db/"]);
}

#[test]
fn a_hole_without_end_does_not_keep_anybody() {
    let room = Room::new();
    let unpacking = Unpacking { manifest: Some(room.0.path().join("unused")), ..Unpacking::default() };
    let (mut extraction, _) = Extraction::create(&room.dir(), ID, unpacking).unwrap();
    // As long as the longest file of this file system, or beyond it.
    feed(&extraction, &[seek("a", 1 << 42), payload("a", 1 << 42, "x"), end("a")]).unwrap();
    extraction.abandon();
    assert_eq!(room.paths(), [""; 0]);
}

#[test]
fn more_files_than_any_tool_has_under_way_are_refused() {
    let room = Room::new();
    let extraction = room.extraction();
    let begun: Vec<_> = (0..=1 << 16).map(|i| payload(&format!("f{i}"), 0, "")).collect();
    let error = feed(&extraction, &begun).unwrap_err();
    assert!(error.to_string().starts_with("f65536: 65536 files are under way already"), "{error}");
}
