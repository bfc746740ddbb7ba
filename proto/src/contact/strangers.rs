//! What is said of those who are turned away, and how often.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::link::TurnedAway;

/// One line for each address in this time.
const QUIET: Duration = Duration::from_secs(60);

/// Addresses that are remembered at a time; beyond it new ones are counted and not told.
const REMEMBERED: usize = 64;

/// Keeps the log short when a port is scanned.
#[derive(Debug, Default)]
pub struct Strangers {
    told: HashMap<IpAddr, Duration>,
    wrong_keys: u64,
    others: u64,
}

/// Why somebody was turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It has another key.
    WrongKey,
    /// It is something else altogether.
    NotAPeer,
    /// It only looked whether somebody listens.
    LookedIn,
}

impl From<&TurnedAway> for Why {
    fn from(turned_away: &TurnedAway) -> Why {
        match turned_away {
            TurnedAway::WrongKey => Why::WrongKey,
            TurnedAway::Left => Why::LookedIn,
            _ => Why::NotAPeer,
        }
    }
}

impl Strangers {
    /// Counts one, at `now` since the start. Returns whether it is to be told.
    pub fn turned_away(&mut self, from: IpAddr, why: Why, now: Duration) -> bool {
        match why {
            Why::WrongKey => self.wrong_keys += 1,
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

    /// Whether peers with another key came, and nobody else.
    pub fn only_wrong_keys(&self) -> bool {
        self.wrong_keys > 0 && self.others == 0
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
        assert!(strangers.only_wrong_keys());
    }

    #[test]
    fn many_addresses_take_no_memory() {
        let mut strangers = Strangers::default();
        let told = (0..10_000).filter(|n| strangers.turned_away(address(*n), Why::NotAPeer, Duration::ZERO));
        assert_eq!(told.count(), REMEMBERED);
        assert_eq!(strangers.told.len(), REMEMBERED);
    }

    #[test]
    fn wrong_keys_alone_are_told_from_a_port_scan() {
        let mut strangers = Strangers::default();
        assert!(!strangers.only_wrong_keys());
        strangers.turned_away(address(1), Why::WrongKey, Duration::ZERO);
        assert!(strangers.only_wrong_keys());
        strangers.turned_away(address(1), Why::NotAPeer, Duration::ZERO);
        assert!(!strangers.only_wrong_keys());
    }
}
