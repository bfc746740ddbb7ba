//! How a QUIC connection ends, in the words of links.

use quinn::{ConnectionError, ReadError, ReadExactError, TransportErrorCode, WriteError};

use crate::link::LinkError;
use crate::tls::{Alert, Distrust, Refusal};
use crate::wire::CloseCode;

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
            ConnectionError::TransportError(error) => match alert(error.code) {
                Some(Alert::CERTIFICATE_REQUIRED) => Refusal::NoCertificate.into(),
                _ => LinkError::Stranger(error.to_string()),
            },
            // A listener with too many at its door; it may have room later.
            ConnectionError::ConnectionClosed(close) if close.error_code == TransportErrorCode::CONNECTION_REFUSED => {
                LinkError::Lost("the peer has no room for another connection now".into())
            }
            // It has ended before it could say why, as one does that is about to end.
            ConnectionError::ConnectionClosed(close) if close.error_code == TransportErrorCode::APPLICATION_ERROR => {
                LinkError::Lost("the peer closed before anything was said".into())
            }
            ConnectionError::ConnectionClosed(close) => match alert(close.error_code) {
                Some(alert) if alert.is_about_a_certificate() => LinkError::Distrusted(Distrust::new(alert)),
                _ => LinkError::Stranger(close.to_string()),
            },
            ConnectionError::VersionMismatch => LinkError::Stranger("it speaks another version of QUIC".into()),
            other => LinkError::Lost(other.to_string()),
        }
    }
}

/// The TLS alert that a connection was closed with, if it was one.
fn alert(code: TransportErrorCode) -> Option<Alert> {
    let alert = u64::from(code).checked_sub(TLS_ALERTS)?;
    u8::try_from(alert).ok().map(Alert)
}

/// From where on transport errors are TLS alerts (RFC 9001, section 4.8).
const TLS_ALERTS: u64 = 0x100;

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
