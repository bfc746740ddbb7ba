//! Directories as streams, read back by the decoder.

use std::fs;
use std::os::unix::fs::FileExt;

use bytes::Bytes;
use tokio::io::AsyncReadExt;
use xbproto::xbstream::{Decoder, Item, Ledger, Limits};

use super::*;

struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &[u8])]) -> Files {
        let dir = Files(tempfile::tempdir().unwrap());
        for (name, content) in files {
            let path = dir.0.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        dir
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn list(&self) -> Result<Inventory, DirError> {
        Inventory::of(self.0.path())
    }
}

async fn read(inventory: Inventory) -> std::io::Result<Vec<u8>> {
    let mut all = Vec::new();
    Feed::start(inventory)?.read_to_end(&mut all).await?;
    Ok(all)
}

/// The chunks of a stream: type and path.
fn chunks(stream: &[u8]) -> Vec<(char, String)> {
    let (mut decoder, mut ledger, mut found) = (Decoder::new(Limits::default()), Ledger::default(), Vec::new());
    decoder.feed(Bytes::copy_from_slice(stream));
    while let Some(item) = decoder.next().unwrap() {
        ledger.apply(&item).unwrap();
        match item {
            Item::Payload { path, .. } => found.push(('P', path.to_string())),
            Item::Sparse { path, .. } => found.push(('S', path.to_string())),
            Item::End { path } => found.push(('E', path.to_string())),
            _ => {}
        }
    }
    decoder.finish().unwrap();
    ledger.finish().unwrap();
    found
}

#[tokio::test]
async fn files_come_in_order_of_their_names_and_the_length_is_known() {
    let long = vec![7; (2 << 20) + 5];
    let dir = Files::new(&[("b", b"bb"), ("a/z", &long), ("a/b/c", b""), ("@0024x/t 1", b"x"), (".xbrecv-1/x", b"no")]);
    fs::create_dir(dir.path("empty")).unwrap();
    let inventory = dir.list().unwrap();
    let (length, empty) = (inventory.length().unwrap(), inventory.empty_directories);
    let stream = read(inventory).await.unwrap();
    assert_eq!((stream.len() as u64, empty), (length, 1));
    let expected = ["P@0024x/t 1", "E@0024x/t 1", "Ea/b/c", "Pa/z", "Pa/z", "Pa/z", "Ea/z", "Pb", "Eb"];
    assert_eq!(chunks(&stream).iter().map(|(kind, path)| format!("{kind}{path}")).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_file_with_holes_is_sparse_and_its_length_is_known() {
    let dir = Files::new(&[]);
    let file = fs::File::create(dir.path("t.ibd")).unwrap();
    file.write_all_at(&[1; 1 << 20], 1 << 20).unwrap();
    file.set_len(5 << 20).unwrap();
    file.sync_all().unwrap();
    let inventory = dir.list().unwrap();
    let length = inventory.length().unwrap();
    let stream = read(inventory).await.unwrap();
    assert_eq!(stream.len() as u64, length);
    assert!(length < 2 << 20);
    assert!(chunks(&stream).iter().any(|(kind, _)| *kind == 'S'));
}

#[test]
fn what_would_be_missing_from_the_copy_is_an_error() {
    let listed = |dir: &Files| dir.list().and_then(|found| found.length()).unwrap_err().to_string();
    assert!(listed(&Files::new(&[])).ends_with("has no files in it"));
    let dir = Files::new(&[("file", b"x")]);
    std::os::unix::fs::symlink("file", dir.path("link")).unwrap();
    assert!(listed(&dir).contains("link is a symbolic link"), "{}", listed(&dir));
    let dir = Files::new(&[("file", b"x")]);
    let _socket = std::os::unix::net::UnixListener::bind(dir.path("sock")).unwrap();
    assert!(listed(&dir).contains("sock is a socket"), "{}", listed(&dir));
    let name = ["x".repeat(250), "y".repeat(250), "z".repeat(20)].join("/");
    assert!(listed(&Files::new(&[(&name, b"x")])).contains("has 522 bytes, expected 1 to 511"));
    assert!(Inventory::of(Path::new("/no/such")).unwrap_err().to_string().contains("/no/such"));
    assert!(Inventory::of(Path::new("/dev/null")).is_err());
}

#[tokio::test]
async fn a_file_that_is_not_what_was_listed_is_named() {
    type Change = fn(&Path);
    let changes: [Change; 3] = [
        |path| fs::write(path, "longer than before").unwrap(),
        |path| fs::File::options().write(true).open(path).unwrap().set_len(1).unwrap(),
        |path| {
            fs::write(path.with_extension("new"), "two").unwrap();
            fs::rename(path.with_extension("new"), path).unwrap();
        },
    ];
    for change in changes {
        let dir = Files::new(&[("one", b"one"), ("two", b"two")]);
        let inventory = dir.list().unwrap();
        change(&dir.path("two"));
        let error = read(inventory).await.unwrap_err().to_string();
        assert!(error.contains("/two is not any more what it was"), "{error}");
    }
}

#[tokio::test]
async fn what_happens_behind_the_reader_is_found_before_the_end() {
    type Change = fn(&Files);
    let changes: [(Change, &str); 4] = [
        (|dir| fs::write(dir.path("a/sent"), "SENT").unwrap(), "/a/sent is not any more what it was when"),
        (|dir| fs::remove_file(dir.path("a/sent")).unwrap(), "/a/sent is not there any more, as it was when"),
        (|dir| fs::write(dir.path("a/new"), "new").unwrap(), "/a/new was not there when"),
        (|dir| fs::rename(dir.path("a"), dir.path("c")).unwrap(), "/a/sent is not there any more, as it was when"),
    ];
    let long = vec![7; 40 << 20];
    for (change, expected) in changes {
        let dir = Files::new(&[("a/sent", b"sent"), ("b", &long)]);
        let mut feed = Feed::start(dir.list().unwrap()).unwrap();
        // The first file is behind us then, and of the second the thread has not read all.
        feed.read_exact(&mut vec![0; 1 << 20]).await.unwrap();
        change(&dir);
        let error = feed.read_to_end(&mut Vec::new()).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_reader_that_leaves_ends_the_thread() {
    let long = vec![7; 40 << 20];
    let dir = Files::new(&[("long", &long)]);
    let mut feed = Feed::start(dir.list().unwrap()).unwrap();
    feed.read_exact(&mut [0; 100]).await.unwrap();
    drop(feed);
}
