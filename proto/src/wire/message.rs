//! The control messages: what they say. Their bodies are read and written in `body`.

use std::fmt;
use std::time::Duration;

use crate::backup::BackupFacts;
use crate::failure::{Failure, Party};
use crate::lane::{LaneId, Sha1Sum};
use crate::quantity::Rate;

/// The name of one session: 16 random bytes chosen by the sender.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(pub [u8; 16]);

/// The first eight hexadecimal digits, as they stand in logs.
impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

/// HMAC-SHA-256 over the channel, by whoever has the key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Proof(pub [u8; 32]);

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof(..)")
    }
}

/// The dialer's first words. Body: `u16` count (1 to 16), that many `u16` versions, `u64` features,
/// `u8` role (0 sender, 1 receiver), 32 bytes proof. This layout is the same in every version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knock {
    /// Versions the dialer speaks.
    pub versions: Vec<u16>,
    /// Bits of optional abilities; none is defined yet, unknown ones are ignored.
    pub features: u64,
    /// Which half of the session the dialer is.
    pub role: Party,
    /// That the dialer has the key.
    pub proof: Proof,
}

/// The listener's answer. Body: `u16` version, `u64` features, 32 bytes proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admit {
    /// The version both speak from here on.
    pub version: u16,
    /// The features both have.
    pub features: u64,
    /// That the listener has the key.
    pub proof: Proof,
}

/// What the sender wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To move a backup.
    Transfer,
    /// To know whether it could.
    Check,
    /// To go on with a session that the receiver has welcomed before.
    Resume,
    /// To carry blocks of a session that has a main link, and nothing else.
    Join,
}

/// The sender's proposal. Body: 16 bytes session, `u8` purpose (0 transfer, 1 check, 2 resume, 3 join),
/// `u16` lanes, `u64` window, `u64` milliseconds it would try to come back, optional `u64` size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The session this link belongs to.
    pub session: SessionId,
    /// What it is for.
    pub purpose: Purpose,
    /// How many lanes the source has, 1 to [`MAX_LANES`](super::MAX_LANES).
    pub lanes: u16,
    /// The sender's setting of the window, in bytes.
    pub window: u64,
    /// How long the sender tries to come back after the link is lost; the receiver waits longer.
    pub retry_for: Duration,
    /// How many bytes are expected in all lanes together, where that is known.
    pub size: Option<u64>,
}

/// Where a lane goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The first byte the receiver wants.
    pub offset: u64,
    /// SHA-1 of everything before it.
    pub sum: Sha1Sum,
}

/// The receiver's answer. Body: `u64` window, `u16` lanes, per lane `u64` offset and 20 bytes SHA-1,
/// text target, optional `u64` free bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Welcome {
    /// The window both keep to, in bytes.
    pub window: u64,
    /// Where each lane goes on, in order of the lanes.
    pub lanes: Vec<Resume>,
    /// What the bytes go into, for a person.
    pub target: String,
    /// Free bytes there, where that means something.
    pub free: Option<u64>,
}

/// How far a lane has come at the receiver. Body: `u16` lane, `u64` written, `u64` durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ack {
    /// The lane.
    pub lane: LaneId,
    /// Everything before is in the sink, in order.
    pub written: u64,
    /// Everything before survives a crash of the host, or of the process where that is all there is.
    pub durable: u64,
}

/// Length and SHA-1 of a whole lane. Body: `u16` lane, `u64` length, 20 bytes SHA-1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneSum {
    /// The lane.
    pub lane: LaneId,
    /// Its bytes.
    pub len: u64,
    /// Their SHA-1.
    pub sum: Sha1Sum,
}

/// What a committed session has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// It is on disk under its final name and survives a power cut.
    Synced,
    /// A consumer command took all of it and ended with 0.
    Consumed,
    /// It was written to the receiver's stdout, or to a FIFO or character device in its place; what became of it
    /// behind that is not known.
    HandedToStdout,
    /// It was thrown away on purpose.
    Discarded,
}

impl Reached {
    pub(super) const ALL: [Reached; 4] =
        [Reached::Synced, Reached::Consumed, Reached::HandedToStdout, Reached::Discarded];
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reached::Synced => "synced",
            Reached::Consumed => "consumed",
            Reached::HandedToStdout => "handed to stdout",
            Reached::Discarded => "discarded",
        })
    }
}

