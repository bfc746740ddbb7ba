//! Collects the metadata files of a stream that passes by.

use std::collections::BTreeMap;

use super::{BackupFacts, MAX_METADATA, MetadataFile};
use crate::stage::{Decompress, Stages};
use crate::xbstream::{Item, Opening, StreamPath};

/// Reads the facts of a backup out of the items of one lane. What it keeps is small: the few files of [`MetadataFile`], each
/// up to [`MAX_METADATA`] bytes.
///
/// The items of one chunk must come together, as a [`Decoder`](crate::xbstream::Decoder) gives them; several lanes are
/// watched each by its own, and [merged](Self::merge) at the end. The order of chunks is not checked: a
/// [`Ledger`](crate::xbstream::Ledger) does that.
#[derive(Debug, Default)]
pub struct FactsWatch {
    /// Files begun and not ended.
    open: BTreeMap<StreamPath, Content>,
    /// The file whose payload comes, and where its next byte belongs.
    current: Option<(StreamPath, u64)>,
    found: BTreeMap<MetadataFile, BackupFacts>,
}

/// What has come of a file.
#[derive(Debug)]
enum Content {
    /// All so far.
    Bytes(Vec<u8>),
    /// Something that is not kept: it is too long, or has holes.
    Unfit,
}

impl FactsWatch {
    /// Takes note of one item.
    pub fn apply(&mut self, item: &Item) {
        match item {
            Item::Data(bytes) => self.take_in(bytes),
            Item::Payload { path, opening, offset, .. } => self.begin(path, *opening, *offset),
            Item::Sparse { path, .. } => {
                self.current = None;
                if is_readable(path) {
                    self.open.insert(path.clone(), Content::Unfit);
                }
            }
            Item::Ignored { .. } | Item::Verified => self.current = None,
            Item::End { path } => self.end(path),
            Item::Rename { from: path, .. } | Item::Remove { path } => self.forget(path),
            // The payload that follows says where it belongs.
            Item::Seek { .. } => {}
        }
    }

    /// Takes over what the watch of another lane has found.
    pub fn merge(&mut self, other: FactsWatch) {
        self.found.extend(other.found);
    }

    /// What the files that have ended say.
    pub fn facts(&self) -> BackupFacts {
        self.found.values().cloned().fold(BackupFacts::default(), BackupFacts::or)
    }

    fn begin(&mut self, path: &StreamPath, opening: Opening, offset: u64) {
        self.current = None;
        if is_readable(path) {
            let is_open = self.open.contains_key(path);
            if !is_open || (opening == Opening::Rewrite && offset == 0) {
                self.open.insert(path.clone(), Content::Bytes(Vec::new()));
            }
            self.current = Some((path.clone(), offset));
        }
    }

    fn take_in(&mut self, bytes: &[u8]) {
        let Some((path, offset)) = &mut self.current else { return };
        let Some(content) = self.open.get_mut(path) else { return };
        content.write(*offset, bytes);
        *offset = offset.saturating_add(bytes.len() as u64);
    }

    fn end(&mut self, path: &StreamPath) {
        self.current = None;
        let Some((file, _)) = MetadataFile::of(path.as_bytes()).filter(|_| is_readable(path)) else { return };
        let plain = match self.open.remove(path) {
            Some(Content::Bytes(bytes)) => decompressed(path, bytes),
            Some(Content::Unfit) | None => None,
        };
        match plain {
            Some(plain) => {
                self.found.insert(file, file.read(&plain));
            }
            None => {
                self.found.remove(&file);
            }
        }
    }

    /// The file, or with `*` at the end every file of that prefix, is not what it was any more.
    fn forget(&mut self, path: &StreamPath) {
        let (path, _) = DECOMPRESSING.of(path.as_bytes());
        let is_meant = |name: &[u8]| match path.strip_suffix(b"*") {
            Some(prefix) => name.starts_with(prefix),
            None => name == path,
        };
        for (name, file) in MetadataFile::names().filter(|(name, _)| is_meant(name.as_bytes())) {
            self.open.retain(|path, _| DECOMPRESSING.of(path.as_bytes()).0 != name.as_bytes());
            self.found.remove(&file);
        }
    }
}

impl Content {
    fn write(&mut self, offset: u64, bytes: &[u8]) {
        let Content::Bytes(content) = self else { return };
        let end = offset.saturating_add(bytes.len() as u64);
        match usize::try_from(end) {
            Ok(end) if end <= MAX_METADATA => {
                content.resize(content.len().max(end), 0);
                content[end - bytes.len()..end].copy_from_slice(bytes);
            }
            _ => *self = Content::Unfit,
        }
    }
}

/// Whether this is a metadata file that can be read: as it comes, or decompressed. There is no key to decrypt one.
fn is_readable(path: &StreamPath) -> bool {
    let (name, _) = DECOMPRESSING.of(path.as_bytes());
    matches!(MetadataFile::of(name), Some((_, b"")))
}

const DECOMPRESSING: Stages = Stages { decompress: Decompress::Yes, decrypt: None };

/// The content of a file that may be compressed; `None` if that is damaged, or too long. Whether it is does not matter
/// here: whoever unpacks it will say so.
fn decompressed(path: &StreamPath, bytes: Vec<u8>) -> Option<Vec<u8>> {
    let (_, kinds) = DECOMPRESSING.of(path.as_bytes());
    if kinds.is_empty() {
        return Some(bytes);
    }
    let (mut chain, mut plain) = (DECOMPRESSING.chain(&kinds), Vec::new());
    chain.feed(bytes.into());
    while let Some(piece) = chain.next().ok()? {
        plain.extend_from_slice(piece);
        if plain.len() > MAX_METADATA {
            return None;
        }
    }
    chain.finish().ok()?;
    Some(plain)
}

#[cfg(test)]
mod tests;
