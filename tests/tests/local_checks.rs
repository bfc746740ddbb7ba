//! Streams that are stored on this host: listed and verified.

use std::fs::File;
use std::num::NonZeroUsize;

use xbproto::xbstream::encode;
use xbtests::{Backup, Input, Output, Scene, every_kind_of_chunk, program_path, sha1_of};

const CHUNK: NonZeroUsize = NonZeroUsize::new(1000).expect("not zero");

#[test]
fn a_list_has_what_unpacking_would_leave() {
    let scene = Scene::new();
    scene.file("b.xb", every_kind_of_chunk());
    for from in ["b.xb", "-"] {
        let listing = scene.xbrecv(["--list", "--from", from]).input(Input::Bytes(every_kind_of_chunk()));
        let ended = listing.start().wait();
        assert_eq!(ended.code, 0);
        assert_eq!(
            String::from_utf8(ended.stdout.clone()).expect("UTF-8"),
            r" SIZE  STORED  HOLES  CHUNKS  CODING  NAME
    6       6      0       1  -       again.frm  (sent 2 times)
 4200       4   4196       1  -       db/sparse.ibd
    7       7      0       1  -       new.ibd  (sent as old.ibd)
 8193       3   8190       2  -       sought.ibd
12406      20  12386       5          4 files, 12.1 KiB, 20 B stored, 1 removed again
"
        );
        ended.expect_silence_on("completed");
    }
}

#[test]
fn a_list_is_a_document_for_programs_too() {
    let scene = Scene::new();
    scene.file("b.xb", every_kind_of_chunk());
    let ended = scene.xbrecv(["--list=json", "--from", "b.xb"]).start().wait();
    assert_eq!(ended.code, 0);
    assert_eq!(
        String::from_utf8(ended.stdout).expect("UTF-8"),
        r#"{"v":1,"streams":["b.xb"],"error":null,
"total":{"files":4,"size":12406,"stored":20,"holes":12386,"chunks":5,"removed":1},
"files":[
{"name":"again.frm","size":6,"stored":6,"holes":0,"chunks":1,"coding":[],"sent":2,"sent_as":null,"ended":true},
{"name":"db/sparse.ibd","size":4200,"stored":4,"holes":4196,"chunks":1,"coding":[],"sent":1,"sent_as":null,"ended":true},
{"name":"new.ibd","size":7,"stored":7,"holes":0,"chunks":1,"coding":[],"sent":1,"sent_as":"old.ibd","ended":true},
{"name":"sought.ibd","size":8193,"stored":3,"holes":8190,"chunks":2,"coding":[],"sent":1,"sent_as":null,"ended":true}
]}
"#
    );
}

#[test]
fn a_list_of_a_damaged_stream_has_what_was_read() {
    let (scene, backup) = (Scene::new(), Backup::small());
    let whole = encode::file(b"whole.ibd", b"content", CHUNK).expect("a valid file");
    scene.file("damaged.xb", [&whole[..], &backup.damaged()].concat());
    scene.file("cut.xb", [&whole[..], &backup.cut()].concat());
    for (name, said) in [("damaged.xb", "CRC of a payload"), ("cut.xb", "the stream ends inside")] {
        let ended = scene.xbrecv(["--list", "--from", name]).start().wait();
        ended.expect_failure(5).expect_said(&format!("{name}: at byte ")).expect_said(said);
        let table = String::from_utf8_lossy(&ended.stdout);
        assert!(table.contains("  whole.ibd\n") && table.contains("(incomplete)\n"), "{table}");
        let ended = scene.xbrecv(["--list=json", "--from", name]).start().wait();
        ended.expect_failure(5);
        let document: serde_json::Value = serde_json::from_slice(&ended.stdout).expect("JSON");
        assert!(document["error"].as_str().is_some_and(|error| error.contains(said)), "{document}");
    }
}

