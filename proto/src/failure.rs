//! Why a session failed: the cause both programs exit with, and whose fault it was.
//!
//! A [`Failure`] is what is left of a typed error once it has to be told to a person or to the
//! peer: a cause from a closed set, the side it happened on, and one sentence.

use std::fmt;

/// The first cause of a failed session. It decides the exit code of both programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// Nothing below fits: a defect, or a system call that is not expected to fail.
    Unforeseen,
    /// The command line or the environment asks for something that cannot be done.
    Usage,
    /// The peer could not be reached, or was lost for good.
    PeerLost,
    /// One side refused the other: key, identity, version, or a session already running.
    Refused,
    /// Digest, CRC, or a malformed or incomplete stream.
    Integrity,
    /// The source of the backup failed.
    Source,
    /// The destination failed: disk, target exists, consumer command, already running.
    Sink,
    /// Everything was sent, but the receipt never came: the copy may or may not exist.
    Unconfirmed,
    /// The copy is committed, but what was to run after it failed.
    AfterCommit,
    /// The time for the whole was over.
    Deadline,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
}

impl Cause {
    /// Every cause with its exit code and its number on the wire (the same), in order of the code.
    pub const ALL: [(Cause, u8); 12] = [
        (Cause::Unforeseen, 1),
        (Cause::Usage, 2),
        (Cause::PeerLost, 3),
        (Cause::Refused, 4),
        (Cause::Integrity, 5),
        (Cause::Source, 6),
        (Cause::Sink, 7),
        (Cause::Unconfirmed, 8),
        (Cause::AfterCommit, 9),
        (Cause::Deadline, 124),
        (Cause::Interrupted, 130),
        (Cause::Terminated, 143),
    ];

    /// The exit code of a program that ends for this cause.
    pub fn code(self) -> u8 {
        Self::ALL.iter().find(|(cause, _)| *cause == self).map_or(1, |(_, code)| *code)
    }

    /// Whether a failure of this side for it is worth another link, if the peer cannot be told on this one. Whoever asked
    /// for the end does not want to wait for that, and a lost peer is not there to be told.
    pub fn is_worth_a_link(self) -> bool {
        use Cause::{Deadline, Interrupted, PeerLost, Terminated, Unconfirmed};
        !matches!(self, PeerLost | Unconfirmed | Interrupted | Terminated | Deadline)
    }

    /// The cause a code stands for; an unknown code of a newer peer is [`Cause::Unforeseen`].
    pub fn from_code(code: u8) -> Cause {
        Self::ALL.iter().find(|(_, known)| *known == code).map_or(Cause::Unforeseen, |(cause, _)| *cause)
    }
}

/// The half of a session something happened on. Not who dialed: that is an independent fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// `xbsend`.
    Sender,
    /// `xbrecv`.
    Receiver,
}

impl Party {
    /// The other half.
    pub fn peer(self) -> Party {
        match self {
            Party::Sender => Party::Receiver,
            Party::Receiver => Party::Sender,
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Party::Sender => "sender",
            Party::Receiver => "receiver",
        })
    }
}

/// The end of a failed session, as both sides report it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{party}: {reason}")]
pub struct Failure {
    /// What decides the exit code.
    pub cause: Cause,
    /// Where it happened.
    pub party: Party,
    /// One sentence for a person: what failed, where, expected and actual, what to do.
    pub reason: String,
}

impl Failure {
    /// A failure of `party` for `cause`; `reason` is any error or sentence.
    pub fn new(cause: Cause, party: Party, reason: impl fmt::Display) -> Failure {
        Failure { cause, party, reason: reason.to_string() }
    }
}
