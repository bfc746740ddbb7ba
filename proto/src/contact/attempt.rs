//! What is tried to reach a listener, and in which order.

use std::net::SocketAddr;
use std::str::FromStr;

use crate::link::Form;

/// Over what links are made, as the user wishes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// QUIC; TCP where UDP does not get through.
    #[default]
    Auto,
    /// QUIC and nothing else.
    Quic,
    /// TCP and nothing else.
    Tcp,
}

/// It is none.
#[derive(Debug, thiserror::Error)]
#[error("expected auto, quic or tcp")]
pub struct TransportError;

impl FromStr for Transport {
    type Err = TransportError;

    fn from_str(given: &str) -> Result<Transport, TransportError> {
        match given {
            "auto" => Ok(Transport::Auto),
            "quic" => Ok(Transport::Quic),
            "tcp" => Ok(Transport::Tcp),
            _ => Err(TransportError),
        }
    }
}

/// One thing to try with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Try {
    /// QUIC.
    Quic,
    /// TCP.
    Tcp,
    /// TCP, if somebody answers there and it is certain that QUIC does not get through.
    TcpInstead,
}

impl Try {
    /// The form of connection that is hoped for.
    pub fn form(self) -> Form {
        match self {
            Try::Quic => Form::Quic,
            Try::Tcp | Try::TcpInstead => Form::Tcp,
        }
    }
}

impl Transport {
    /// What to try, in this order: what has `worked` last, if anything has, before the other.
    pub fn tries(self, worked: Option<Form>) -> &'static [Try] {
        match (self, worked) {
            (Transport::Quic, _) => &[Try::Quic],
            (Transport::Tcp, _) => &[Try::Tcp],
            (Transport::Auto, Some(Form::Tcp)) => &[Try::Tcp, Try::Quic],
            (Transport::Auto, None | Some(Form::Quic)) => &[Try::Quic, Try::TcpInstead],
        }
    }
}

/// One attempt to reach a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Where it is.
    pub address: SocketAddr,
    /// What is tried there.
    pub by: Try,
}

impl Attempt {
    /// Every try with each of the addresses; the next try only when all addresses have failed with the one before.
    pub fn all(addresses: &[SocketAddr], tries: &[Try]) -> Vec<Attempt> {
        let with_each = |by: &Try| addresses.iter().map(|address| (*address, *by)).collect::<Vec<_>>();
        tries.iter().flat_map(with_each).map(|(address, by)| Attempt { address, by }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tcp_comes_after_every_address_has_failed_with_quic() {
        let addresses: Vec<SocketAddr> = vec![([192, 0, 2, 1], 9).into(), ([192, 0, 2, 2], 9).into()];
        let tried: Vec<_> = Attempt::all(&addresses, Transport::Auto.tries(None))
            .into_iter()
            .map(|attempt| (attempt.address.to_string(), attempt.by))
            .collect();
        let [a, b] = ["192.0.2.1:9", "192.0.2.2:9"].map(str::to_owned);
        let expected = [(a.clone(), Try::Quic), (b.clone(), Try::Quic), (a, Try::TcpInstead), (b, Try::TcpInstead)];
        assert_eq!(tried, expected);
    }

    #[test]
    fn what_has_worked_comes_first_and_what_was_not_wished_never() {
        let forms = |transport: Transport, worked| transport.tries(worked).iter().map(|t| t.form()).collect::<Vec<_>>();
        assert_eq!(forms(Transport::Auto, Some(Form::Tcp)), [Form::Tcp, Form::Quic]);
        assert_eq!(forms(Transport::Auto, Some(Form::Quic)), [Form::Quic, Form::Tcp]);
        for worked in [None, Some(Form::Quic), Some(Form::Tcp)] {
            assert_eq!(forms(Transport::Quic, worked), [Form::Quic]);
            assert_eq!(forms(Transport::Tcp, worked), [Form::Tcp]);
        }
    }
}
