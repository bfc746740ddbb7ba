//! Streams that are stored on this host: unpacked without a network.

use std::fs::{self, File};
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::Path;

use rustix::fs::{CWD, FileType, mknodat};
use rustix::process::Signal;
use xbproto::xbstream::{Opening, encode};
use xbtests::{Backup, Endless, Input, Program, Scene, SmallDisk, every_kind_of_chunk, program_path, sha1_of};

const CHUNK: NonZeroUsize = NonZeroUsize::new(1000).expect("not zero");

/// `xbrecv -x -C out` with these arguments.
fn unpack<const N: usize>(scene: &Scene, args: [&str; N]) -> Program {
    scene.xbrecv(["-x", "-C", "out"]).args(args).without_key()
}

/// Nothing was unpacked, and nothing is left of trying.
fn expect_nothing_unpacked(scene: &Scene) {
    assert!(!scene.path("out").exists(), "{:?}", scene.listing("out"));
}

/// Writes the line of `sha1sum` for a file of the scene beside it.
fn store_sum(scene: &Scene, name: &str) {
    let sum = sha1_of(&fs::read(scene.path(name)).expect("a stored stream"));
    scene.file(&format!("{name}.sha1"), format!("{sum}  {name}\n"));
}

fn make_fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, 0o600.into(), 0).expect("a FIFO");
}

#[test]
fn a_file_is_unpacked_without_key_or_network() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("b.xb", backup.stream());
    let ended = unpack(&scene, ["--from", "b.xb"]).start().wait();
    ended.expect_success().expect_said("b.xb: the SHA-1 is not compared: there is no b.xb.sha1").expect_said("synced");
    assert_eq!(ended.checksums(), []);
    backup.expect_in(&scene.path("out"));
}

#[test]
fn standard_input_is_unpacked_be_it_a_pipe_or_a_file() {
    let (scene, backup) = (Scene::new(), Backup::new(3, 3_000_000));
    let stored = scene.file("b.xb", backup.stream());
    // Its sum is nobody's business here.
    scene.file("-.sha1", "wrong");
    for (folder, input) in
        [("pipe", Input::Bytes(backup.stream())), ("file", File::open(stored).expect("a stream").into())]
    {
        let ended = scene.xbrecv(["-x", "--from", "-", "-C", folder]).input(input).start().wait();
        ended.expect_success().expect_silence_on("SHA-1");
        backup.expect_in(&scene.path(folder));
    }
}

#[test]
fn a_fifo_is_unpacked() {
    let (scene, backup) = (Scene::new(), Backup::small());
    make_fifo(&scene.path("fifo"));
    let running = unpack(&scene, ["--from", "fifo"]).start();
    fs::write(scene.path("fifo"), backup.stream()).expect("a reader");
    running.wait().expect_success();
    backup.expect_in(&scene.path("out"));
}

#[test]
fn the_streams_of_one_backup_are_unpacked_together() {
    let scene = Scene::new();
    let files: Vec<(String, Vec<u8>)> = ["ib_logfile0", "xtrabackup_checkpoints", "xtrabackup_info", "shop/t.ibd"]
        .map(|name| (name.to_owned(), name.repeat(5000).into_bytes()))
        .to_vec();
    for (n, (name, content)) in files.iter().enumerate() {
        let mut stored = File::options().append(true).create(true).open(scene.path(&format!("b.xb.{}", n % 2)));
        let chunks = encode::file(name.as_bytes(), content, CHUNK).expect("a valid file");
        stored.as_mut().expect("a file").write_all(&chunks).expect("space");
    }
    store_sum(&scene, "b.xb.1");
    let ended = unpack(&scene, ["--from", "b.xb.0", "--from", "b.xb.1"]).start().wait();
    ended.expect_success().expect_said("there is no b.xb.0.sha1").expect_said("compared with b.xb.1.sha1");
    assert_eq!(ended.checksums().len(), 1);
    for (name, content) in &files {
        assert!(fs::read(scene.path("out").join(name)).expect("unpacked") == *content, "{name}");
    }
    // Each by itself is no backup.
    for name in ["b.xb.0", "b.xb.1"] {
        let ended = scene.xbrecv(["-x", "-C", "half", "--from", name]).start().wait();
        ended.expect_failure(5).expect_said("backup incomplete");
        assert!(!scene.path("half").exists());
    }
}

#[test]
fn the_stored_sum_is_compared() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("b.xb", backup.stream());
    store_sum(&scene, "b.xb");
    let ended = unpack(&scene, ["--from", "b.xb"]).start().wait();
    ended.expect_success();
    assert_eq!(ended.checksums(), [(backup.sha1(), "b.xb".to_owned())]);
    backup.expect_in(&scene.path("out"));
}

