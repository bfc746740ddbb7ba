//! Names that change while what came before is still to be written.

use std::num::NonZeroUsize;

use super::*;

/// More files than are kept open, so that they are opened again by their names; and one writer that has much to do before
/// it comes to them.
fn under_way(room: &Room) -> (Extraction, Vec<u8>) {
    const FILES: usize = 400;
    setrlimit(Resource::Nofile, Rlimit { current: Some(1024), maximum: Some(1024) }).unwrap();
    let unpacking = Unpacking { workers: NonZeroUsize::MIN, ..Unpacking::default() };
    let (extraction, _) = Extraction::create(&room.dir(), ID, unpacking).unwrap();
    let begun: Vec<_> = (0..FILES).map(|i| payload(&format!("f{i}"), 0, "begun, ")).collect();
    feed(&extraction, &begun).unwrap();
    let rest = (0..FILES - 10).flat_map(|i| [payload(&format!("f{i}"), 7, "ended"), end(&format!("f{i}"))].concat());
    (extraction, [file("large", &"x".repeat(20 << 20)), rest.collect()].concat())
}

fn ended(number: usize) -> Vec<u8> {
    [payload(&format!("f{number}"), 7, "ended"), end(&format!("f{number}"))].concat()
}

#[test]
fn what_came_before_a_new_name_goes_to_the_file_that_came_before() {
    let room = Room::new();
    let (mut extraction, busy) = under_way(&room);
    let last = [
        busy,
        [ended(390), rename("f390", "renamed"), file("f390", "again")].concat(),
        [ended(391), remove("f391"), file("f391", "again")].concat(),
        [ended(392), rewrite("f392", "again"), end("f392")].concat(),
        [ended(393), end("f393")].concat(),
        [ended(394), ended(395), rename("f394", "f395")].concat(),
        [ended(396), remove("f396*")].concat(),
        [ended(397), remove("f397")].concat(),
        [ended(398), ended(399)].concat(),
    ];
    feed(&extraction, &[last.concat()]).unwrap();
    extraction.commit().unwrap();
    for (name, content) in [
        ("renamed", "begun, ended"),
        ("f390", "again"),
        ("f391", "again"),
        ("f392", "again"),
        ("f393", ""),
        ("f395", "begun, ended"),
        ("f398", "begun, ended"),
    ] {
        assert_eq!(room.read(name), content, "{name}");
    }
    assert!(["f394", "f396", "f397"].iter().all(|name| !room.at(name).exists()));
}
