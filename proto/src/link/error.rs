//! How a link ends when it does not end well.

use std::io;

use super::ControlError;
use crate::tls::{Credentials, Distrust, Refusal};
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
    /// Its certificate is not one that this side trusts.
    #[error("{0}")]
    Untrusted(Box<Refusal>),
    /// This side's certificate is not one that the peer trusts, or there is none.
    #[error("{0}")]
    Distrusted(Distrust),
    /// No sign of life.
    #[error("no sign of life")]
    Silent,
    /// Its host says that nothing takes what is sent there over this protocol, or a firewall says so in its name.
    #[error("it is refused over {0}")]
    Refused(&'static str),
    /// Nothing leads there.
    #[error("no route leads there: {0}")]
    NoRoute(String),
    /// No answer, or no longer.
    #[error("{0}")]
    Lost(String),
    /// The peer's bytes are not the protocol.
    #[error("the peer does not keep to the protocol: {0}")]
    Wire(#[from] WireError),
}

impl LinkError {
    /// The same of a link with these `credentials`: if the peer has refused their certificate, it is said which one that is.
    #[must_use]
    pub fn with(self, credentials: &Credentials) -> LinkError {
        match self {
            LinkError::Distrusted(distrust) => LinkError::Distrusted(distrust.of(credentials)),
            other => other,
        }
    }

    /// What the system says of somebody who is not reached over a protocol, if it says that.
    pub fn unreached(protocol: &'static str, error: &io::Error) -> Option<LinkError> {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Some(LinkError::Refused(protocol)),
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkDown => {
                Some(LinkError::NoRoute(error.to_string()))
            }
            _ => None,
        }
    }
}

impl From<Refusal> for LinkError {
    fn from(refusal: Refusal) -> LinkError {
        LinkError::Untrusted(Box::new(refusal))
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
