//! What the handles of a connection and its two tasks know of each other.

use std::time::Duration;

use crate::link::LinkError;
use crate::wire::CloseCode;

/// The state of a connection.
#[derive(Debug)]
pub(super) struct State {
    /// How it has ended.
    ended: Option<LinkError>,
    /// What the peer is told of that.
    farewell: Farewell,
    /// Whether the peer has said all that it had to say.
    pub(super) heard_all: bool,
    /// Whether this side has. One that only lets go of its control has not.
    pub(super) said_all: bool,
    /// Whether the peer may send blocks.
    pub(super) takes_blocks: bool,
    /// The last ping that was not answered yet.
    pub(super) ping: Option<u64>,
    /// How many pongs have come.
    pub(super) pongs: u64,
    /// What the last of them took, or what it took to connect.
    pub(super) round_trip: Duration,
    /// Bytes of frames that the kernel has taken.
    pub(super) sent_bytes: u64,
}

/// How a connection is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Farewell {
    /// This side has closed it, and says why.
    Close(CloseCode, String),
    /// The peer has closed it.
    Heard,
    /// Nobody is there to hear anything.
    Gone,
}

impl State {
    pub(super) fn new(round_trip: Duration) -> State {
        State {
            ended: None,
            farewell: Farewell::Gone,
            heard_all: false,
            said_all: false,
            takes_blocks: false,
            ping: None,
            pongs: 0,
            round_trip,
            sent_bytes: 0,
        }
    }

    /// How it has ended, if it has.
    pub(super) fn ended(&self) -> Option<&LinkError> {
        self.ended.as_ref()
    }

    /// This side closes it. What has ended it before stands.
    pub(super) fn close(&mut self, code: CloseCode, reason: &str) {
        if self.ended.is_none() {
            self.ended = Some(LinkError::Lost("this side has closed the connection".into()));
            self.farewell = Farewell::Close(code, reason.to_owned());
        }
    }

    /// It ends by what was read, or could not be.
    pub(super) fn end(&mut self, error: LinkError) {
        if self.ended.is_none() {
            self.farewell = match &error {
                LinkError::Wire(violation) => Farewell::Close(CloseCode::Violation, violation.to_string()),
                LinkError::Closed { .. }
                | LinkError::Stranger(_)
                | LinkError::Untrusted(_)
                | LinkError::Distrusted(_) => Farewell::Heard,
                LinkError::Silent | LinkError::Refused(_) | LinkError::NoRoute(_) | LinkError::Lost(_) => {
                    Farewell::Gone
                }
            };
            self.ended = Some(error);
        }
    }

    /// How it is left, once it has ended.
    pub(super) fn farewell(&self) -> Option<Farewell> {
        self.ended.as_ref().map(|_| self.farewell.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::WireError;

    #[test]
    fn what_ends_it_first_stands() {
        let mut state = State::new(Duration::ZERO);
        assert_eq!(state.farewell(), None);
        state.end(LinkError::Silent);
        state.close(CloseCode::Done, "over");
        assert!(matches!(state.ended(), Some(LinkError::Silent)));
        assert_eq!(state.farewell(), Some(Farewell::Gone));
    }

    #[test]
    fn a_peer_that_breaks_the_protocol_hears_so() {
        let mut state = State::new(Duration::ZERO);
        let violation = WireError::FrameKind { kind: 9 };
        state.end(violation.clone().into());
        assert_eq!(state.farewell(), Some(Farewell::Close(CloseCode::Violation, violation.to_string())));
    }
}
