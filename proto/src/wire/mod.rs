//! **The protocol**, and its encoding.
//!
//! # One session, its links and its roles
//!
//! A *session* moves one backup from a *sender* to a *receiver*, over one or more *links*. A link is
//! one QUIC connection (TLS 1.3, ALPN [`ALPN`], no 0-RTT, no tickets) that was opened by a *dialer*
//! to a *listener*; or, see below, one over TCP. Who dials and who sends are independent facts.
//!
//! On every link the dialer opens one bidirectional stream, the **control stream**, and writes
//! first (a QUIC listener sees a stream only once its opener has written). It carries
//! [`Message`]s. Bytes of the backup travel in **blocks**: one unidirectional stream for each, from
//! the sender to the receiver, a [`BlockHeader`] and then its bytes, as they are or compressed.
//!
//! Where UDP does not get through, a link is one **TCP** connection, to the port of the same number: TLS 1.3 with the same
//! ALPN, and inside it [`Frame`]s that stand for the streams. All that is said here holds for it as well, with a
//! *close* frame for QUIC's close. A dialer of TLS that offers no ALPN is a stranger.
//!
//! # The order of messages
//!
//! ```text
//! dialer ── Knock ────────▶ listener     versions, features, role, proof of the key
//! dialer ◀──────── Admit ── listener     version, features, proof of the key
//! sender ── Hello ────────▶ receiver     session, window, lanes, how long it would try to come back
//! sender ── RateLimit ────▶ receiver     the rate it allows (again whenever that changes)
//! sender ◀──── RateLimit ── receiver     the same of this side, before anything may be sent
//! sender ◀────── Welcome ── receiver     window, where each lane goes on, the target
//! sender ══ blocks ═══════▶ receiver
//! sender ◀────────── Ack ── receiver     per lane: written, durable (again and again)
//! sender ── LaneEnd ──────▶ receiver     per lane: length and SHA-1, once the source ended well
//! sender ◀────── Receipt ── receiver     after commit: what was reached, length and SHA-1 per lane, what backup it is
//! sender ── Seen ─────────▶ receiver     both exit 0
//! ```
//!
//! * **Certificates.** Each side may demand one of the other, in TLS: signed by an authority that it was given, or with
//!   a fingerprint that it was given, or both. A listener that demands one does not go on without. What demands none takes
//!   any. A certificate that is refused ends the connection with the TLS alert that says why (`unknown_ca`,
//!   `certificate_expired`, `access_denied` for a fingerprint, `bad_certificate` for a name, `unsupported_certificate` for
//!   its kind or purpose, `certificate_required` for none at all): see [`tls`](crate::tls).
//! * **Proofs.** Both sides hold a key of 128 random bits, or demand certificates of each other, or both. A proof is HMAC-SHA-256 under that key of
//!   `"xb dialer"` or `"xb listener"` and 32 bytes exported from the TLS connection (label
//!   [`EXPORTER_LABEL`]). Who has no key proves that instead, with the 17 bytes `"xb without a key."` in the key's place,
//!   which everybody knows: so a side that has one refuses one that has none ([`CloseCode::KeyMissing`]), and the other way
//!   round. A man in the middle has two TLS connections with two exports, so no proof
//!   he relays is right. The listener shows its proof only after it has verified the dialer's, and
//!   neither side sends or reveals anything else before. The layout of [`Knock`] never changes.
//! * **Versions.** The listener takes the highest version both sides know; none is a refusal that
//!   names both sides' versions. There is one: [`VERSIONS`].
//! * **Session id.** It travels in `Hello`, not in `Knock`: a dialing receiver does not know it yet,
//!   and a stranger need not hear it.
//! * **Purpose.** A `Hello` may only want to check: it is answered with `Welcome`, then the sender
//!   closes, and the receiver goes on waiting.
//! * **Window.** The smaller of both sides' settings, in `Welcome`. Each lane owns an equal share of
//!   it, at least [`MIN_SHARE`](crate::lane::MIN_SHARE). A sender never has more unacknowledged
//!   bytes of a lane than its share. A block past the share is a violation.
//! * **Two acknowledgements.** `written`: in order in the sink. `durable`: a crash of the receiving
//!   host keeps it; frees the sender's copy. Both always lie where a block ends. For a sink that does
//!   not survive its process both are the same.
//! * **Resume.** On a new link of a running session `Welcome` says where each lane goes on, with the
//!   SHA-1 of everything before; the sender compares it with its own. Blocks that arrive twice are
//!   harmless. A `Hello` that resumes is answered by a receiver that does not know the session with an
//!   `Abort` and [`CloseCode::StateLost`]: its process was restarted and had nothing to remember.
//! * **Replacing.** A dialer with the same session takes its old link's place. A new session takes the
//!   place of one that has no living link; against a living one it is refused as busy.
//! * **More links.** A session has one *main* link, on which all of the above is said, and may have more that
//!   carry blocks only. Each is dialled and proved like any other; its `Hello` names the session with
//!   [`Purpose::Join`], and the receiver answers `Joined` when it takes blocks there, if the session has a living main
//!   link and fewer than [`MAX_LINKS`] joined ones. Else it is refused with an `Abort` and a close, and the session is
//!   not touched: a join begins no session and displaces no link. Nothing but `Pulse` follows on its control stream. Any
//!   block may travel over any link, and over several; what a joined link has lost is sent again over another. The
//!   joined links of a session end with its main link, and are joined again after the resume.
//! * **Abort.** Either side may send it at any time after `Admit` with the cause and the reason, and
//!   then waits for the other to close; the close says the same again, see [`CloseCode`]. A receiver
//!   that has heard it commits nothing, unless it was giving the copy its final name already.
//! * **Limits.** Before memory is taken for a block its header is checked: it ends within the share,
//!   and the blocks of its lane that have begun to arrive and were not here before (as those that come
//!   again after a link was lost may have been) are together no larger than the share. Copies of blocks that are
//!   under way already may take half as much again; a link that brings one beyond that is closed. A lane has no
//!   more blocks unacknowledged than [`max_blocks`](crate::lane::max_blocks). Blocks may be repeated
//!   whole, but never overlap otherwise. A stream that is reset carries no block.
//! * **Compression.** A block may travel as a zstd frame ([`Encoding::Zstd`]), as its sender decides for each. What
//!   is said of lengths, offsets, windows and SHA-1 everywhere else is said of the lane's own bytes. A frame that
//!   does not come to exactly the bytes its header speaks of is a violation.
//! * **Rate limit.** Each side may allow so many bytes a second, or any number, and change that at any time. The lower
//!   limit binds, and the sender keeps to it; the receiver says its own before `Welcome`, so that no block leaves faster.
//!   Both are said anew on every main link, also that there is none; on joined links they are not said, and hold. The
//!   bytes of blocks as they travel are counted, their headers included.
//! * **Pulse.** Both sides say every second what they are waiting for, and when that changes. So there is
//!   always something to acknowledge, whether bytes move or not, and each side's QUIC knows that the
//!   other is alive (over TCP it is pings that tell); silence beyond the peer timeout ends the link, not the session.
//!
//! # Encoding
//!
//! Integers are big-endian. A control message is `u8` kind, `u32` length of the body (at most
//! [`MAX_MESSAGE`]), body. An unknown kind from 0x80 up is skipped, any other is an error, and so are
//! bytes left over in a body. Text is UTF-8 behind a `u16` length. An optional `u64` is a `u8` 0 or 1,
//! then the number if it was 1. The bodies are given with each type.

