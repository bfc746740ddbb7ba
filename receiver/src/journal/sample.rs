//! Things to keep, for tests.

use std::time::Duration;

use xbproto::key::Key;
use xbproto::lane::{LaneDigest, LaneId};
use xbproto::tls::Identity;
use xbproto::wire::{Hello, LaneSum, Purpose, SessionId};

use super::Presence;

/// A receiver at `port`.
pub(crate) fn presence(port: u16) -> Presence {
    let identity = Some(Identity::one_time().unwrap());
    Presence { key: Some(Key::new([7; 16])), identity, address: ([127, 0, 0, 1], port).into() }
}

/// The proposal of session `id`.
pub(crate) fn hello(id: u8, lanes: u16) -> Hello {
    let (session, purpose) = (SessionId([id; 16]), Purpose::Transfer);
    Hello { session, purpose, lanes, window: 1 << 20, retry_for: Duration::from_secs(60), size: Some(5) }
}

/// The digest of a lane of these bytes.
pub(crate) fn digest(bytes: &[u8]) -> LaneDigest {
    let mut digest = LaneDigest::default();
    digest.update(bytes);
    digest
}

/// Length and SHA-1 of a lane of these bytes.
pub(crate) fn sum(lane: LaneId, bytes: &[u8]) -> LaneSum {
    LaneSum { lane, len: bytes.len() as u64, sum: digest(bytes).sum() }
}
