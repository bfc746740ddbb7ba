//! Any bytes as orders for chunks, unpacked into a directory and by a model.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rustix::process::{Resource, Rlimit, setrlimit};
use xbproto::lane::{LaneDigest, LaneId};
use xbproto::stage::{Decompress, Stages};
use xbproto::xbstream::{Opening, SparseRun, encode};

use super::model::{Model, Refused, Subject};
use crate::extract::{ExtractError, Extraction, Unpacking};

/// What the stream calls its files: name on disk, suffix.
const NAMES: [(&str, &str); 20] = [
    ("a", ""),
    ("b", ""),
    ("c", ""),
    ("d", ""),
    ("d/a", ""),
    ("d/b", ""),
    ("d/e", ""),
    ("d/e/c", ""),
    ("t.ibd", ""),
    ("d/t.ibd", ""),
    ("e/u.ibd", ".zst"),
    ("a", ".zst"),
    ("b", ".zst"),
    ("f", ".zst"),
    ("g", ""),
    ("g/h", ".zst"),
    ("g/i", ""),
    ("j", ""),
    ("k", ""),
    ("l", ""),
];

/// The most orders that are followed.
const ORDERS: usize = 64;

/// So few files may be open that those under way have to be opened again.
const OPEN_FILES: u64 = 528;

/// Unpacks what `bytes` order, on two lanes, into a directory and into a [`Model`]: both refuse it, and nothing is left, or
/// both come to the same files with the same sums.
///
/// # Panics
///
/// If one of these does not hold.
pub fn extraction(bytes: &[u8]) {
    let limit = Rlimit { current: Some(OPEN_FILES), maximum: Some(OPEN_FILES) };
    let _ = setrlimit(Resource::Nofile, limit);
    let room = tempfile::Builder::new().prefix("xbfuzz-").tempdir_in(memory()).expect("a folder");
    let target = room.path().join("target");
    let (stream, model) = Stream::made(bytes);
    let (got, expected) = (unpack(&target, &stream), model.and_then(Model::finish));
    match (got, expected) {
        (Err(_), Err(Refused)) => assert!(!target.exists(), "something is left"),
        (Ok(sums), Ok(files)) => compare(&target, &sums, &files),
        (got, expected) => panic!("got {got:?}, expected {expected:?}"),
    }
    assert!(fs::read_dir(room.path()).expect("a folder").all(|entry| entry.is_ok_and(|e| e.file_name() == "target")));
}

/// Where files cost little.
fn memory() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

/// Returns the manifest.
fn unpack(target: &Path, stream: &Stream) -> Result<String, ExtractError> {
    let unpacking = Unpacking {
        stages: Stages { decompress: Decompress::Yes, decrypt: None },
        workers: NonZeroUsize::new(1 + stream.pieces.len() % 3).unwrap_or(NonZeroUsize::MIN),
        manifest: Some(target.join("unused")),
        ..Unpacking::default()
    };
    let (mut extraction, _) = Extraction::create(target, 1, unpacking)?;
    let mut lanes = [0, 1].map(|lane| extraction.lane(LaneId(lane)));
    for (lane, piece) in &stream.pieces {
        lanes[usize::from(*lane)].write(&Bytes::copy_from_slice(piece))?;
    }
    lanes.iter_mut().try_for_each(|lane| lane.finish())?;
    extraction.sync()?;
    let sums = extraction.manifest()?.unwrap_or_default();
    extraction.commit()?;
    Ok(String::from_utf8(sums).expect("only such names"))
}

fn compare(target: &Path, sums: &str, files: &BTreeMap<String, Option<Vec<u8>>>) {
    let mut found = BTreeMap::new();
    collect(target, target, &mut found);
    assert!(found == *files, "{:?} {:?}", found.keys(), files.keys());
    let mut expected = BTreeMap::new();
    for (name, content) in files.iter().filter_map(|(name, content)| Some((name, content.as_ref()?))) {
        let mut digest = LaneDigest::default();
        digest.update(content);
        expected.insert(name.clone(), format!("{}  {name}", digest.sum()));
    }
    let mut lines: Vec<&str> = sums.lines().collect();
    let mut expected: Vec<String> = expected.into_values().collect();
    lines.sort_unstable();
    expected.sort_unstable();
    assert_eq!(lines, expected);
}

fn collect(root: &Path, folder: &Path, found: &mut BTreeMap<String, Option<Vec<u8>>>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.strip_prefix(root).expect("below").display().to_string();
        if path.is_dir() {
            collect(root, &path, found);
            found.insert(name, None);
        } else {
            found.insert(name, Some(fs::read(&path).expect("a file")));
        }
    }
}

/// What each lane is given at a time.
#[derive(Debug, Default)]
struct Stream {
    pieces: Vec<(u16, Vec<u8>)>,
}

impl Stream {
    /// Carries out the orders, five bytes each. After the first that is refused, the rest only follows.
    fn made(bytes: &[u8]) -> (Stream, Result<Model, Refused>) {
        let (mut stream, mut model, mut refused) = (Stream::default(), Model::default(), false);
        for order in bytes.chunks_exact(5).take(ORDERS) {
            let order = Order::new(order);
            let (chunk, done) = order.carry_out(&mut model);
            refused |= done.is_err();
            stream.add(&order, chunk);
        }
        (stream, if refused { Err(Refused) } else { Ok(model) })
    }

