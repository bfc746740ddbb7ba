//! Frames: how a link over TCP carries what QUIC has streams for.
//!
//! Inside TLS each side writes frames, one after another: `u8` kind, `u32` length of the body, body.
//!
//! | kind | frame | body |
//! |---|---|---|
//! | 0x01 | control | bytes of the control stream, 1 to [`MAX_FRAME`] |
//! | 0x02 | control ends | none; no more control follows |
//! | 0x03 | piece | bytes of a block, 1 to [`MAX_FRAME`]; the first begins it |
//! | 0x04 | block ends | none; it is whole |
//! | 0x05 | block is cancelled | none; it was no block |
//! | 0x06 | close | `u32` [code](super::CloseCode), then a sentence in UTF-8 of at most [`MAX_SENTENCE`] bytes; nothing follows |
//! | 0x07 | ping | `u64` that only its sender understands |
//! | 0x08 | pong | the `u64` of the last ping |
//!
//! An unknown kind from 0x80 up is skipped, any other is an error. Blocks come one after another; control, pings and
//! pongs come between their pieces. A sender writes what there is of control before the next piece, and pieces so short
//! that control never waits long. Each side pings every heart-beat, so there is always something to be heard.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::WireError;

/// The longest body of a frame, in bytes.
pub const MAX_FRAME: usize = 64 << 10;

/// The longest sentence of a close, in bytes.
pub const MAX_SENTENCE: usize = 1 << 10;

/// Kind and length.
const HEAD: usize = 5;

/// The first kind that may be skipped by those who do not know it.
const SKIPPED: u8 = 0x80;

/// What travels inside TLS over TCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Bytes of the control stream.
    Control(Bytes),
    /// No more control follows.
    ControlEnd,
    /// Bytes of the block that is under way, or of one that begins.
    Piece(Bytes),
    /// The block that is under way is whole.
    BlockEnd,
    /// The block that is under way is none.
    BlockCancelled,
    /// The connection ends here.
    Close {
        /// The number of a [`CloseCode`](super::CloseCode), or of one of a newer version.
        code: u32,
        /// Why, for a person.
        sentence: String,
    },
    /// To be answered with a pong.
    Ping(u64),
    /// The answer to a ping, with its number.
    Pong(u64),
}

impl Frame {
    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Frame::Control(_) => "control",
            Frame::ControlEnd => "control ends",
            Frame::Piece(_) => "piece",
            Frame::BlockEnd => "block ends",
            Frame::BlockCancelled => "block is cancelled",
            Frame::Close { .. } => "close",
            Frame::Ping(_) => "ping",
            Frame::Pong(_) => "pong",
        }
    }

    fn kind(&self) -> u8 {
        match self {
            Frame::Control(_) => 0x01,
            Frame::ControlEnd => 0x02,
            Frame::Piece(_) => 0x03,
            Frame::BlockEnd => 0x04,
            Frame::BlockCancelled => 0x05,
            Frame::Close { .. } => 0x06,
            Frame::Ping(_) => 0x07,
            Frame::Pong(_) => 0x08,
        }
    }

    /// Appends it to `out`, as it stands on the wire. Bytes of control and of blocks come in frames of at most
    /// [`MAX_FRAME`], which is the caller's business; a sentence that is too long is cut at a character.
    pub fn encode(&self, out: &mut BytesMut) {
        let head = |out: &mut BytesMut, len: usize| {
            debug_assert!(len <= MAX_FRAME, "a frame of {len} bytes");
            out.put_u8(self.kind());
            out.put_u32(len as u32);
        };
        match self {
            Frame::Control(bytes) | Frame::Piece(bytes) => {
                head(out, bytes.len());
                out.put_slice(bytes);
            }
            Frame::ControlEnd | Frame::BlockEnd | Frame::BlockCancelled => head(out, 0),
            Frame::Close { code, sentence } => {
                let sentence = &sentence[..sentence.floor_char_boundary(MAX_SENTENCE)];
                head(out, 4 + sentence.len());
                out.put_u32(*code);
                out.put_slice(sentence.as_bytes());
            }
            Frame::Ping(number) | Frame::Pong(number) => {
                head(out, 8);
                out.put_u64(*number);
            }
        }
    }

    /// Takes the first frame from what has arrived; `None` if it has not arrived whole. Its length is checked as soon
    /// as its head is there, so that nobody has to keep more than [`MAX_FRAME`] and a head for it.
    ///
    /// # Errors
    /// [`WireError`] for anything a peer of this version does not write. `arrived` is of no more use then.
    pub fn take(arrived: &mut BytesMut) -> Result<Option<Frame>, WireError> {
        loop {
            let Some([kind, len @ ..]) = arrived.first_chunk::<HEAD>() else { return Ok(None) };
            let (kind, len) = (*kind, u32::from_be_bytes(*len) as usize);
            check_length(kind, len)?;
            if arrived.len() < HEAD + len {
                return Ok(None);
            }
            arrived.advance(HEAD);
            let body = arrived.split_to(len).freeze();
            if let Some(frame) = decode(kind, body)? {
                return Ok(Some(frame));
            }
        }
    }
}

