//! How a link ends when it does not end well.

use quinn::{ConnectionError, ReadError, ReadExactError, TransportErrorCode, WriteError};

use super::ControlError;
use crate::wire::{CloseCode, WireError};

/// What became of a link.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The peer closed it with one of our codes.
    #[error("{reason}")]
    Closed {
        /// The code.
        code: CloseCode,
        /// The peer's sentence.
        reason: String,
    },
    /// The peer is something else, or its TLS is not acceptable.
    #[error("the peer is not what it should be: {0}")]
    Stranger(String),
    /// No sign of life.
    #[error("no sign of life")]
    Silent,
    /// No answer, or no longer.
    #[error("{0}")]
    Lost(String),
    /// The peer's bytes are not the protocol.
    #[error("the peer does not keep to the protocol: {0}")]
    Wire(#[from] WireError),
}

impl From<ConnectionError> for LinkError {
    fn from(error: ConnectionError) -> LinkError {
        match error {
            ConnectionError::ApplicationClosed(close) => {
                let reason = String::from_utf8_lossy(&close.reason).into_owned();
                match CloseCode::from_number(close.error_code.into_inner()) {
                    Some(code) => LinkError::Closed { code, reason },
                    None => LinkError::Stranger(format!("it closed with the unknown code {}", close.error_code)),
                }
            }
            ConnectionError::TimedOut => LinkError::Silent,
            ConnectionError::Reset => LinkError::Lost("the peer was restarted".into()),
            ConnectionError::TransportError(error) => LinkError::Stranger(error.to_string()),
            // A listener with too many at its door; it may have room later.
            ConnectionError::ConnectionClosed(close) if close.error_code == TransportErrorCode::CONNECTION_REFUSED => {
                LinkError::Lost("the peer has no room for another connection now".into())
            }
            ConnectionError::ConnectionClosed(close) => LinkError::Stranger(close.to_string()),
            ConnectionError::VersionMismatch => LinkError::Stranger("it speaks another version of QUIC".into()),
            other => LinkError::Lost(other.to_string()),
        }
    }
}

impl From<WriteError> for LinkError {
    fn from(error: WriteError) -> LinkError {
        match error {
            WriteError::ConnectionLost(error) => error.into(),
            other => LinkError::Lost(other.to_string()),
        }
    }
}

impl From<ReadError> for LinkError {
    fn from(error: ReadError) -> LinkError {
        match error {
            ReadError::ConnectionLost(error) => error.into(),
            other => LinkError::Lost(other.to_string()),
        }
    }
}

impl From<ReadExactError> for LinkError {
    fn from(error: ReadExactError) -> LinkError {
        match error {
            ReadExactError::ReadError(error) => error.into(),
            ReadExactError::FinishedEarly(_) => LinkError::Lost("a stream ended early".into()),
        }
    }
}

impl From<ControlError> for LinkError {
    fn from(error: ControlError) -> LinkError {
        match error {
            ControlError::Io(error) => LinkError::Lost(error.to_string()),
            ControlError::Wire(error) => LinkError::Wire(error),
        }
    }
}