mod block;
mod body;
mod close;
mod codec;
mod frame;
mod message;

pub use block::{BLOCK_HEADER_LEN, BlockHeader, EncodedBlock, Encoding};
pub use close::CloseCode;
pub use codec::WireError;
pub use frame::{Frame, MAX_FRAME, MAX_SENTENCE};
pub use message::{
    Ack, Admit, Hello, Knock, LaneSum, Message, Proof, Pulse, Purpose, Reached, Receipt, Resume, SessionId, Waiting,
    Welcome,
};

/// The ALPN identifier of every link.
pub const ALPN: &[u8] = b"xbstream-link";

/// The label under which both sides export the bytes their proofs cover.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-xbstream-link";

/// The protocol versions this build speaks, highest first.
pub const VERSIONS: &[u16] = &[1];

/// The largest body of a control message, in bytes.
pub const MAX_MESSAGE: usize = 64 << 10;

/// The most links of a session at a time: the main one and those that joined it. A receiver admits as many joined ones,
/// for it may be slower than the sender to notice that one is lost.
pub const MAX_LINKS: u8 = 16;

/// The most lanes of a session: what fits into a `Welcome` of [`MAX_MESSAGE`].
pub const MAX_LANES: u16 = 1024;

/// The highest version that is in both lists.
pub fn common_version(ours: &[u16], theirs: &[u16]) -> Option<u16> {
    ours.iter().copied().filter(|version| theirs.contains(version)).max()
}

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz {
    //! What the fuzz targets call.

    pub use super::block::block_header;
    pub use super::body::message;
    pub use super::frame::frames;
}