    fn add(&mut self, order: &Order, chunk: Vec<u8>) {
        match self.pieces.last_mut() {
            Some((lane, piece)) if *lane == order.lane && !order.cuts => piece.extend(chunk),
            _ => self.pieces.push((order.lane, chunk)),
        }
    }
}

/// One chunk to make.
struct Order {
    lane: u16,
    /// Whether the lane is given what comes from here by itself.
    cuts: bool,
    what: u8,
    name: (&'static str, &'static str),
    other: (&'static str, &'static str),
    content: Vec<u8>,
    /// What an offset may be wrong by.
    stray: u64,
}

impl Order {
    fn new(bytes: &[u8]) -> Order {
        let pick = |byte: u8| NAMES[usize::from(byte) % NAMES.len()];
        // Few orders are wrong, and few files come on the second lane, or little would be right.
        let stray = if bytes[4] == 0xFF { u64::from(bytes[3]) } else { 0 };
        Order {
            lane: u16::from(bytes[1] / NAMES.len() as u8 % 8 == 7),
            cuts: bytes[0] & 0x80 != 0,
            what: bytes[0] & 0x0F,
            name: pick(bytes[1]),
            other: pick(bytes[2]),
            content: content(bytes[3], bytes[4]),
            stray,
        }
    }

    fn carry_out(&self, model: &mut Model) -> (Vec<u8>, Result<(), Refused>) {
        let (disk, suffix) = self.name;
        let subject = Subject { disk, suffix, lane: self.lane };
        let path = self.path();
        let next = model.next(disk) + self.stray;
        let chunk = |made: Result<Vec<u8>, encode::EncodeError>| made.expect("a chunk that can be made");
        match self.what {
            0..=4 => self.payload(model, subject, next),
            5 => (chunk(encode::end(&path)), model.end(subject)),
            6 => (chunk(encode::end(&path)), model.end(subject)),
            7 => (chunk(encode::end(&path)), model.end(subject)),
            8 => {
                let to = [self.other.0, self.other.1].concat();
                (chunk(encode::rename(&path, to.as_bytes())), model.rename(disk, self.other.0))
            }
            9 => (chunk(encode::remove(&path)), model.remove(disk)),
            10 => {
                let many = format!("{}*", &disk[..disk.len() - 1]);
                (chunk(encode::remove(many.as_bytes())), model.remove(&many))
            }
            11 => (chunk(encode::seek(&path, next + self.stray)), model.seek(subject, next + self.stray)),
            12 => {
                let at = self.content.len() as u64 * 3;
                (chunk(encode::seek(&path, at)), model.seek(subject, at))
            }
            _ => self.sparse(model, subject, next),
        }
    }

    fn payload(&self, model: &mut Model, subject: Subject<'_>, offset: u64) -> (Vec<u8>, Result<(), Refused>) {
        let replaces = self.what == 4;
        let opening = if replaces { Opening::Rewrite } else { Opening::New };
        let encoded = if self.name.1.is_empty() { self.content.clone() } else { frame(&self.content) };
        let chunk = encode::payload(&self.path(), opening, offset, &encoded).expect("a chunk");
        (chunk, model.payload(subject, replaces, offset, encoded.len() as u64, &self.content))
    }

    fn sparse(&self, model: &mut Model, subject: Subject<'_>, offset: u64) -> (Vec<u8>, Result<(), Refused>) {
        let (first, second) = self.content.split_at(self.content.len() / 3);
        let skip = self.content.len() as u32 * 2;
        let runs = [(skip / 7, first.to_vec()), (skip, second.to_vec()), (skip / 5, Vec::new())];
        let map = runs.each_ref().map(|(skip, piece)| SparseRun { skip: *skip, write: piece.len() as u32 });
        let chunk = encode::sparse(&self.path(), offset, &map, &self.content).expect("a chunk");
        (chunk, model.sparse(subject, offset, &runs))
    }

    fn path(&self) -> Vec<u8> {
        [self.name.0, self.name.1].concat().into_bytes()
    }
}

/// Some bytes, many of them zeros, and here and there what a page begins with.
fn content(len: u8, kind: u8) -> Vec<u8> {
    let len = match kind >> 5 {
        0..=3 => usize::from(len),
        4..=5 => usize::from(len) << 7,
        6 => 16 << 10,
        _ => 1 << 20 | usize::from(len),
    };
    let filled = if kind & 1 == 0 { len } else { len / 2 };
    let mut content: Vec<u8> = (0..len).map(|at| if at < filled { (at % 251) as u8 | kind & 8 } else { 0 }).collect();
    if kind & 2 != 0 && len > 60 {
        content[24..26].copy_from_slice(&14_u16.to_be_bytes());
        content[54..58].copy_from_slice(&(u32::from(kind & 4) << 14 | 0x21).to_be_bytes());
    }
    content
}

/// A zstd frame of blocks that are stored.
fn frame(plain: &[u8]) -> Vec<u8> {
    let mut frame = b"\x28\xb5\x2f\xfd\x00\x58".to_vec();
    for block in plain.chunks(64 << 10) {
        frame.extend(&((block.len() as u32) << 3).to_le_bytes()[..3]);
        frame.extend(block);
    }
    frame.extend([1, 0, 0]);
    frame
}
