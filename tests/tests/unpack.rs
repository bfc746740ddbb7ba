//! Backups as Percona's tools make them, unpacked by the program.

use std::ffi::OsStr;
use std::fs;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use xbproto::xbstream::{SparseRun, encode};
use xbtests::{Encoded, Input, Scene, Tree, XfsDisk, hostile, is_full_run, program_path};

#[test]
fn what_others_encoded_is_unpacked_in_one_pass() {
    let scene = Scene::new();
    let Some(backups) = Encoded::make_all("what_others_encoded_is_unpacked_in_one_pass", &scene.path("made")) else {
        return;
    };
    for backup in &backups {
        let from = backup.stream.to_str().expect("UTF-8");
        let verified = scene.xbrecv(["--verify", "--from", from]).args(backup.options()).start().wait();
        verified.expect_success();
        let unpacked = scene.xbrecv(["-x", "-C", &backup.name, "--manifest", "sums", "--from", from]);
        unpacked.args(backup.options()).start().wait().expect_success();
        let (made, found) = (Tree::of(&backup.tree), Tree::of(&scene.path(&backup.name)));
        assert!(
            made.0.len() > 3 && made.differences(&found).is_empty(),
            "{}: {:?}",
            backup.name,
            made.differences(&found)
        );
        expect_manifest(&scene, &scene.path(&backup.name), made.0.len());
        if backup.name == "sparse" {
            expect_holes(&found, &scene.path(&backup.name));
        }
    }
}

/// `sha1sum` finds every file to be what the manifest says.
fn expect_manifest(scene: &Scene, dir: &Path, files: usize) {
    let manifest = scene.path("sums");
    let checked = scene.program("sha1sum", "sha1sum").arg("-c").arg(&manifest).current_dir(dir).start().wait();
    assert_eq!(checked.code, 0, "{}", checked.log);
    assert_eq!(fs::read_to_string(&manifest).expect("a manifest").lines().count(), files);
    fs::remove_file(manifest).expect("ours");
}

/// Some file takes less of the disk than it is long.
fn expect_holes(found: &Tree, dir: &Path) {
    let is_sparse = |name: &Path| {
        let metadata = fs::metadata(dir.join(name)).expect("a file");
        metadata.blocks() * 512 + 4096 < metadata.len()
    };
    assert!(found.0.keys().any(|name| is_sparse(name)));
}

#[test]
fn a_wrong_key_and_a_missing_one_are_told() {
    let scene = Scene::new();
    let Some(backups) = Encoded::make_all("a_wrong_key_and_a_missing_one_are_told", &scene.path("made")) else {
        return;
    };
    // A random key has no NUL only by luck, which the environment needs.
    let fits = |backup: &&Encoded| match &backup.encryption {
        Some(encryption) => !fs::read(&encryption.key_file).expect("a key").contains(&0),
        None => false,
    };
    let backup = backups.iter().find(fits).expect("an encrypted one");
    let cipher = &backup.encryption.as_ref().expect("encrypted").cipher;
    let xbrecv = |extra: &[&str]| {
        let program = scene.xbrecv(["-x", "-C", "restored", "--decompress", "--decrypt", cipher]);
        program.args(extra).arg("--from").arg(&backup.stream)
    };
    xbrecv(&[]).start().wait().expect_failure(2).expect_said("--encrypt-key-file FILE or set XB_ENCRYPT_KEY");
    let right = fs::read(&backup.encryption.as_ref().expect("encrypted").key_file).expect("a key");
    let with_key = |key: &[u8]| xbrecv(&[]).env("XB_ENCRYPT_KEY", OsStr::from_bytes(key)).start().wait();
    let long = [&right[..], b"\n"].concat();
    with_key(&long).expect_failure(2).expect_said("does it end with a line feed?");
    let wrong = vec![b'w'; right.len()];
    let ended = with_key(&wrong);
    ended.expect_failure(5);
    assert!(!ended.log.contains(std::str::from_utf8(&wrong).expect("text")), "the key is in the log");
    assert!(!scene.path("restored").exists());
    with_key(&right).expect_success();
}

