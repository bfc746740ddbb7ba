//! Backups as Percona's tools make them, unpacked by the program.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use xbtests::{Encoded, Scene, Tree};

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