#[test]
fn nothing_is_unpacked_where_the_stored_sum_differs() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("b.xb", backup.stream());
    scene.file("b.xb.sha1", format!("{}  b.xb\n", sha1_of(b"another")));
    let ended = unpack(&scene, ["--from", "b.xb"]).start().wait();
    ended.expect_failure(5).expect_said(&format!("is {}, expected {}", backup.sha1(), sha1_of(b"another")));
    expect_nothing_unpacked(&scene);
    scene.file("b.xb.sha1", "no sum");
    unpack(&scene, ["--from", "b.xb"]).start().wait().expect_failure(6).expect_said("no line of sha1sum");
    expect_nothing_unpacked(&scene);
}

#[test]
fn a_cut_stream_leaves_nothing_wherever_it_is_cut() {
    let (scene, stream) = (Scene::new(), Backup::small().stream());
    // In the first magic, in a header, in a payload, somewhere, before and in the last end.
    let end_of_last = encode::end(b"xtrabackup_info").expect("an end").len();
    for cut in [3, 20, 1000, stream.len() / 2, stream.len() - end_of_last, stream.len() - 1] {
        for from in ["b.xb", "-"] {
            scene.file("b.xb", &stream[..cut]);
            let program = unpack(&scene, ["--from", from]).input(Input::Bytes(stream[..cut].to_vec()));
            program.start().wait().expect_failure(5);
            expect_nothing_unpacked(&scene);
        }
    }
}

#[test]
fn an_empty_stream_is_a_source_that_failed() {
    let scene = Scene::new();
    scene.file("b.xb", "");
    for from in ["b.xb", "-"] {
        for expect in ["backup", "xbstream"] {
            let ended = unpack(&scene, ["--expect", expect, "--from", from]).start().wait();
            ended.expect_failure(6).expect_said("empty; whoever wrote it failed");
            expect_nothing_unpacked(&scene);
        }
    }
}

#[test]
fn a_damaged_stream_leaves_nothing_and_names_file_and_place() {
    let scene = Scene::new();
    scene.file("b.xb", Backup::small().damaged());
    let ended = unpack(&scene, ["--from", "b.xb"]).start().wait();
    ended.expect_failure(5).expect_said("xbrecv[-] b.xb: at byte 0: ibdata1: CRC of a payload");
    ended.expect_said("left here: nothing; next: take another copy of the stream").expect_silence_on("both");
    expect_nothing_unpacked(&scene);
}

#[test]
fn what_is_wrong_is_told_of_the_stream_it_is_wrong_with() {
    let scene = Scene::new();
    scene.file("b.xb.0", Backup::small().stream());
    for (stream, said) in [
        (encode::file(b"ibdata1", b"another", CHUNK).expect("a valid file"), "ibdata1"),
        (Backup::new(1, 100_000).damaged(), "xbrecv[-] b.xb.1: at byte 0: shop/t0.ibd: CRC of a payload"),
        (b"\x1f\x8b\x08 compressed".to_vec(), "xbrecv[-] b.xb.1: at byte 0: gzip data"),
    ] {
        scene.file("b.xb.1", stream);
        let ended = unpack(&scene, ["--from", "b.xb.0", "--from", "b.xb.1"]).start().wait();
        ended.expect_failure(5).expect_said(said).expect_silence_on("lane").expect_silence_on("-o FILE");
        expect_nothing_unpacked(&scene);
    }
}

#[test]
fn a_whole_backup_is_required_unless_told_otherwise() {
    let (scene, backup) = (Scene::new(), Backup::without_its_end());
    scene.file("b.xb", backup.stream());
    let ended = unpack(&scene, ["--from", "b.xb"]).start().wait();
    ended.expect_failure(5).expect_said("backup incomplete: no redo log").expect_said("--expect xbstream");
    expect_nothing_unpacked(&scene);
    unpack(&scene, ["--from", "b.xb", "--expect", "xbstream"]).start().wait().expect_success();
    backup.expect_in(&scene.path("out"));
}

#[test]
fn a_file_without_its_end_is_no_file() {
    let scene = Scene::new();
    let chunk = encode::payload(b"a.ibd", Opening::New, 0, b"content").expect("a chunk");
    scene.file("b.xb", chunk);
    let ended = unpack(&scene, ["--from", "b.xb", "--expect", "xbstream"]).start().wait();
    ended.expect_failure(5).expect_said("1 incomplete file: a.ibd");
    expect_nothing_unpacked(&scene);
}

#[test]
fn what_cannot_be_read_is_told_before_anything_is_made() {
    let scene = Scene::new();
    scene.new_folder("folder");
    for (from, said) in [("none.xb", "opening none.xb: No such file"), ("folder", "opening folder: it is a directory")]
    {
        unpack(&scene, ["--from", from]).start().wait().expect_failure(6).expect_said(said);
        expect_nothing_unpacked(&scene);
    }
}

#[test]
fn what_is_in_the_way_is_a_failed_destination() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("b.xb", backup.stream());
    scene.new_folder("out");
    scene.file("out/ibdata1", "precious");
    let ended = unpack(&scene, ["--from", "b.xb"]).start().wait();
    ended.expect_failure(7).expect_said("ibdata1 exists already").expect_said("out is not empty");
    assert_eq!(scene.listing("out"), ["ibdata1"]);
}

