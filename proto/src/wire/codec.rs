//! Reading and writing the fields of a message.

use super::MAX_MESSAGE;
use crate::backup::FactText;

/// The peer's bytes are not the protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// A body ended before its last field.
    #[error("{message} ends inside its field \"{field}\"")]
    Short {
        /// The kind of message.
        message: &'static str,
        /// The field that is cut.
        field: &'static str,
    },
    /// A body goes on after its last field.
    #[error("{message} has {extra} bytes after its last field")]
    Trailing {
        /// The kind of message.
        message: &'static str,
        /// How many bytes are left.
        extra: usize,
    },
    /// A field has a value that means nothing.
    #[error("{message} has {value} in its field \"{field}\"")]
    Value {
        /// The kind of message.
        message: &'static str,
        /// The field.
        field: &'static str,
        /// What stands there.
        value: u64,
    },
    /// A text field is not UTF-8, or not the kind of text that belongs there.
    #[error("{message} has no valid text in its field \"{field}\"")]
    Text {
        /// The kind of message.
        message: &'static str,
        /// The field.
        field: &'static str,
    },
    /// A message of a kind that is unknown and must not be skipped.
    #[error("unknown message kind 0x{kind:02x}")]
    Kind {
        /// Its number.
        kind: u8,
    },
    /// A frame of a kind that is unknown and must not be skipped.
    #[error("unknown frame kind 0x{kind:02x}")]
    FrameKind {
        /// Its number.
        kind: u8,
    },
    /// A frame claims to have a body that its kind never has.
    #[error("frame of kind 0x{kind:02x} with {len} bytes, which none of its kind has")]
    FrameLength {
        /// The number of its kind.
        kind: u8,
        /// The length of its body, in bytes.
        len: u32,
    },
    /// A frame came where none of its kind may.
    #[error("the frame \"{frame}\" came out of order")]
    FrameOrder {
        /// What it is called.
        frame: &'static str,
    },
    /// A message claims to be larger than any may be.
    #[error("message of {len} bytes, at most {MAX_MESSAGE} are allowed")]
    TooLong {
        /// Its length in bytes.
        len: u32,
    },
}

/// Takes the fields of one body, and names the one that is missing.
pub(super) struct Reader<'a> {
    message: &'static str,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(message: &'static str, body: &'a [u8]) -> Reader<'a> {
        Reader { message, rest: body }
    }

    pub(super) fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], WireError> {
        let (taken, rest) =
            self.rest.split_first_chunk::<N>().ok_or(WireError::Short { message: self.message, field })?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self, field: &'static str) -> Result<u8, WireError> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self, field: &'static str) -> Result<u16, WireError> {
        self.array(field).map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self, field: &'static str) -> Result<u32, WireError> {
        self.array(field).map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self, field: &'static str) -> Result<u64, WireError> {
        self.array(field).map(u64::from_be_bytes)
    }

    pub(super) fn optional_u64(&mut self, field: &'static str) -> Result<Option<u64>, WireError> {
        match self.u8(field)? {
            0 => Ok(None),
            1 => self.u64(field).map(Some),
            other => Err(self.bad(field, other.into())),
        }
    }

    pub(super) fn text(&mut self, field: &'static str) -> Result<String, WireError> {
        let len = usize::from(self.u16(field)?);
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(WireError::Short { message: self.message, field })?;
        self.rest = rest;
        match std::str::from_utf8(taken) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(WireError::Text { message: self.message, field }),
        }
    }

    /// `None` for an empty one; a text that is no [`FactText`] is none of a peer of this version.
    pub(super) fn fact(&mut self, field: &'static str) -> Result<Option<FactText>, WireError> {
        let text = self.text(field)?;
        match FactText::new(&text) {
            Some(fact) if *fact == *text => Ok(Some(fact)),
            None if text.is_empty() => Ok(None),
            _ => Err(WireError::Text { message: self.message, field }),
        }
    }

    pub(super) fn optional_bool(&mut self, field: &'static str) -> Result<Option<bool>, WireError> {
        match self.u8(field)? {
            0 => Ok(None),
            1 => Ok(Some(false)),
            2 => Ok(Some(true)),
            other => Err(self.bad(field, other.into())),
        }
    }

    pub(super) fn bad(&self, field: &'static str, value: u64) -> WireError {
        WireError::Value { message: self.message, field, value }
    }

    pub(super) fn end(self) -> Result<(), WireError> {
        match self.rest.len() {
            0 => Ok(()),
            extra => Err(WireError::Trailing { message: self.message, extra }),
        }
    }
}

/// Puts the fields of a body one after another.
#[derive(Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn raw(mut self, bytes: &[u8]) -> Writer {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn u8(self, value: u8) -> Writer {
        self.raw(&[value])
    }

    pub(super) fn u16(self, value: u16) -> Writer {
        self.raw(&value.to_be_bytes())
    }

    pub(super) fn u32(self, value: u32) -> Writer {
        self.raw(&value.to_be_bytes())
    }

    pub(super) fn u64(self, value: u64) -> Writer {
        self.raw(&value.to_be_bytes())
    }

    pub(super) fn optional_u64(self, value: Option<u64>) -> Writer {
        match value {
            None => self.u8(0),
            Some(value) => self.u8(1).u64(value),
        }
    }

    pub(super) fn fact(self, fact: Option<&FactText>) -> Writer {
        self.text(fact.map_or("", |fact| fact))
    }

    pub(super) fn optional_bool(self, value: Option<bool>) -> Writer {
        self.u8(value.map_or(0, |value| 1 + u8::from(value)))
    }

    /// Text longer than [`TEXT_LIMIT`] bytes is cut at a character.
    pub(super) fn text(self, text: &str) -> Writer {
        let cut = text.floor_char_boundary(TEXT_LIMIT);
        self.u16(cut as u16).raw(&text.as_bytes()[..cut])
    }
}

/// The longest text a message carries, in bytes: room for a child's last lines.
const TEXT_LIMIT: usize = 8 << 10;
