//! What the inventory takes, an empty directory takes.

use proptest::prelude::*;
use xbproto::stage::Stages;
use xbproto::xbstream::{Decoder, Limits};

use super::*;

/// Chunks and the lane each comes on, one of two.
type Chunks = Vec<(u16, Vec<u8>)>;

fn chunks() -> impl Strategy<Value = Chunks> {
    let path = || prop::sample::select(vec!["a", "a/b", "a/b/c", "a/c", "b", "b/c"]);
    let pattern = prop::sample::select(vec!["a", "a/b", "b", "a/*", "a/b*", "b*", "*"]);
    let chunk = prop_oneof![
        4 => path().prop_map(|path| file(path, "x")),
        2 => path().prop_map(|path| rewrite(path, "x")),
        2 => path().prop_map(end),
        1 => path().prop_map(|path| seek(path, 0)),
        3 => (path(), path()).prop_map(|(from, to)| rename(from, to)),
        4 => pattern.prop_map(remove),
    ];
    prop::collection::vec((prop_oneof![9 => Just(0_u16), 1 => Just(1)], chunk), 0..12)
}

fn take_note(chunks: &Chunks) -> Result<(), String> {
    let mut inventory = Inventory::new(Stages::default());
    let mut decoders = [(); 2].map(|()| Decoder::new(Limits::default()));
    for (lane, chunk) in chunks {
        let decoder = &mut decoders[usize::from(*lane)];
        decoder.feed(Bytes::copy_from_slice(chunk));
        while let Some(item) = decoder.next().unwrap() {
            inventory.note(LaneId(*lane), &item).map_err(|error| error.to_string())?;
        }
    }
    inventory.finish().map_err(|error| error.to_string())
}

fn unpack(chunks: &Chunks) -> Result<(), String> {
    let room = Room::new();
    let mut extraction = room.extraction();
    let mut lanes = [extraction.lane(LaneId(0)), extraction.lane(LaneId(1))];
    let mut written =
        chunks.iter().map(|(lane, chunk)| lanes[usize::from(*lane)].write(&Bytes::copy_from_slice(chunk)));
    let written = written.find(Result::is_err).unwrap_or(Ok(()));
    written.and_then(|()| extraction.commit()).map_err(|error| error.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_noted_without_fault_is_unpacked(chunks in chunks()) {
        prop_assert_eq!(take_note(&chunks), unpack(&chunks));
    }
}

#[test]
fn a_directory_stays_when_its_files_go() {
    for (gone, vacant) in [
        (remove("a/b"), false),
        (remove("a/*"), false),
        (rename("a/b", "c"), false),
        (remove("a"), true),
        (remove("a/"), true),
    ] {
        let chunks = vec![(0, file("a/b", "x")), (0, gone), (0, file("a", "x"))];
        let noted = take_note(&chunks);
        assert_eq!(noted.is_ok(), vacant, "{noted:?}");
        assert_eq!(noted, unpack(&chunks));
    }
}

#[test]
fn what_is_left_of_directories_goes_with_those_above() {
    let chunks = vec![(0, file("a/b/c", "x")), (0, remove("a/b/c")), (0, remove("a")), (0, file("a", "x"))];
    assert_eq!(take_note(&chunks), Ok(()));
    assert_eq!(unpack(&chunks), Ok(()));
}