#[test]
fn a_key_that_nothing_proves_is_told_and_one_that_makes_rubbish_is_refused() {
    const TOLD: &str = "nothing in these files proves that the key of --decrypt is right";
    let scene = Scene::new();
    scene.file("right", hostile::KEY);
    scene.file("wrong", [b'w'; 16]);
    let file = |name: &str| {
        let chunk = NonZeroUsize::new(1000).expect("not zero");
        encode::file(name.as_bytes(), &hostile::encrypted(b"tool_name = xtrabackup\n"), chunk).expect("a valid file")
    };
    let unproven = file("db/t.ibd.xbcrypt");
    scene.file("unproven.xb", &unproven);
    scene.file("proven.xb", [unproven.clone(), file("xtrabackup_info.xbcrypt")].concat());
    let local = |mode: &[&str], stream, key| {
        let decrypt = ["--decrypt", "AES128", "--encrypt-key-file", key];
        scene.xbrecv(["--expect", "xbstream", "--from", stream]).args(mode).args(decrypt).start().wait()
    };
    for modes in [[&["-x", "-C", "a"][..], &["-x", "-C", "b"], &["-x", "-C", "c"]], [&["--verify"][..]; 3]] {
        local(modes[0], "unproven.xb", "wrong").expect_success().expect_said(TOLD);
        let words = "the key or the cipher of --decrypt is wrong";
        local(modes[1], "proven.xb", "wrong").expect_failure(5).expect_said(words);
        local(modes[2], "proven.xb", "right").expect_success().expect_silence_on(TOLD);
    }
    let receiver = scene.receiver(["-x", "-C", "d", "--decrypt", "AES128", "--encrypt-key-file", "right"]);
    let sender = |to: &str| scene.sender(to, ["--expect", "xbstream"]).input(Input::Bytes(unproven));
    let (sent, received) = scene.transfer(receiver, sender);
    sent.expect_success();
    received.expect_success().expect_said(TOLD);
}

/// XFS sets space aside for a file that grows, also where it is to have holes.
#[test]
fn holes_are_left_on_xfs() {
    let scene = Scene::new();
    let Some(disk) = XfsDisk::mount("holes_are_left_on_xfs", &scene, "xfs") else { return };
    let runs = [SparseRun { skip: 60 << 10, write: 4 << 10 }; 64];
    let data = vec![7; 64 * (4 << 10)];
    let chunk = |i: u64| encode::sparse(b"db/t.ibd", i * (4 << 20), &runs, &data).expect("a chunk");
    let stream: Vec<u8> = (0..16).flat_map(chunk).chain(encode::end(b"db/t.ibd").expect("an end")).collect();
    let stream = scene.file("stream", stream);
    let target = disk.path().join("target");
    let unpacked = scene.xbrecv(["-x", "--expect", "xbstream", "--from"]).arg(stream).arg("-C").arg(&target);
    unpacked.start().wait().expect_success();
    let found = fs::metadata(target.join("db/t.ibd")).expect("a file");
    let stored = 16 * data.len() as u64;
    assert_eq!(found.len(), 64 << 20);
    assert!(found.blocks() * 512 < stored + (256 << 10), "{} bytes are used for {stored}", found.blocks() * 512);
}

/// A long file that is nearly nothing: fifty gigabytes with fifty megabytes in them.
#[test]
fn a_file_of_fifty_gigabytes_is_as_small_as_it_was() {
    let scene = Scene::new();
    let data = vec![7; 1 << 20];
    let run = [SparseRun { skip: (1 << 30) - (1 << 20), write: 1 << 20 }];
    let chunk = |i: u64| encode::sparse(b"db/t.ibd", i << 30, &run, &data).expect("a chunk");
    let stream: Vec<u8> = (0..50).flat_map(chunk).chain(encode::end(b"db/t.ibd").expect("an end")).collect();
    let stream = scene.file("stream", stream);
    let unpacked = scene.xbrecv(["-x", "--expect", "xbstream", "-C", "large", "--from"]).arg(stream);
    unpacked.start().wait().expect_success();
    // And once more, from the files to the network.
    let receiver = scene.receiver(["-x", "-C", "again"]).start();
    scene.sender(&receiver.address(), ["--dir", "large"]).start().wait().expect_success();
    receiver.wait().expect_success();
    for folder in ["large", "again"] {
        let found = fs::metadata(scene.path(folder).join("db/t.ibd")).expect("a file");
        assert_eq!(found.len(), 50 << 30);
        assert!(found.blocks() * 512 < 52 << 20, "{folder}: {} bytes are used", found.blocks() * 512);
    }
}

/// A stream may have any number of files, whatever the limit of open ones.
#[test]
fn more_files_than_may_be_open_are_unpacked() {
    let scene = Scene::new();
    let count = if is_full_run() { 200_000 } else { 20_000 };
    let mut stream = Vec::new();
    for i in 0..count {
        let (path, content) = (format!("db{}/t{i}.frm", i / 1000), format!("{i} ").repeat(20 + i % 100));
        let whole = NonZeroUsize::new(content.len()).expect("some");
        stream.extend(encode::file(path.as_bytes(), content.as_bytes(), whole).expect("a file"));
    }
    let stream = scene.file("stream", stream);
    let limited = scene.program("xbrecv", "sh").args(["-c", "ulimit -n 1024; exec \"$@\"", "sh"]);
    let unpacked = limited.arg(program_path("xbrecv")).args(["-x", "--expect", "xbstream", "-C", "many", "--from"]);
    unpacked.arg(stream).start().wait().expect_success().expect_said(&format!("{count} files, "));
    for i in [0, count / 2, count - 1] {
        let found = fs::read_to_string(scene.path("many").join(format!("db{}/t{i}.frm", i / 1000))).expect("a file");
        assert_eq!(found, format!("{i} ").repeat(20 + i % 100));
    }
}
