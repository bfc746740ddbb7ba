//! Those who come to the TCP port and are no peer: told apart by what they say first.

use std::fmt;

use crate::link::{LinkError, TurnedAway};

/// Somebody came and was no peer.
#[derive(Debug, thiserror::Error)]
pub enum Visitor {
    /// It looked whether the port is open.
    #[error("it left without a word")]
    Left,
    /// It kept silent.
    #[error("it connected over TCP and said nothing")]
    Silent,
    /// Its first bytes are not those of TLS.
    #[error("it does not speak TLS{0}")]
    Plain(Plain),
    /// Its TLS was not taken, or broke off.
    #[error("its TLS is not acceptable: {0}")]
    Tls(String),
    /// Its certificate was refused, or it has refused this side's.
    #[error("{0}")]
    Untrusted(LinkError),
    /// It speaks TLS, and nothing of this protocol.
    #[error("it speaks TLS and not the protocol of xbsend; something like openssl s_client, or a scanner")]
    OtherProtocol,
}

impl From<Visitor> for TurnedAway {
    fn from(visitor: Visitor) -> TurnedAway {
        let words = visitor.to_string();
        match visitor {
            Visitor::Left => TurnedAway::Left,
            Visitor::Untrusted(error) => error.into(),
            Visitor::Silent | Visitor::Plain(_) | Visitor::Tls(_) | Visitor::OtherProtocol => {
                LinkError::Lost(words).into()
            }
        }
    }
}

/// What somebody without TLS looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    /// It asks as a browser does.
    Http,
    /// It names its version of SSH.
    Ssh,
    /// It sends a backup, with `nc` or the like.
    Backup,
    /// It could be anything.
    Unknown,
}

impl fmt::Display for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Plain::Http => "; something like an HTTP client",
            Plain::Ssh => "; something like an SSH client",
            Plain::Backup => "; it sends an xbstream as it is: use xbsend for that",
            Plain::Unknown => "",
        })
    }
}

/// How many bytes tell.
pub(super) const TELLING: usize = 8;

/// What a visitor is, by the first bytes it has sent, at most [`TELLING`]; `None` if that is a TLS handshake.
pub(super) fn judge(first: &[u8]) -> Option<Plain> {
    const HANDSHAKE: u8 = 0x16;
    const METHODS: [&[u8]; 7] = [b"GET ", b"HEAD ", b"POST ", b"PUT ", b"OPTIONS ", b"CONNECT ", b"PRI * "];
    match first {
        [HANDSHAKE, ..] => None,
        _ if METHODS.iter().any(|method| first.starts_with(method)) => Some(Plain::Http),
        _ if first.starts_with(b"SSH-") => Some(Plain::Ssh),
        _ if first.starts_with(b"XBSTCK") => Some(Plain::Backup),
        _ => Some(Plain::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visitors_are_told_apart_by_their_first_bytes() {
        for (first, expected) in [
            (&b"\x16\x03\x01\x02\x00"[..], None),
            (b"GET / HT", Some(Plain::Http)),
            (b"OPTIONS ", Some(Plain::Http)),
            (b"SSH-2.0-", Some(Plain::Ssh)),
            (b"XBSTCK01", Some(Plain::Backup)),
            (b"\r\n", Some(Plain::Unknown)),
            (b"G", Some(Plain::Unknown)),
        ] {
            assert_eq!(judge(first), expected, "{first:?}");
        }
    }
}