/// What a frame of this kind may have in its body.
fn check_length(kind: u8, len: usize) -> Result<(), WireError> {
    let allowed = match kind {
        0x01 | 0x03 => 1..=MAX_FRAME,
        0x02 | 0x04 | 0x05 => 0..=0,
        0x06 => 4..=4 + MAX_SENTENCE,
        0x07 | 0x08 => 8..=8,
        SKIPPED.. => 0..=MAX_FRAME,
        _ => return Err(WireError::FrameKind { kind }),
    };
    match allowed.contains(&len) {
        true => Ok(()),
        false => Err(WireError::FrameLength { kind, len: len as u32 }),
    }
}

/// What a body of the right length says; nothing for one that is skipped.
fn decode(kind: u8, mut body: Bytes) -> Result<Option<Frame>, WireError> {
    Ok(Some(match kind {
        0x01 => Frame::Control(body),
        0x02 => Frame::ControlEnd,
        0x03 => Frame::Piece(body),
        0x04 => Frame::BlockEnd,
        0x05 => Frame::BlockCancelled,
        0x06 => {
            let code = body.get_u32();
            let sentence = std::str::from_utf8(&body);
            let sentence = sentence.map_err(|_| WireError::Text { message: "close", field: "sentence" })?;
            Frame::Close { code, sentence: sentence.to_owned() }
        }
        0x07 => Frame::Ping(body.get_u64()),
        0x08 => Frame::Pong(body.get_u64()),
        _ => return Ok(None),
    }))
}

#[cfg(any(test, fuzzing))]
/// Decoding never panics and takes no more than it was given; what it gives encodes to the same bytes, wherever what has
/// arrived was cut (by the first byte).
pub fn frames(bytes: &[u8]) {
    let Some((cut, bytes)) = bytes.split_first() else { return };
    let cut = usize::from(*cut).min(bytes.len());
    let whole = taken(&mut BytesMut::from(bytes));
    let mut arrived = BytesMut::from(&bytes[..cut]);
    let mut in_parts = taken(&mut arrived);
    if in_parts.1.is_ok() {
        arrived.extend_from_slice(&bytes[cut..]);
        let rest = taken(&mut arrived);
        in_parts = (in_parts.0.into_iter().chain(rest.0).collect(), rest.1);
    }
    assert_eq!(whole, in_parts);
    let mut encoded = BytesMut::new();
    whole.0.iter().for_each(|frame| frame.encode(&mut encoded));
    assert!(encoded.len() <= bytes.len());
    assert_eq!(taken(&mut encoded), (whole.0, Ok(())));
}

