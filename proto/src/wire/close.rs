//! The codes with which a connection is closed: one table.

/// Why a connection was closed. The reason phrase beside it is a sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseCode {
    /// The session, or the check, is over.
    Done,
    /// The dialer's proof is wrong: it has another key.
    WrongKey,
    /// No protocol version in common.
    Version,
    /// Another session is running.
    Busy,
    /// The peer did not keep to the protocol.
    Violation,
    /// The session was aborted; the control stream said why.
    Aborted,
}

impl CloseCode {
    /// Every code with its number on the wire.
    pub const ALL: [(CloseCode, u32); 6] = [
        (CloseCode::Done, 0x00),
        (CloseCode::WrongKey, 0x01),
        (CloseCode::Version, 0x02),
        (CloseCode::Busy, 0x03),
        (CloseCode::Violation, 0x04),
        (CloseCode::Aborted, 0x05),
    ];

    /// Its number on the wire.
    pub fn number(self) -> u32 {
        Self::ALL.iter().find(|(code, _)| *code == self).map_or(0x04, |(_, number)| *number)
    }

    /// The code a number stands for; `None` for one of a newer version.
    pub fn from_number(number: u64) -> Option<CloseCode> {
        Self::ALL.iter().find(|(_, known)| u64::from(*known) == number).map(|(code, _)| *code)
    }
}
