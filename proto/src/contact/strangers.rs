//! What is said of those who are turned away, and how often.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::failure::{Cause, Failure, Party};
use crate::link::{LinkError, TurnedAway};
use crate::quantity::Span;

/// One line for each address in this time.
const QUIET: Duration = Duration::from_secs(60);

/// Addresses that are remembered at a time; beyond it new ones are counted and not told.
const REMEMBERED: usize = 64;

/// Keeps the log short when a port is scanned.
#[derive(Debug, Default)]
pub struct Strangers {
    told: HashMap<IpAddr, Duration>,
    /// The last one that was a peer, but not a trusted one.
    refused: Option<Why>,
    others: u64,
}

/// Why somebody was turned away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It has another key.
    WrongKey,
    /// Only one side has a key, or one of the two certificates was refused: the reason.
    Untrusted(String),
    /// It is something else altogether.
    NotAPeer,
    /// It only looked whether somebody listens.
    LookedIn,
}

impl From<&TurnedAway> for Why {
    fn from(turned_away: &TurnedAway) -> Why {
        match turned_away {
            TurnedAway::WrongKey => Why::WrongKey,
            TurnedAway::NoKey
            | TurnedAway::UnknownKey
            | TurnedAway::NotAPeer(LinkError::Untrusted(_) | LinkError::Distrusted(_)) => {
                Why::Untrusted(turned_away.to_string())
            }
            TurnedAway::Left => Why::LookedIn,
            _ => Why::NotAPeer,
        }
    }
}

impl Strangers {
    /// Counts one, at `now` since the start. Returns whether it is to be told.
    pub fn turned_away(&mut self, from: IpAddr, why: Why, now: Duration) -> bool {
        match why {
            Why::WrongKey | Why::Untrusted(_) => self.refused = Some(why),
            Why::NotAPeer => self.others += 1,
            // Many a monitor does, and every sender that finds out whether it is UDP that does not get through.
            Why::LookedIn => return false,
        }
        self.told.retain(|_, told| now.saturating_sub(*told) < QUIET);
        if self.told.contains_key(&from) || self.told.len() >= REMEMBERED {
            return false;
        }
        self.told.insert(from, now);
        true
    }

    /// Why `own` side has waited for nobody: if only such came as have another key or certificate, it was refused.
    pub fn nobody_came(&self, own: Party, waited: Duration) -> Failure {
        let (waited, peer) = (Span(waited), own.peer());
        let (cause, words) = match self.only_refused() {
            Some(Why::Untrusted(reason)) => (
                Cause::Refused,
                format!("no {peer} could be trusted within {waited} (--wait); of the last one: {reason}"),
            ),
            Some(_) => {
                let words = "came; compare the keys of both sides";
                (Cause::Refused, format!("within {waited} (--wait) only {peer}s with another key {words}"))
            }
            None => (Cause::PeerLost, format!("no {peer} came within {waited} (--wait)")),
        };
        Failure::new(cause, own, words)
    }

    /// Why the last one was refused, if only such came.
    fn only_refused(&self) -> Option<&Why> {
        self.refused.as_ref().filter(|_| self.others == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> IpAddr {
        IpAddr::V4((0x0a00_0000 + n).into())
    }

    #[test]
    fn an_address_is_told_once_a_minute() {
        let mut strangers = Strangers::default();
        let at = Duration::from_secs;
        assert!(strangers.turned_away(address(1), Why::WrongKey, at(0)));
        assert!(!strangers.turned_away(address(1), Why::WrongKey, at(59)));
        assert!(strangers.turned_away(address(2), Why::WrongKey, at(59)));
        assert!(strangers.turned_away(address(1), Why::WrongKey, at(60)));
    }

    #[test]
    fn who_only_looks_in_is_not_told() {
        let mut strangers = Strangers::default();
        assert!(!strangers.turned_away(address(1), Why::LookedIn, Duration::ZERO));
        assert!(strangers.turned_away(address(1), Why::WrongKey, Duration::ZERO));
        assert_eq!(strangers.only_refused(), Some(&Why::WrongKey));
    }

    #[test]
    fn many_addresses_take_no_memory() {
        let mut strangers = Strangers::default();
        let told = (0..10_000).filter(|n| strangers.turned_away(address(*n), Why::NotAPeer, Duration::ZERO));
        assert_eq!(told.count(), REMEMBERED);
        assert_eq!(strangers.told.len(), REMEMBERED);
    }

    #[test]
    fn who_is_refused_is_told_from_a_port_scan() {
        let mut strangers = Strangers::default();
        assert_eq!(strangers.only_refused(), None);
        for why in [Why::WrongKey, Why::Untrusted("expired".into())] {
            strangers.turned_away(address(1), why.clone(), Duration::ZERO);
            assert_eq!(strangers.only_refused(), Some(&why));
        }
        strangers.turned_away(address(1), Why::NotAPeer, Duration::ZERO);
        assert_eq!(strangers.only_refused(), None);
    }
}
