//! The SHA-1 of a stream, compared with the one that was stored.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use xbproto::lane::{LaneDigest, Sha1Sum};

use super::LocalError;
use super::flow::Consumer;
use super::stored_sum::StoredSum;

/// Computes the SHA-1 of one stream.
pub(super) struct Digest {
    name: String,
    digest: LaneDigest,
    expected: Option<StoredSum>,
    result: Arc<OnceLock<(u64, Sha1Sum)>>,
}

impl Digest {
    /// For the stream of this name, which must come to what is `expected` of it. Its length in bytes and what it comes
    /// to are in the second value when it has ended.
    pub(super) fn new(name: &str, expected: Option<StoredSum>) -> (Digest, Arc<OnceLock<(u64, Sha1Sum)>>) {
        let result = Arc::new(OnceLock::new());
        let digest =
            Digest { name: name.to_owned(), digest: LaneDigest::default(), expected, result: Arc::clone(&result) };
        (digest, result)
    }
}

impl Consumer for Digest {
    fn take(&mut self, bytes: &Bytes) -> Result<(), LocalError> {
        self.digest.update(bytes);
        Ok(())
    }

    fn end(&mut self) -> Result<(), LocalError> {
        let actual = self.digest.sum();
        let _ = self.result.set((self.digest.len(), actual));
        match &self.expected {
            Some(StoredSum { path, sum }) if *sum != actual => Err(LocalError::Sum {
                name: self.name.clone(),
                len: self.digest.len(),
                actual,
                expected: *sum,
                path: path.clone(),
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(expected: Option<&[u8]>) -> Result<(), LocalError> {
        let expected = expected.map(|bytes| {
            let mut digest = LaneDigest::default();
            digest.update(bytes);
            StoredSum { path: "b.xb.sha1".into(), sum: digest.sum() }
        });
        let (mut digest, result) = Digest::new("b.xb", expected);
        digest.take(&Bytes::from_static(b"ab"))?;
        digest.take(&Bytes::from_static(b"c"))?;
        assert_eq!(result.get(), None);
        let ended = digest.end();
        assert_eq!(result.get().unwrap().1.to_string(), "a9993e364706816aba3e25717850c26c9cd0d89d");
        ended
    }

    #[test]
    fn the_sum_that_was_stored_must_be_met() {
        end(None).unwrap();
        end(Some(b"abc")).unwrap();
        let error = end(Some(b"abd")).unwrap_err().to_string();
        assert!(error.starts_with("b.xb: the SHA-1 of its 3 bytes is a9993e36"), "{error}");
        assert!(error.contains("as b.xb.sha1 says"), "{error}");
    }
}
