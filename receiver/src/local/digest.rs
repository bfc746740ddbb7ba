//! The SHA-1 of a stream, compared with the one that was stored.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use xbproto::lane::{LaneDigest, LaneId};
use xbproto::wire::LaneSum;

use super::LocalError;
use super::flow::Consumer;
use super::stored_sum::StoredSum;

/// Computes the SHA-1 of one stream.
pub(super) struct Digest {
    name: String,
    lane: LaneId,
    digest: LaneDigest,
    expected: Option<StoredSum>,
    result: Arc<OnceLock<LaneSum>>,
}

impl Digest {
    /// For the stream of this name and number, which must come to what is `expected` of it. What it comes to is in the
    /// second value when it has ended.
    pub(super) fn new(name: &str, lane: LaneId, expected: Option<StoredSum>) -> (Digest, Arc<OnceLock<LaneSum>>) {
        let (name, digest, result) = (name.to_owned(), LaneDigest::default(), Arc::new(OnceLock::new()));
        (Digest { name, lane, digest, expected, result: Arc::clone(&result) }, result)
    }
}

impl Consumer for Digest {
    fn take(&mut self, bytes: &Bytes) -> Result<(), LocalError> {
        self.digest.update(bytes);
        Ok(())
    }

    fn end(&mut self) -> Result<(), LocalError> {
        let actual = self.digest.sum();
        let _ = self.result.set(LaneSum { lane: self.lane, len: self.digest.len(), sum: actual });
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
        let (mut digest, result) = Digest::new("b.xb", LaneId(0), expected);
        digest.take(&Bytes::from_static(b"ab"))?;
        digest.take(&Bytes::from_static(b"c"))?;
        assert!(result.get().is_none());
        let ended = digest.end();
        assert_eq!(result.get().unwrap().sum.to_string(), "a9993e364706816aba3e25717850c26c9cd0d89d");
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
