//! MariaDB's own extractor, and where it is known to be wrong.
//!
//! `mbstream` (10.11) departs from what its chunks mean in two places:
//!
//! * A removal whose path ends in `*` removes only the file whose name is exactly the prefix, and keeps what it should
//!   remove.
//! * An empty file has no payload chunk, so its end is all there is of it. Right after a rename `mbstream` fails on such
//!   an end ("invalid checksum": it checks a buffer that still has the new name in it); and when the file is there
//!   already, because it was altered during the backup and is sent again, `mbstream` stops ("File exists") as if it was
//!   done. With an empty payload in front, marked as a rewrite, it does what is meant.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use xbproto::xbstream::{Decoder, Item, Limits, Opening, encode};

use crate::{Input, Scene, Tree};

/// A stream as `mbstream` unpacked it.
pub struct Mbstream {
    /// What was unpacked.
    pub tree: Tree,
    /// Prefixes of names that a removal should have removed.
    removed: Vec<Vec<u8>>,
}

impl Mbstream {
    /// Unpacks a stream in a file with one worker into a new folder of the scene.
    pub fn extract(scene: &Scene, stream: &Path, folder: &str) -> Mbstream {
        let oddities = Oddities::of(stream);
        let stream = if oddities.has_fatal_end { mended(stream) } else { stream.to_owned() };
        let folder = scene.new_folder(folder);
        let mbstream = scene.program("mbstream", "mbstream").args(["-x", "-p", "1", "-C"]).arg(&folder);
        let ended = mbstream.input(Input::from(File::open(stream).expect("a stream"))).start().wait();
        assert_eq!(ended.code, 0, "mbstream: {}", ended.log);
        Mbstream { tree: Tree::of(&folder), removed: oddities.removed }
    }

    /// Whether `mbstream` is known to keep this file although the stream removes it.
    pub fn wrongly_keeps(&self, name: &Path) -> bool {
        self.removed.iter().any(|prefix| name.as_os_str().as_bytes().starts_with(prefix))
    }
}

/// The places of a stream where `mbstream` goes wrong.
#[derive(Default)]
struct Oddities {
    removed: Vec<Vec<u8>>,
    has_fatal_end: bool,
}

impl Oddities {
    fn of(stream: &Path) -> Oddities {
        let mut oddities = Oddities::default();
        let (mut after_rename, mut open, mut there) = (false, BTreeSet::new(), BTreeSet::new());
        for_each_item(stream, |item| match item {
            Item::Remove { path } => oddities.removed.extend(path.as_bytes().strip_suffix(b"*").map(<[u8]>::to_vec)),
            Item::Rename { .. } => after_rename = true,
            Item::Payload { path, .. } => {
                after_rename = false;
                open.insert(path);
            }
            Item::End { path } => {
                let is_empty = !open.remove(&path);
                oddities.has_fatal_end |= after_rename || is_empty && there.contains(&path);
                there.insert(path);
            }
            _ => {}
        });
        oddities
    }
}

/// The same stream in a new file, with an empty payload in every empty file.
fn mended(stream: &Path) -> PathBuf {
    let path = stream.with_extension("mended");
    let mut out = File::create(&path).expect("a new file");
    let mut put = |chunk: Result<Vec<u8>, encode::EncodeError>| {
        out.write_all(&chunk.expect("a chunk that was in a stream")).expect("space");
    };
    let (mut payload, mut data, mut open) = (None, Vec::new(), BTreeSet::new());
    for_each_item(stream, |item| match item {
        Item::Payload { path, opening, offset, .. } => {
            open.insert(path.clone());
            payload = Some((path, opening, offset));
        }
        Item::Data(bytes) => data.extend_from_slice(&bytes),
        Item::Verified => {
            let (path, opening, offset) = payload.take().expect("a payload chunk");
            put(encode::payload(path.as_bytes(), opening, offset, &std::mem::take(&mut data)));
        }
        Item::End { path } => {
            if !open.remove(&path) {
                put(encode::payload(path.as_bytes(), Opening::Rewrite, 0, b""));
            }
            put(encode::end(path.as_bytes()));
        }
        Item::Rename { from, to } => put(encode::rename(from.as_bytes(), to.as_bytes())),
        Item::Remove { path } => put(encode::remove(path.as_bytes())),
        Item::Seek { path, offset } => put(encode::seek(path.as_bytes(), offset)),
        Item::Sparse { .. } | Item::Ignored { .. } => panic!("MariaDB's tool makes no such chunk"),
    });
    path
}

fn for_each_item(stream: &Path, mut each: impl FnMut(Item)) {
    let mut file = File::open(stream).expect("a stream");
    let len = fs::metadata(stream).expect("a stream").len();
    let (mut decoder, mut buffer) = (Decoder::new(Limits::default()), vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut buffer).expect("readable");
        if read == 0 {
            break;
        }
        decoder.feed(Bytes::copy_from_slice(&buffer[..read]));
        while let Some(item) =
            decoder.next().unwrap_or_else(|error| panic!("{} ({len} bytes): {error}", stream.display()))
        {
            each(item);
        }
    }
    decoder.finish().expect("a whole stream");
}
