//! What the programs tell, and the trait of whatever shows it.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::compressed::Compressed;
use super::setting::Setting;
use super::status::Status;
use crate::backup::BackupFacts;
use crate::failure::{Failure, Party};
use crate::key::Key;
use crate::lane::{LaneId, Sha1Sum};
use crate::limit::{Limit, Limited};
use crate::wire::{Receipt, SessionId};

/// Shows events, one after the other, in its own way. Failing to write is not its user's concern:
/// such errors are swallowed.
pub trait Face: Send {
    /// Shows what happened at a moment.
    fn show(&mut self, at: Moment, event: &Event);
}

/// Something that a person or a script may want to know.
#[derive(Clone, Debug)]
pub enum Event {
    /// The session has its identifier; later lines carry it.
    Session(SessionTag),
    /// It is over, and later lines are about another one, which has no identifier yet.
    NoSession,
    /// Connections are accepted from now on.
    Listening {
        /// With the real port.
        address: SocketAddr,
    },
    /// Where whoever has started this program over ssh may reach it.
    Reachable {
        /// At least one; with the real port.
        addresses: Vec<SocketAddr>,
    },
    /// What to run on the other host, and the key to give it. Shown on a terminal only.
    Invite {
        /// The command line for the other host.
        command: String,
        /// The key the other host will ask for.
        key: Key,
    },
    /// The peer is being called.
    Connecting {
        /// As the user wrote it.
        to: String,
    },
    /// The peer has proved itself.
    Connected {
        /// Its address.
        peer: SocketAddr,
    },
    /// The link was lost, and the session waits for another.
    Interrupted {
        /// How it was lost.
        reason: String,
        /// How long the session waits, from now.
        patience: Duration,
        /// Who dials, and so is the one to come back.
        dials: Party,
    },
    /// The session goes on over a new link.
    Resumed {
        /// At which byte, of all lanes together.
        offset: u64,
        /// After how long without a link.
        after: Duration,
    },
    /// Somebody was turned away. The caller limits how often it says so.
    Stranger {
        /// Its address.
        peer: SocketAddr,
        /// What was wrong with it.
        why: String,
    },
    /// A fact that holds from now on.
    Notice(String),
    /// Something the user should act on, some day.
    Warning(String),
    /// Of interest with `--verbose` only.
    Detail(String),
    /// A child process has written a line to its standard error.
    Child {
        /// Who it is to the user: `backup`, `consumer`, `prepare`, `then`.
        label: &'static str,
        /// The line, without its end.
        line: String,
    },
    /// Something was said on the other host, where the program was started over ssh: by it, by ssh, or by the shell there.
    Far {
        /// The host.
        host: String,
        /// The line, without its end.
        line: String,
    },
    /// What SIGUSR1 has asked for.
    Status(Box<Status>),
    /// Where the transfer stands. Coalesced: of two in a row only the later may be shown.
    Progress(Snapshot),
    /// All bytes have passed: a bar goes away. The end of the channel that is in here closes when it has.
    Passed(Sender<Infallible>),
    /// The checksum of a lane, agreed on by both sides.
    Checksum {
        /// What `sha1sum` would call the file.
        name: String,
        /// The SHA-1 of all bytes of the lane.
        sum: Sha1Sum,
        /// The stream it belongs to.
        lane: LaneId,
    },
    /// What the committed backup says of itself.
    Backup(BackupFacts),
    /// The verdict: the copy is verified and committed.
    Finished(Summary),
    /// The first cause of the end of a failed session.
    Failed(LastWords),
}

/// How a failed session ended, as this side sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastWords {
    /// The first cause, the same on both sides.
    pub failure: Failure,
    /// What is left on this host, once it has come so far that something might be.
    pub left: Option<String>,
    /// Whether there was another side.
    pub setting: Setting,
}

impl From<Failure> for LastWords {
    fn from(failure: Failure) -> LastWords {
        LastWords { failure, left: None, setting: Setting::TwoHosts }
    }
}

/// Where a transfer stands. Rates are in bytes per second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Bytes moved so far.
    pub bytes: u64,
    /// Bytes there will be, where that is known.
    pub total: Option<u64>,
    /// Rate over the last seconds.
    pub now: u64,
    /// Rate since the start.
    pub average: u64,
    /// Time left, where the total is known.
    pub eta: Option<Duration>,
    /// The file passing by.
    pub file: Option<String>,
    /// What keeps the transfer from being faster.
    pub bottleneck: Option<Limit>,
    /// What has kept it most of the time.
    pub limited: Option<Limited>,
    /// What is special at this moment, in a few words.
    pub note: Option<String>,
}

/// What a confirmed session has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Bytes of all lanes.
    pub bytes: u64,
    /// From the first byte to the receipt.
    pub elapsed: Duration,
    /// In bytes per second.
    pub average: u64,
    /// How safe the copy is: `synced`, `consumed`, `handed to stdout`, `discarded`.
    pub reached: String,
    /// How many files were unpacked, if any were.
    pub files: Option<u64>,
    /// What compression on the wire has come to, if this side has compressed.
    pub compressed: Option<Compressed>,
    /// What has kept the transfer from being faster, most of the time; nothing for one of a moment.
    pub limited: Option<Limited>,
}

impl Summary {
    /// What `receipt` says, `elapsed` after the session began; `before` of its bytes had arrived by then.
    pub fn of(receipt: &Receipt, elapsed: Duration, before: u64, limited: Option<Limited>) -> Summary {
        let bytes: u64 = receipt.lanes.iter().map(|lane| lane.len).sum();
        let average = (bytes.saturating_sub(before) as f64 / elapsed.as_secs_f64().max(1e-3)) as u64;
        let reached = receipt.reached.to_string();
        Summary { bytes, elapsed, average, reached, files: receipt.files, compressed: None, limited }
    }
}

/// The first 32 bits of a session's identifier: enough to tell its lines from another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionTag(pub u32);

impl fmt::Display for SessionTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl From<SessionId> for SessionTag {
    fn from(session: SessionId) -> SessionTag {
        let [a, b, c, d, ..] = session.0;
        SessionTag(u32::from_be_bytes([a, b, c, d]))
    }
}

/// When something happened: by the calendar, for people, and by a clock that is never set, for
/// intervals.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The date and time.
    pub wall: Timestamp,
    /// Time since the program's first moment.
    pub running: Duration,
}

impl Moment {
    /// This moment.
    pub fn now() -> Moment {
        static FIRST: OnceLock<Instant> = OnceLock::new();
        Moment { wall: Timestamp::now(), running: FIRST.get_or_init(Instant::now).elapsed() }
    }
}

/// What the program of a party is called.
pub fn program_name(party: Party) -> &'static str {
    match party {
        Party::Sender => "xbsend",
        Party::Receiver => "xbrecv",
    }
}
