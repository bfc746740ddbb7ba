//! Streams that are wrong or mean harm, and targets that are not empty. Nothing may be left behind.

use std::os::unix::fs::symlink;

use super::*;

/// Expects these chunks to be refused for `cause`, and the target to be as it was.
fn refused(room: &Room, chunks: &[Vec<u8>], cause: Cause) -> ExtractError {
    let before = room.paths();
    let error = room.unpack(chunks).unwrap_err();
    assert_eq!(error.cause(), cause, "{error}");
    assert_eq!(room.paths(), before, "{error}");
    error
}

#[test]
fn no_chunk_leads_out_of_the_target() {
    for path in ["/tmp/xbrecv-evil", "../evil", "a/../../evil", "a/..", "..", ".", "./", "a/", ".xbrecv-1/lock"] {
        let chunks = [
            payload(path, 0, "x"),
            rewrite(path, "x"),
            sparse(path, 0, &[(0, 1)], "x"),
            [seek(path, 0), end("a")].concat(),
            end(path),
            encode::ignorable(path.as_bytes(), b'x', b"").unwrap(),
            [file("f", "x"), rename("f", path)].concat(),
            rename(path, "f"),
        ];
        for chunk in chunks {
            let room = Room::new();
            let error = refused(&room, &[file("a", "x"), chunk], Cause::Integrity);
            assert!(matches!(error, ExtractError::Path(_)), "{path}: {error}");
            assert!(!room.0.path().join("evil").exists());
        }
    }
    for path in ["/tmp", "..", "a/../..", ".", ".xbrecv-0123456789abcdef/", "../*", "/*"] {
        assert!(matches!(refused(&Room::new(), &[remove(path)], Cause::Integrity), ExtractError::Path(_)), "{path}");
    }
}

#[test]
fn a_nul_and_a_long_name_are_refused() {
    let mut nul = end("a_b");
    let at = nul.iter().rposition(|byte| *byte == b'_').unwrap();
    nul[at] = 0;
    refused(&Room::new(), &[nul], Cause::Integrity);
    refused(&Room::new(), &[end(&"n".repeat(256))], Cause::Integrity);
    Room::new().unpack(&[end(&"n".repeat(255))]).unwrap();
}

#[test]
fn links_in_the_staging_tree_are_followed_at_no_level() {
    for link in ["a", "a/b", "a/b/c"] {
        let room = Room::new();
        let outside = room.0.path().join("outside");
        fs::create_dir_all(outside.join("b/c")).unwrap();
        fs::write(outside.join("b/c/kept"), "kept").unwrap();
        let chunks = [
            file("a/b/c", "x"),
            rewrite("a/b/c", "x"),
            file("a/b/c/new", "x"),
            [file("f", "x"), rename("f", "a/b/c/kept")].concat(),
            rename("a/b/c/kept", "g"),
            remove("a/b/c/kept"),
            remove("a/b/c/k*"),
        ];
        for chunk in chunks {
            let extraction = room.extraction();
            fs::create_dir_all(room.staged(link).parent().unwrap()).unwrap();
            symlink(&outside, room.staged(link)).unwrap();
            // It may fail, or do nothing, but only inside.
            let _ = feed(&extraction, &[chunk]);
            drop(extraction);
            assert_eq!(fs::read_to_string(outside.join("b/c/kept")).unwrap(), "kept", "{link}");
            assert_eq!(fs::read_dir(outside.join("b/c")).unwrap().count(), 1, "{link}");
            assert!(outside.join("b/c").is_dir() && fs::read_dir(&outside).unwrap().count() == 1, "{link}");
            assert_eq!(room.paths(), [""; 0]);
        }
    }
}

#[test]
fn links_in_the_target_are_refused_at_every_level() {
    for link in ["a", "a/b", "a/b/c"] {
        let room = Room::new();
        let outside = room.0.path().join("outside");
        fs::create_dir_all(outside.join("b")).unwrap();
        fs::create_dir_all(room.at(link).parent().unwrap()).unwrap();
        symlink(&outside, room.at(link)).unwrap();
        refused(&room, &[file("a/b/c", "x")], Cause::Sink);
        refused(&room, &[file("f", "x"), rename("f", "a/b/c")], Cause::Sink);
        assert_eq!(fs::read_dir(outside.join("b")).unwrap().count(), 0);
    }
}

#[test]
fn what_exists_is_found_when_its_name_is_first_seen() {
    let room = Room::new();
    fs::create_dir(room.at("db")).unwrap();
    fs::write(room.at("db/t.ibd"), "old").unwrap();
    for chunks in [
        vec![payload("db/t.ibd", 0, "x")],
        vec![rewrite("db/t.ibd", "x")],
        vec![end("db")],
        vec![file("new", "x"), rename("new", "db/t.ibd")],
        vec![end("db/t.ibd/below")],
    ] {
        refused(&room, &chunks, Cause::Sink);
    }
    assert_eq!(room.read("db/t.ibd"), "old");
}

#[test]
fn a_removal_never_touches_the_target() {
    let room = Room::new();
    fs::create_dir(room.at("db")).unwrap();
    fs::write(room.at("db/t.ibd"), "old").unwrap();
    room.unpack(&[remove("db/t.ibd"), remove("db"), remove("db/*"), rename("db/t.ibd", "db/u.ibd")]).unwrap();
    assert_eq!(room.paths(), ["db/", "db/t.ibd"]);
}

#[test]
fn names_that_exclude_each_other_are_the_streams_fault() {
    for chunks in [
        vec![file("a", "x"), file("a", "y")],
        vec![file("a", "x"), file("./a", "y")],
        vec![payload("a//b", 0, "x"), payload("a/b", 0, "y")],
        vec![file("a", "x"), file("a/b", "y")],
        vec![file("a/b", "x"), file("a", "y")],
        vec![file("a/b", "x"), file("c", "y"), rename("c", "a")],
        vec![file("a/b", "x"), rename("a", "c")],
    ] {
        refused(&Room::new(), &chunks, Cause::Integrity);
    }
}

#[test]
fn order_damage_and_a_cut_are_the_streams_fault() {
    let mut damaged = payload("a", 0, "hello");
    *damaged.last_mut().unwrap() ^= 1;
    let cut = payload("a", 0, "hello")[..30].to_vec();
    for chunks in [
        vec![payload("a", 5, "x")],
        vec![payload("a", 0, "x"), rename("a", "b")],
        vec![payload("a", 0, "x"), remove("a")],
        vec![payload("a", 0, "x")],
        vec![damaged],
        vec![cut],
        vec![b"Warning: text on stdout\n".to_vec()],
    ] {
        refused(&Room::new(), &chunks, Cause::Integrity);
    }
}

#[test]
fn a_file_stays_on_its_lane() {
    let room = Room::new();
    let extraction = room.extraction();
    let (mut first, mut second) = (extraction.lane(LaneId(0)), extraction.lane(LaneId(1)));
    first.write(&Bytes::from(payload("a", 0, "x"))).unwrap();
    let error = second.write(&Bytes::from(payload("a", 1, "y"))).unwrap_err();
    assert!(matches!(error, ExtractError::Torn { first: LaneId(0), second: LaneId(1), .. }), "{error}");
    assert_eq!(error.cause(), Cause::Integrity);
}
