//! The conversation: what each half of a session says and when, as state machines without I/O.
//!
//! ```text
//!  pumps ──push, end_of_lane──▶ ┌────────┐ ──next_message, next_block──▶ link
//!  source ──succeeded / fail──▶ │ Sender │ ◀──handle(Message), link_up / link_down──
//!                               └────────┘ ──outcome──▶ the program
//!
//!  drains ──written, finished──▶ ┌──────────┐ ──next_message──▶ link
//!  sink ──committed / fail─────▶ │ Receiver │ ◀──handle(Message), link_up / link_down──
//!                                └──────────┘ ──settle, outcome──▶ the program
//! ```
//!
//! Neither knows of sockets, threads or clocks: how long to wait for a lost link is the caller's.
//! The first failure wins, wherever it comes from; later ones are not heard.

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod half;
mod lane_in;
mod limits;
mod receiver;
mod sender;
mod under_way;
mod voice;

pub use half::{Farewell, Half};
pub use lane_in::Coming;
pub use limits::{Limits, RateLimit};
pub use receiver::{LinkRefused, Outcome as Received, Receiver, ReceiverConfig};
pub use sender::{LinkId, Outcome as Sent, SILENCE, Sender, SenderConfig, Sign, Vitality};

use crate::failure::{Cause, Failure, Party};
use crate::lane::{AckError, LaneId, MIN_SHARE, Misplaced, RewindError};
use crate::quantity::ByteSize;
use crate::wire::Message;

#[cfg(test)]
mod tests;

/// The peer's messages are well-formed, but make no sense at this point.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// A message that this side never expects, or not now.
    #[error("the peer sent {message} when it was not its turn")]
    Unexpected {
        /// The name of the message.
        message: &'static str,
    },
    /// A lane the session does not have.
    #[error("the peer spoke of {lane}, but the session has {lanes}")]
    UnknownLane {
        /// What it spoke of.
        lane: LaneId,
        /// How many lanes there are.
        lanes: usize,
    },
    /// A window too small to give every lane its share.
    #[error(
        "a window of {} is too small for {lanes} streams, each needs {}: raise --window on both sides",
        ByteSize(*.window),
        ByteSize(MIN_SHARE as u64)
    )]
    Window {
        /// The window both sides agreed on.
        window: u64,
        /// How many lanes there are.
        lanes: usize,
    },
    /// An impossible acknowledgement.
    #[error("{lane}: {error}")]
    Acknowledged {
        /// The lane.
        lane: LaneId,
        /// What is wrong with it.
        error: AckError,
    },
    /// A block that its lane may not hold.
    #[error("{lane}: {error}")]
    Misplaced {
        /// The lane.
        lane: LaneId,
        /// Why not.
        error: Misplaced,
    },
    /// More is under way on a lane than its share: new blocks begun and not finished.
    #[error("{lane}: blocks of {bytes} bytes are under way at once, at most {share} may be")]
    Crowded {
        /// The lane.
        lane: LaneId,
        /// Bytes of the blocks that have begun.
        bytes: usize,
        /// The lane's share.
        share: usize,
    },
    /// A welcome for another number of lanes.
    #[error("the receiver welcomed {welcomed} lanes, the session has {lanes}")]
    Lanes {
        /// How many it spoke of.
        welcomed: usize,
        /// How many there are.
        lanes: usize,
    },
    /// A lane's end was said twice, and differently.
    #[error("{lane} was said to end at byte {first}, then at byte {second}, or with another SHA-1")]
    TwoEnds {
        /// The lane.
        lane: LaneId,
        /// What was said first.
        first: u64,
        /// What was said then.
        second: u64,
    },
    /// The lane goes on after its end, or ends before what was received.
    #[error("{lane} ends at byte {end}, but bytes up to {received} were received")]
    PastEnd {
        /// The lane.
        lane: LaneId,
        /// Its announced length.
        end: u64,
        /// What was received.
        received: u64,
    },
}

impl Violation {
    fn unexpected(message: &Message) -> Violation {
        Violation::Unexpected { message: message.name() }
    }

    /// As a failure found by `party`.
    pub fn found_by(&self, party: Party) -> Failure {
        Failure::new(Cause::Integrity, party, format_args!("the protocol was not kept: {self}"))
    }
}

/// What the peer says of its failure. Whether something was committed in spite of it is not for the
/// peer to say: that is what a receipt is for.
fn heard(failure: Failure) -> Failure {
    match failure.cause {
        Cause::Unconfirmed | Cause::AfterCommit => Failure { cause: Cause::Unforeseen, ..failure },
        _ => failure,
    }
}

/// Why a session cannot go on over a new link. A receiver that remembers too little has lost its
/// state; one that has other bytes, or some that were never sent, has worse.
fn rewind_failure(lane: LaneId, error: &RewindError) -> Failure {
    let (cause, party) = match error {
        RewindError::OutOfWindow { offset, start, .. } if offset < start => (Cause::PeerLost, Party::Receiver),
        RewindError::OutOfWindow { .. } | RewindError::Digest { .. } => (Cause::Integrity, Party::Sender),
    };
    Failure::new(cause, party, format_args!("{lane} cannot be resumed: {error}"))
}

/// An equal share of the window for each lane, in bytes.
fn share(window: u64, lanes: usize) -> Result<usize, Violation> {
    let share = usize::try_from(window).unwrap_or(usize::MAX) / lanes.max(1);
    if share < MIN_SHARE { Err(Violation::Window { window, lanes }) } else { Ok(share) }
}
