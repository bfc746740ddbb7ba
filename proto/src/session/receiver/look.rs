//! What can be known of the receiving half.

use std::time::Duration;

use super::{LaneIn, Receiver};
use crate::lane::{LaneDigest, LaneId};
use crate::session::Limits;
use crate::wire::{Hello, LaneSum, Receipt, SessionId, Waiting};

impl Receiver {
    /// Bytes received and not yet in the sink, and how many may be, over all lanes.
    pub fn window(&self) -> (u64, u64) {
        let held: usize = self.lanes.iter().map(LaneIn::held).sum();
        let theirs = self.session.as_ref().map_or(u64::MAX, |hello| hello.window);
        (held as u64, self.config.window.min(theirs))
    }

    /// Whether there is a link to the sender.
    pub fn is_linked(&self) -> bool {
        self.linked
    }

    /// The rates that both sides allow. The sender's is known soon after its link is there.
    pub fn limits(&self) -> Limits {
        self.voice.limits()
    }

    /// How often something has come from the sender: a message, or a block.
    pub fn signs_of_life(&self) -> u64 {
        self.signs_of_life
    }

    /// The running session's name, once there is one.
    pub fn session(&self) -> Option<SessionId> {
        self.session.as_ref().map(|hello| hello.session)
    }

    /// What the running session's sender has proposed, with the window that both keep to, once there is one.
    pub fn hello(&self) -> Option<&Hello> {
        self.session.as_ref()
    }

    /// The digest of what is in the sink of `lane`: where a drain goes on. Empty for a lane there is not.
    pub fn digest(&self, lane: LaneId) -> LaneDigest {
        self.lanes.get(usize::from(lane.0)).map(LaneIn::digest).unwrap_or_default()
    }

    /// How many lanes the session has; 0 before it begins.
    pub fn lanes(&self) -> u16 {
        self.lanes.len() as u16
    }

    /// How many bytes the sender expects to send, if it knows.
    pub fn size(&self) -> Option<u64> {
        self.session.as_ref().and_then(|hello| hello.size)
    }

    /// How long the sender tries to come back after the link is lost.
    pub fn retry_for(&self) -> Duration {
        self.session.as_ref().map_or(Duration::ZERO, |hello| hello.retry_for)
    }

    /// What the sender is waiting for, as it said last.
    pub fn peer_waits_for(&self) -> Waiting {
        self.voice.peer_waits_for()
    }

    /// Length and SHA-1 of what is in the sink, in order of the lanes.
    pub fn sums(&self) -> Vec<LaneSum> {
        self.lanes.iter().map(LaneIn::sum).collect()
    }

    /// The receipt, once the sink has committed.
    pub fn receipt(&self) -> Option<&Receipt> {
        self.receipt.as_ref()
    }

    /// Whether a session has begun, so that no other is served.
    pub fn is_busy(&self) -> bool {
        self.session.is_some()
    }
}