#[test]
fn a_stream_that_does_not_fit_is_refused_at_once() {
    let scene = Scene::new();
    let test = "a_stream_that_does_not_fit_is_refused_at_once";
    let Some(disk) = SmallDisk::mount(test, scene.new_folder("disk"), 2 << 20) else { return };
    scene.file("b.xb", Backup::new(3, 1 << 20).stream());
    let ended = scene.xbrecv(["-x", "-C", "disk/out", "--from", "b.xb"]).start().wait();
    ended.expect_failure(7).expect_said("directory disk/out: there is no room for 3.0 MiB, 2.0 MiB are free");
    assert!(!disk.path().join("out").exists());
    // What does not say how long it is fails when the disk is full.
    let piped = scene.xbrecv(["-x", "-C", "disk/out", "--from", "-"]).feed(&Backup::new(3, 1 << 20));
    piped.start().wait().expect_failure(7).expect_said("No space left on device");
    assert!(!disk.path().join("out").exists());
}

#[test]
fn a_low_limit_of_open_files_is_told() {
    let (scene, backup) = (Scene::new(), Backup::small());
    scene.file("b.xb", backup.stream());
    let limited = "ulimit -n 100 && exec \"$0\" -x -C out --from b.xb";
    let ended = scene.program("bash", "bash").args(["-c", limited]).arg(program_path("xbrecv")).start().wait();
    ended.expect_success().expect_said("no more than 100 files may be open");
    backup.expect_in(&scene.path("out"));
}

#[test]
fn options_of_the_network_do_not_go_with_a_stored_stream() {
    let scene = Scene::new();
    scene.file("b.xb", Backup::small().stream());
    for option in [&["-l", "9"][..], &["--wait", "1s"], &["--window", "8m"], &["--key-file", "k"], &["-4"]] {
        let ended = unpack(&scene, ["--from", "b.xb"]).args(option).start().wait();
        ended.expect_failure(2).expect_said("cannot be used with");
        expect_nothing_unpacked(&scene);
    }
    for copy in [&["-o", "copy"][..], &["--stdout"], &["--fifo-dir", "fifos"], &["--", "cat"]] {
        let ended = scene.xbrecv(["--from", "b.xb"]).args(copy).start().wait();
        ended.expect_failure(2).expect_said("cp does that");
    }
    unpack(&scene, ["--from", "-", "--from", "-"]).start().wait().expect_failure(2).expect_said("only once");
    assert_eq!(scene.listing("."), ["b.xb"]);
}

#[test]
fn a_signal_ends_it_and_leaves_nothing() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let scene = Scene::new();
        let running = unpack(&scene, ["--from", "-"]).input(Input::Reader(Box::new(Endless::new(1 << 40)))).start();
        running.log().wait_for("unpacking stdin into directory out");
        running.ask_until("status: unpacking, ");
        assert!(!running.log().text().contains("link"), "there is none");
        running.signal(signal);
        running.wait().expect_failure(code);
        expect_nothing_unpacked(&scene);
    }
}

#[test]
fn a_deadline_ends_the_wait_for_a_writer() {
    let scene = Scene::new();
    make_fifo(&scene.path("fifo"));
    let ended = unpack(&scene, ["--from", "fifo", "--deadline", "1s"]).start().wait();
    ended.expect_failure(124).expect_said("--deadline");
    expect_nothing_unpacked(&scene);
}

#[test]
fn holes_seeks_renames_removals_and_rewrites_are_carried_out() {
    let scene = Scene::new();
    scene.file("b.xb", every_kind_of_chunk());
    unpack(&scene, ["--from", "b.xb", "--expect", "xbstream"]).start().wait().expect_success();
    assert_eq!(scene.listing("out"), ["again.frm", "db/sparse.ibd", "new.ibd", "sought.ibd"]);
    let read = |name: &str| fs::read(scene.path("out").join(name)).expect("unpacked");
    assert_eq!(read("again.frm"), b"second");
    assert_eq!(read("new.ibd"), b"renamed");
    assert_eq!(read("db/sparse.ibd"), [&b"ab"[..], &[0; 4096], b"cd", &[0; 100]].concat());
    assert_eq!(read("sought.ibd"), [&b"xy"[..], &[0; 8190], b"z"].concat());
}

#[test]
fn what_comes_for_a_file_that_cannot_be_decoded_is_thrown_away() {
    let (scene, chunk) = (Scene::new(), NonZeroUsize::new(64 << 10).expect("not zero"));
    let files = (0..8).map(|n| encode::file(format!("t{n}.ibd.lz4").as_bytes(), &[7; 1 << 20], chunk));
    scene.file("b.xb", files.flat_map(|file| file.expect("a valid file")).collect::<Vec<u8>>());
    let ended = unpack(&scene, ["--from", "b.xb", "--expect", "xbstream", "--decompress"]).start().wait();
    ended.expect_failure(5).expect_said("ibd.lz4: lz4, at byte 0: expected an LZ4 frame").expect_silence_on("panicked");
    expect_nothing_unpacked(&scene);
}
