//! Where to listen, as people write it, and how often.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::str::FromStr;

use crate::quic::Family;

/// `PORT`, `ADDR:PORT` or `[ADDR]:PORT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenOn {
    address: Option<IpAddr>,
    port: u16,
}

/// It is neither.
#[derive(Debug, thiserror::Error)]
#[error("expected PORT, ADDR:PORT or [ADDR]:PORT, with an address of this host")]
pub struct ListenError;

impl ListenOn {
    /// The address to bind, and for which family, if `family` is wished where no address says it.
    pub fn bind(self, family: Family) -> (SocketAddr, Family) {
        match self.address {
            None => (family.unspecified(self.port), family),
            Some(address) if address.is_ipv4() => (SocketAddr::new(address, self.port), Family::V4),
            Some(address) => (SocketAddr::new(address, self.port), family),
        }
    }
}

impl FromStr for ListenOn {
    type Err = ListenError;

    fn from_str(given: &str) -> Result<ListenOn, ListenError> {
        if let Ok(port) = given.parse() {
            return Ok(ListenOn { address: None, port });
        }
        let address: SocketAddr = given.parse().map_err(|_| ListenError)?;
        Ok(ListenOn { address: Some(address.ip()), port: address.port() })
    }
}

/// How many backups to move, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// So many.
    Number(NonZeroU32),
    /// Until somebody ends the program.
    ForEver,
}

impl Times {
    /// One.
    pub const ONCE: Times = Times::Number(NonZeroU32::MIN);

    /// What is left after one; `None` when that was the last.
    pub fn after_one(self) -> Option<Times> {
        match self {
            Times::Number(number) => NonZeroU32::new(number.get() - 1).map(Times::Number),
            Times::ForEver => Some(Times::ForEver),
        }
    }
}

/// It is no number.
#[derive(Debug, thiserror::Error)]
#[error("expected a number; 0 means until it is ended")]
pub struct TimesError;

impl FromStr for Times {
    type Err = TimesError;

    fn from_str(given: &str) -> Result<Times, TimesError> {
        let number: u32 = given.parse().map_err(|_| TimesError)?;
        Ok(NonZeroU32::new(number).map_or(Times::ForEver, Times::Number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_and_addresses_are_told_apart() {
        let listen =
            |given: &str| given.parse::<ListenOn>().ok().map(|on| (on.address.map(|a| a.to_string()), on.port));
        assert_eq!(listen("0"), Some((None, 0)));
        assert_eq!(listen("127.0.0.1:7"), Some((Some("127.0.0.1".into()), 7)));
        assert_eq!(listen("[::1]:7"), Some((Some("::1".into()), 7)));
        assert_eq!(listen("localhost:7"), None);
        assert_eq!(listen("99999"), None);
    }

    #[test]
    fn times_run_out_unless_they_are_for_ever() {
        let twice: Times = "2".parse().unwrap();
        assert_eq!(twice.after_one(), Some(Times::ONCE));
        assert_eq!(Times::ONCE.after_one(), None);
        assert_eq!("0".parse::<Times>().unwrap().after_one(), Some(Times::ForEver));
        assert!("-1".parse::<Times>().is_err());
    }
}