#[test]
fn a_long_list_ends_quietly_when_nobody_reads_the_rest() {
    let scene = Scene::new();
    let files = (0..200_000).flat_map(|n| encode::end(format!("db{}/t{n}.ibd", n % 100).as_bytes()).expect("an end"));
    scene.file("b.xb", files.collect::<Vec<u8>>());
    let head = "\"$0\" --list --from b.xb | head -n 1; exit ${PIPESTATUS[0]}";
    let program = scene.program("bash", "bash").args(["-c", head]).arg(program_path("xbrecv"));
    let ended = program.start().wait();
    assert_eq!((ended.code, ended.log.as_str()), (0, ""));
    assert_eq!(ended.stdout, b"SIZE  STORED  HOLES  CHUNKS  CODING  NAME\n");
    let all = scene.xbrecv(["--list", "--from", "b.xb"]).start().wait();
    assert_eq!(all.stdout.iter().filter(|byte| **byte == b'\n').count(), 200_002);
}

#[test]
fn a_list_that_finds_no_room_is_a_failed_destination() {
    let scene = Scene::new();
    scene.file("b.xb", Backup::small().stream());
    let full = File::options().write(true).open("/dev/full").expect("a full device");
    let program = scene.xbrecv(["--list", "--from", "b.xb"]).output(Output::Open(full.into()));
    program.start().wait().expect_failure(7).expect_said("writing to standard output: No space left on device");
}

#[test]
fn verifying_checks_everything_and_writes_nothing() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("b.xb", backup.stream());
    for from in ["b.xb", "-"] {
        let ended = scene.xbrecv(["--verify", "--from", from]).feed(&backup).start().wait();
        ended
            .expect_success()
            .expect_said("10 files have ended, the CRCs of 15 chunks are right")
            .expect_said("verified");
        ended.expect_said("all that a backup closes with").expect_said("the SHA-1 is not compared");
        assert_eq!(ended.checksums(), [(backup.sha1(), from.to_owned())]);
    }
    scene.file("b.xb.sha1", format!("{}  b.xb\n", backup.sha1()));
    let ended = scene.xbrecv(["--verify", "--from", "b.xb"]).start().wait();
    ended.expect_success().expect_said("the SHA-1 is compared with b.xb.sha1");
    assert_eq!(scene.listing("."), ["b.xb", "b.xb.sha1"]);
}

#[test]
fn verifying_finds_what_is_wrong() {
    let scene = Scene::new();
    let stream = Backup::small().stream();
    let end_of_last = encode::end(b"xtrabackup_info").expect("an end").len();
    let cut = |len: usize| stream[..len].to_vec();
    for (stream, said) in [
        (Backup::small().damaged(), "CRC of a payload"),
        (cut(3), "the stream ends inside the header"),
        (cut(1000), "the stream ends inside the payload"),
        (cut(stream.len() - end_of_last), "1 incomplete file: xtrabackup_info"),
        (Backup::without_its_end().stream(), "backup incomplete: no redo log"),
        ([&stream[..], &stream].concat(), "ibdata1 appears twice"),
        (b"CREATE TABLE t (a INT);\n".to_vec(), "text on stdout"),
    ] {
        scene.file("b.xb", &stream);
        scene.xbrecv(["--verify", "--from", "b.xb"]).start().wait().expect_failure(5).expect_said(said);
        let piped = scene.xbrecv(["--verify", "--from", "-"]).input(Input::Bytes(stream));
        piped.start().wait().expect_failure(5).expect_said(said);
    }
    scene.file("b.xb", &stream);
    scene.file("b.xb.sha1", format!("{} *b.xb\n", sha1_of(b"another")));
    let ended = scene.xbrecv(["--verify", "--from", "b.xb"]).start().wait();
    ended.expect_failure(5).expect_said("expected").expect_said("b.xb.sha1");
}

#[test]
fn listing_and_verifying_need_a_stored_stream() {
    let scene = Scene::new();
    for args in [&["--list"][..], &["--verify"], &["-x", "--expect", "xbstream"], &["--from", "b.xb"]] {
        scene.xbrecv([]).args(args).start().wait().expect_failure(2);
    }
    let ended = scene.xbrecv(["--list", "--from", "b.xb", "--expect", "backup"]).start().wait();
    ended.expect_failure(2).expect_said("cannot be used with");
}