/// The receiver's signed-off answer, after commit. Body: `u8` reached (0 synced, 1 consumed,
/// 2 handed to stdout, 3 discarded), `u16` lanes, the [`LaneSum`] of each, optional `u64` files, and of the facts:
/// text kind (as the tools write it), optional `u64` each of from, to and last LSN, text each of tool, its version, the
/// server's version, the backup's uuid, the server's uuid and the binlog position, `u8` each of compressed and encrypted
/// (0 not known, 1 no, 2 yes). A text that is empty is not known; one that is no [`FactText`](crate::backup::FactText) is
/// an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What was reached.
    pub reached: Reached,
    /// What was received, in order of the lanes.
    pub lanes: Vec<LaneSum>,
    /// How many files were unpacked, if that was done.
    pub files: Option<u64>,
    /// What the backup says of itself, as far as the receiver has looked.
    pub facts: BackupFacts,
}

impl Receipt {
    /// A receipt for a sink that knows neither of files nor of facts.
    pub fn of(reached: Reached, lanes: Vec<LaneSum>) -> Receipt {
        Receipt { reached, lanes, files: None, facts: BackupFacts::default() }
    }
}

/// What a side is waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Waiting {
    /// Nothing in particular: bytes are moving.
    Nothing,
    /// The sender's source has nothing to give.
    Source,
    /// The sender keeps to the rate limit, whichever side's it is.
    Limiter,
    /// The receiver's sink takes no more.
    Disk,
    /// The receiver makes everything durable.
    Syncing,
    /// Nobody: it is busy.
    Cpu,
    /// The sender has all under way that the session's window allows.
    Window,
    /// The sender has all under way that the congestion controller allows, since packets were lost.
    Congestion,
    /// The same, and none were.
    Network,
}

impl Waiting {
    pub(super) const ALL: [Waiting; 9] = [
        Waiting::Nothing,
        Waiting::Source,
        Waiting::Limiter,
        Waiting::Disk,
        Waiting::Syncing,
        Waiting::Cpu,
        Waiting::Window,
        Waiting::Congestion,
        Waiting::Network,
    ];

    /// What a side that says so does, for a person.
    pub fn words(self) -> &'static str {
        match self {
            Waiting::Nothing => "waits for nothing of its own",
            Waiting::Source => "waits for its source",
            Waiting::Limiter => "keeps to the rate limit",
            Waiting::Disk => "waits for its disk",
            Waiting::Syncing => "is syncing",
            Waiting::Cpu => "is busy",
            Waiting::Window => "has its window full",
            Waiting::Congestion => "waits for the congested network",
            Waiting::Network => "waits for the network",
        }
    }
}

/// What a side is doing. Body: `u8` (0 nothing in particular, 1 source, 2 limiter, 3 disk, 4 syncing,
/// 5 CPU, 6 window, 7 congestion, 8 network).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// What it waits for.
    pub waiting: Waiting,
}

/// Everything that is said on a control stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// Kind 0x01.
    Knock(Knock),
    /// Kind 0x02.
    Admit(Admit),
    /// Kind 0x03.
    Hello(Hello),
    /// Kind 0x04.
    Welcome(Welcome),
    /// Kind 0x05.
    Ack(Ack),
    /// Kind 0x06.
    LaneEnd(LaneSum),
    /// Kind 0x07.
    Receipt(Receipt),
    /// Kind 0x08: the sender has the receipt. No body.
    Seen,
    /// Kind 0x09. Body: `u8` exit code, `u8` party (0 sender, 1 receiver), text reason.
    Abort(Failure),
    /// Kind 0x0a: the receiver takes blocks over this link too. No body.
    Joined,
    /// Kind 0x80.
    Pulse(Pulse),
    /// Kind 0x81: the rate that this side allows, in bytes a second as they travel; any if there is none. Body: optional
    /// `u64`, at least [`Rate::MIN`].
    RateLimit(Option<Rate>),
}

impl Message {
    /// Its name in error messages.
    pub fn name(&self) -> &'static str {
        match self {
            Message::Knock(_) => "Knock",
            Message::Admit(_) => "Admit",
            Message::Hello(_) => "Hello",
            Message::Welcome(_) => "Welcome",
            Message::Ack(_) => "Ack",
            Message::LaneEnd(_) => "LaneEnd",
            Message::Receipt(_) => "Receipt",
            Message::Seen => "Seen",
            Message::Abort(_) => "Abort",
            Message::Joined => "Joined",
            Message::Pulse(_) => "Pulse",
            Message::RateLimit(_) => "RateLimit",
        }
    }
}
