//! Decoding the files of a stream without writing them, to see that it can be done.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use xbproto::stage::{Chain, StageKind, Stages};
use xbproto::xbstream::{Item, StreamPath};

use super::LocalError;
use super::decoding::View;
use crate::extract::{
    Allowance, ContentError, ExtractError, KeyCheck, KeyProof, PathError, is_metadata, make_safe, on_disk,
};

/// What is undone of the files of one backup. Clones share what it may take, and what is found of the key.
#[derive(Clone, Debug)]
pub(super) struct Undoing {
    stages: Stages,
    allowance: Arc<Allowance>,
    key: Arc<Mutex<KeyCheck>>,
}

impl Undoing {
    /// Undoes `stages`; all files together may become `limit` bytes.
    pub(super) fn new(stages: Stages, limit: Option<u64>) -> Undoing {
        Undoing { stages, allowance: Arc::new(Allowance::new(limit)), key: Arc::default() }
    }

    /// What undoes them for one stream, called so in errors.
    pub(super) fn stream(&self, name: &str) -> Undoer {
        Undoer { name: name.to_owned(), undoing: self.clone(), open: HashMap::new(), current: None }
    }

    /// To be called when every stream has ended: has the key made sense of them?
    ///
    /// # Errors
    /// When it has not.
    pub(super) fn judge(&self) -> Result<KeyProof, LocalError> {
        self.key().verdict().map_err(|error| LocalError::Sink(error.into()))
    }

    fn key(&self) -> MutexGuard<'_, KeyCheck> {
        self.key.lock().unwrap_or_else(PoisonError::into_inner)
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
    kinds: Vec<StageKind>,
    /// Its name once it is decoded.
    disk: StreamPath,
    /// What it begins with, as far as that tells of the key.
    start: Vec<u8>,
    /// What its decoders hold, in bytes.
    held: usize,
}

impl View for Undoer {
    fn look(&mut self, item: &Item) -> Result<(), LocalError> {
        let mut item = item.clone();
        let safe = make_safe(&mut item).map_err(ExtractError::from);
        let looked = safe.and_then(|()| self.follow(&item));
        looked.map_err(|error| LocalError::refused(self.name.clone(), error))
    }
}

impl Undoer {
    fn follow(&mut self, item: &Item) -> Result<(), ExtractError> {
        match item {
            Item::Payload { path, .. } => Ok(self.begin(path)?),
            Item::Data(bytes) => Ok(self.take(bytes)?),
            Item::End { path } => Ok(self.end(path)?),
            Item::Sparse { path, .. } | Item::Seek { path, .. } if self.is_coded(path) => {
                Err(ContentError::Punched { path: path.clone() }.into())
            }
            _ => {
                self.current = None;
                Ok(())
            }
        }
    }

    fn is_coded(&self, path: &StreamPath) -> bool {
        !self.undoing.stages.of(path.as_bytes()).1.is_empty()
    }

    fn begin(&mut self, path: &StreamPath) -> Result<(), PathError> {
        if !self.open.contains_key(path) {
            let (disk, kinds) = on_disk(&self.undoing.stages, path)?;
            if kinds.is_empty() {
                self.current = None;
                return Ok(());
            }
            let chain = self.undoing.stages.chain(&kinds);
            self.open.insert(path.clone(), Coded { chain, kinds, disk, start: Vec::new(), held: 0 });
        }
        self.current = Some(path.clone());
        Ok(())
    }

    fn take(&mut self, bytes: &Bytes) -> Result<(), ContentError> {
        let Some(path) = &self.current else { return Ok(()) };
        let Some(Coded { chain, disk, start, held, .. }) = self.open.get_mut(path) else { return Ok(()) };
        let allowance = &self.undoing.allowance;
        let refused = |refused| ContentError::Refused { path: path.clone(), refused };
        chain.feed(bytes.clone());
        while let Some(plain) = chain.next().map_err(|error| ContentError::Stage { path: path.clone(), error })? {
            allowance.take(plain.len()).map_err(refused)?;
            let wanted = if is_metadata(disk) { KeyCheck::LOOKED_AT } else { 1 };
            start.extend(plain.iter().take(wanted.saturating_sub(start.len())));
        }
        let holds = chain.memory();
        allowance.hold(std::mem::replace(held, holds), holds).map_err(refused)
    }

    fn end(&mut self, path: &StreamPath) -> Result<(), ContentError> {
        self.current = None;
        let Some(Coded { mut chain, kinds, disk, start, held }) = self.open.remove(path) else { return Ok(()) };
        self.undoing.allowance.give_back(held);
        chain.finish().map_err(|error| ContentError::Stage { path: path.clone(), error })?;
        let mut key = self.undoing.key();
        key.look(&disk, &kinds, &start);
        if chain.takes_any_key() {
            key.takes_any_key();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use xbproto::stage::{Cipher, Decompress, FileKey};
    use xbproto::xbstream::{Opening, encode};

    use super::*;
    use crate::extract::sample;
    use crate::local::decoding::Decoding;
    use crate::local::flow::Consumer;

    fn verify(chunks: &[Vec<u8>]) -> Result<(), String> {
        verify_as(Stages { decompress: Decompress::Yes, decrypt: None }, chunks).map(drop)
    }

    fn verify_as(stages: Stages, chunks: &[Vec<u8>]) -> Result<KeyProof, String> {
        let undoing = Undoing::new(stages, Some(200));
        let mut decoding = Decoding::new("s", vec![Box::new(undoing.stream("s"))]);
        let decoded = decoding.take(&Bytes::from(chunks.concat())).and_then(|()| decoding.end());
        decoded.and_then(|()| undoing.judge()).map_err(|error| error.to_string())
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
        let said = verify(&[chunk("a.zst", &zst(&[0; 201])), end("a.zst")]).unwrap_err();
        assert!(said.starts_with("s: a.zst: with it, decoded files take more than 200 B"), "{said}");
        let hole = encode::seek(b"a.zst", 5).unwrap();
        let said = verify(&[hole, chunk("a", b"x"), end("a")]).unwrap_err();
        assert!(said.contains("hole in a compressed or encrypted file"), "{said}");
    }

    #[test]
    fn a_wrong_key_is_found_where_the_format_takes_any() {
        let file = |name: &str| [chunk(name, &sample::xbcrypt_1()), end(name)].concat();
        let with = |key: &[u8; 16], names: &[&str]| {
            let key = FileKey::new(Cipher::Aes128, key).unwrap();
            let stages = Stages { decompress: Decompress::No, decrypt: Some(key.into()) };
            verify_as(stages, &names.iter().map(|name| file(name)).collect::<Vec<_>>())
        };
        for name in ["xtrabackup_info.xbcrypt", "./xtrabackup_info.xbcrypt"] {
            assert_eq!(with(&sample::KEY, &[name]), Ok(KeyProof::Right));
            let said = with(&[0; 16], &["db/t.ibd.xbcrypt", name]).unwrap_err();
            assert!(said.starts_with("xtrabackup_info: decrypted, it is no text"), "{said}");
        }
        assert_eq!(with(&[0; 16], &["db/t.ibd.xbcrypt"]), Ok(KeyProof::Missing));
    }
}
