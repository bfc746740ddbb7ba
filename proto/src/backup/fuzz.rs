//! What must hold for any bytes whatsoever. Called by the fuzzers and by the property tests.

use std::num::NonZeroUsize;

use bytes::Bytes;

use super::{BackupFacts, FactsWatch, MetadataFile};
use crate::lane::{LaneDigest, LaneId};
use crate::wire::{LaneSum, Message, Reached, Receipt};
use crate::xbstream::{Decoder, Limits, encode};

/// Reads the bytes as each of the metadata files: that never panics, the same is found in a stream that has the file, and
/// what was read survives a receipt.
///
/// # Panics
/// If one of these does not hold.
pub fn metadata(bytes: &[u8]) {
    for (name, file) in MetadataFile::names() {
        let facts = file.read(bytes);
        assert_eq!(in_stream(name, bytes), facts);
        let receipt = Message::Receipt(Receipt { facts, ..Receipt::of(Reached::Synced, one_lane()) });
        assert_eq!(Message::decode_body(0x07, &receipt.encode()[5..]), Ok(Some(receipt)));
    }
}

fn one_lane() -> Vec<LaneSum> {
    let digest = LaneDigest::default();
    vec![LaneSum { lane: LaneId(0), len: 0, sum: digest.sum() }]
}

/// What is found in a stream of one file, cut into chunks of seven bytes.
fn in_stream(name: &str, bytes: &[u8]) -> BackupFacts {
    let chunk = NonZeroUsize::MIN.saturating_add(6);
    let stream = encode::file(name.as_bytes(), bytes, chunk).expect("a valid file");
    let (mut decoder, mut watch) = (Decoder::new(Limits::default()), FactsWatch::default());
    decoder.feed(Bytes::from(stream));
    while let Some(item) = decoder.next().expect("what was encoded") {
        watch.apply(&item);
    }
    watch.facts()
}
