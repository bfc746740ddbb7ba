//! Decoding the files of a stream without writing them, to see that it can be done.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use xbproto::stage::{Chain, Stages};
use xbproto::xbstream::{Item, StreamPath};

use super::LocalError;
use super::decoding::View;
use crate::extract::{Allowance, ContentError};

/// What is undone of the files of one backup. Clones share what it may take.
#[derive(Clone, Debug)]
pub(super) struct Undoing {
    stages: Stages,
    allowance: Arc<Allowance>,
}

impl Undoing {
    /// Undoes `stages`; all files together may become `limit` bytes.
    pub(super) fn new(stages: Stages, limit: Option<u64>) -> Undoing {
        Undoing { stages, allowance: Arc::new(Allowance::new(limit)) }
    }

    /// What undoes them for one stream, called so in errors.
    pub(super) fn stream(&self, name: &str) -> Undoer {
        Undoer { name: name.to_owned(), undoing: self.clone(), open: HashMap::new(), current: None }
    }
}

/// Undoes them for one stream. The order of its chunks is checked by another view.
pub(super) struct Undoer {
    name: String,
    undoing: Undoing,
    /// The encoded files that have not ended.
    open: HashMap<StreamPath, Coded>,
    current: Option<StreamPath>,
}

/// A file on its way.
struct Coded {
    chain: Chain,
    /// What its decoders hold, in bytes.
    held: usize,
}

impl View for Undoer {
    fn look(&mut self, item: &Item) -> Result<(), LocalError> {
        let looked = match item {
            Item::Payload { path, .. } => {
                self.begin(path);
                Ok(())
            }
            Item::Data(bytes) => self.take(bytes),
            Item::End { path } => self.end(path),
            Item::Sparse { path, .. } | Item::Seek { path, .. } if self.is_coded(path) => {
                Err(ContentError::Punched { path: path.clone() })
            }
            _ => {
                self.current = None;
                Ok(())
            }
        };
        looked.map_err(|error| LocalError::File { name: self.name.clone(), error })
    }
}

impl Undoer {
    fn is_coded(&self, path: &StreamPath) -> bool {
        !self.undoing.stages.of(path.as_bytes()).1.is_empty()
    }

    fn begin(&mut self, path: &StreamPath) {
        if !self.open.contains_key(path) {
            let (_, kinds) = self.undoing.stages.of(path.as_bytes());
            if kinds.is_empty() {
                self.current = None;
                return;
            }
            self.open.insert(path.clone(), Coded { chain: self.undoing.stages.chain(&kinds), held: 0 });
        }
        self.current = Some(path.clone());
    }

    fn take(&mut self, bytes: &Bytes) -> Result<(), ContentError> {
        let Some(path) = &self.current else { return Ok(()) };
        let Some(Coded { chain, held }) = self.open.get_mut(path) else { return Ok(()) };
        let allowance = &self.undoing.allowance;
        let refused = |refused| ContentError::Refused { path: path.clone(), refused };
        chain.feed(bytes.clone());
        while let Some(plain) = chain.next().map_err(|error| ContentError::Stage { path: path.clone(), error })? {
            allowance.take(plain.len()).map_err(refused)?;
        }
        let holds = chain.memory();
        allowance.hold(std::mem::replace(held, holds), holds).map_err(refused)
    }

    fn end(&mut self, path: &StreamPath) -> Result<(), ContentError> {
        self.current = None;
        let Some(Coded { mut chain, held }) = self.open.remove(path) else { return Ok(()) };
        self.undoing.allowance.give_back(held);
        chain.finish().map_err(|error| ContentError::Stage { path: path.clone(), error })
    }
}

#[cfg(test)]
mod tests {
    use xbproto::stage::Decompress;
    use xbproto::xbstream::{Opening, encode};

    use super::*;
    use crate::local::decoding::Decoding;
    use crate::local::flow::Consumer;

    fn verify(chunks: &[Vec<u8>]) -> Result<(), String> {
        let undoing = Undoing::new(Stages { decompress: Decompress::Yes, decrypt: None }, Some(100));
        let mut decoding = Decoding::new("s", vec![Box::new(undoing.stream("s"))]);
        decoding.take(&Bytes::from(chunks.concat())).and_then(|()| decoding.end()).map_err(|error| error.to_string())
    }

    fn zst(plain: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; 1 << 10];
        let len = zstd_safe::compress(&mut frame[..], plain, 1).unwrap();
        frame.truncate(len);
        frame
    }

    fn chunk(path: &str, data: &[u8]) -> Vec<u8> {
        encode::payload(path.as_bytes(), Opening::New, 0, data).unwrap()
    }

    fn end(path: &str) -> Vec<u8> {
        encode::end(path.as_bytes()).unwrap()
    }

    #[test]
    fn good_files_and_plain_ones_pass() {
        let plain = [chunk("plain", b"x"), end("plain"), end("empty.zst")];
        let coded = [chunk("a.zst", &zst(b"x")), end("a.zst")];
        assert_eq!(verify(&[plain.concat(), coded.concat()]), Ok(()));
    }

    #[test]
    fn bad_ones_are_named() {
        let cut = zst(b"content")[..10].to_vec();
        let said = verify(&[chunk("db/a.zst", &cut), end("db/a.zst")]).unwrap_err();
        assert!(said.starts_with("s: db/a.zst: zstd, at byte"), "{said}");
        let said = verify(&[chunk("a.zst", &zst(&[0; 101])), end("a.zst")]).unwrap_err();
        assert!(said.starts_with("s: a.zst: with it, decoded files take more than 100 B"), "{said}");
        let hole = encode::seek(b"a.zst", 5).unwrap();
        let said = verify(&[hole, chunk("a", b"x"), end("a")]).unwrap_err();
        assert!(said.contains("hole in a compressed or encrypted file"), "{said}");
    }
}
