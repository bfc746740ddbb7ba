//! The codes with which a connection is closed: one table.

use crate::failure::Cause;

/// Why a connection was closed. The reason phrase beside it is a sentence for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseCode {
    /// 0x00: the session, or the check, is over.
    Done,
    /// 0x01: the dialer's proof is wrong: it has another key.
    WrongKey,
    /// 0x02: no protocol version in common.
    Version,
    /// 0x03: another session is running.
    Busy,
    /// 0x04: the peer did not keep to the protocol.
    Violation,
    /// 0x05: the session that was to go on is not known here (any more).
    StateLost,
    /// 0x06: this link is of no more use; the session goes on over another.
    Broken,
    /// 0x07: one side has a key and the other was given none.
    KeyMissing,
    /// 0x100 and the exit code: the session was aborted for this cause, by whoever closed. It says
    /// again what the control stream may not have brought.
    Aborted(Cause),
}

impl CloseCode {
    const PLAIN: [CloseCode; 8] = [
        CloseCode::Done,
        CloseCode::WrongKey,
        CloseCode::Version,
        CloseCode::Busy,
        CloseCode::Violation,
        CloseCode::StateLost,
        CloseCode::Broken,
        CloseCode::KeyMissing,
    ];

    /// Its number on the wire.
    pub fn number(self) -> u32 {
        match self {
            CloseCode::Done => 0x00,
            CloseCode::WrongKey => 0x01,
            CloseCode::Version => 0x02,
            CloseCode::Busy => 0x03,
            CloseCode::Violation => 0x04,
            CloseCode::StateLost => 0x05,
            CloseCode::Broken => 0x06,
            CloseCode::KeyMissing => 0x07,
            CloseCode::Aborted(cause) => ABORTED | u32::from(cause.code()),
        }
    }

    /// The code a number stands for; `None` for one of a newer version.
    pub fn from_number(number: u64) -> Option<CloseCode> {
        let number = u32::try_from(number).ok()?;
        match number & !0xff {
            ABORTED => Some(CloseCode::Aborted(Cause::from_code(number as u8))),
            _ => Self::PLAIN.into_iter().find(|code| code.number() == number),
        }
    }
}

const ABORTED: u32 = 0x100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_survives_the_wire() {
        let aborted = Cause::ALL.map(|(cause, _)| CloseCode::Aborted(cause));
        for code in CloseCode::PLAIN.into_iter().chain(aborted) {
            assert_eq!(CloseCode::from_number(code.number().into()), Some(code));
        }
        assert_eq!(CloseCode::Aborted(Cause::Sink).number(), 0x107);
        assert_eq!(CloseCode::from_number(0x08), None);
        assert_eq!(CloseCode::from_number(u64::MAX), None);
    }
}