#[cfg(any(test, fuzzing))]
fn taken(arrived: &mut BytesMut) -> (Vec<Frame>, Result<(), WireError>) {
    let mut frames = Vec::new();
    loop {
        match Frame::take(arrived) {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => return (frames, Ok(())),
            Err(error) => return (frames, Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_frame() -> impl Strategy<Value = Frame> {
        let bytes = || prop::collection::vec(any::<u8>(), 1..300).prop_map(Bytes::from);
        prop_oneof![
            bytes().prop_map(Frame::Control),
            bytes().prop_map(Frame::Piece),
            Just(Frame::ControlEnd),
            Just(Frame::BlockEnd),
            Just(Frame::BlockCancelled),
            (any::<u32>(), ".{0,40}").prop_map(|(code, sentence)| Frame::Close { code, sentence }),
            any::<u64>().prop_map(Frame::Ping),
            any::<u64>().prop_map(Frame::Pong),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(frames in prop::collection::vec(any_frame(), 0..20), cut in any::<u8>()) {
            let mut encoded = BytesMut::from(&[cut][..]);
            frames.iter().for_each(|frame| frame.encode(&mut encoded));
            super::frames(&encoded);
            prop_assert_eq!(taken(&mut encoded.split_off(1)), (frames, Ok(())));
        }

        #[test]
        fn any_bytes_are_taken_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            super::frames(&bytes);
        }

        #[test]
        fn likely_bytes_are_taken_or_refused(
            likely in prop::collection::vec((0_u8..10, 0_u8..12, prop::collection::vec(any::<u8>(), 0..12)), 0..8),
        ) {
            let frames = likely.iter().flat_map(|(kind, len, body)| [&[*kind, 0, 0, 0, *len], body.as_slice()].concat());
            super::frames(&frames.collect::<Vec<_>>());
        }
    }

    #[test]
    fn bytes_are_pinned() {
        let mut out = BytesMut::new();
        Frame::Close { code: 0x104, sentence: "ä".into() }.encode(&mut out);
        Frame::Ping(7).encode(&mut out);
        Frame::BlockEnd.encode(&mut out);
        let expected =
            [&[6, 0, 0, 0, 6, 0, 0, 1, 4, 0xc3, 0xa4][..], &[7, 0, 0, 0, 8], &7_u64.to_be_bytes(), &[4, 0, 0, 0, 0]];
        assert_eq!(out, expected.concat());
    }

    #[test]
    fn a_length_is_refused_before_anything_is_kept_for_it() {
        for head in [[1, 0, 1, 0, 1], [3, 0xff, 0xff, 0xff, 0xff], [1, 0, 0, 0, 0], [2, 0, 0, 0, 1], [6, 0, 0, 0, 3]] {
            assert!(
                matches!(Frame::take(&mut BytesMut::from(&head[..])), Err(WireError::FrameLength { .. })),
                "{head:?}"
            );
        }
        for kind in [0, 9, 0x7f] {
            let error = Frame::take(&mut BytesMut::from(&[kind, 0, 0, 0, 0][..]));
            assert_eq!(error, Err(WireError::FrameKind { kind }));
        }
    }

    #[test]
    fn what_a_newer_peer_says_beside_is_skipped() {
        let mut arrived = BytesMut::from(&[0x80, 0, 0, 0, 2, 9, 9, 2, 0, 0, 0, 0][..]);
        assert_eq!(Frame::take(&mut arrived), Ok(Some(Frame::ControlEnd)));
    }

    #[test]
    fn a_long_sentence_is_cut_at_a_character() {
        let mut out = BytesMut::new();
        Frame::Close { code: 0, sentence: "ä".repeat(MAX_SENTENCE) }.encode(&mut out);
        let Ok(Some(Frame::Close { sentence, .. })) = Frame::take(&mut out) else { panic!("no close") };
        assert_eq!(sentence, "ä".repeat(MAX_SENTENCE / 2));
    }
}
