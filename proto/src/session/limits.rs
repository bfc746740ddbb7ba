//! The rate limits of both sides, of which the lower binds.

use crate::failure::Party;
use crate::quantity::Rate;

/// The rates that both sides allow, as one of them knows them: any where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The sender's.
    pub sender: Option<Rate>,
    /// The receiver's.
    pub receiver: Option<Rate>,
}

/// The limit that binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// What it allows.
    pub rate: Rate,
    /// Whose it is.
    pub by: Party,
}

impl Limits {
    /// The lower of both, and the sender's where they are the same; nothing where neither side has one.
    pub fn binding(&self) -> Option<RateLimit> {
        let of = |party| self.of(party).map(|rate| RateLimit { rate, by: party });
        [of(Party::Sender), of(Party::Receiver)].into_iter().flatten().min_by_key(|limit| limit.rate)
    }

    /// What a side allows.
    pub fn of(&self, party: Party) -> Option<Rate> {
        match party {
            Party::Sender => self.sender,
            Party::Receiver => self.receiver,
        }
    }

    pub(super) fn set(&mut self, party: Party, rate: Option<Rate>) {
        match party {
            Party::Sender => self.sender = rate,
            Party::Receiver => self.receiver = rate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(sender: Option<u64>, receiver: Option<u64>) -> Option<(u64, Party)> {
        let rate = |bytes: Option<u64>| bytes.map(|bytes| Rate::new(bytes).expect("a rate"));
        let limits = Limits { sender: rate(sender), receiver: rate(receiver) };
        limits.binding().map(|limit| (limit.rate.bytes_per_second(), limit.by))
    }

    #[test]
    fn the_lower_limit_binds() {
        assert_eq!(binding(None, None), None);
        assert_eq!(binding(Some(2000), None), Some((2000, Party::Sender)));
        assert_eq!(binding(None, Some(2000)), Some((2000, Party::Receiver)));
        assert_eq!(binding(Some(3000), Some(2000)), Some((2000, Party::Receiver)));
        assert_eq!(binding(Some(2000), Some(2000)), Some((2000, Party::Sender)));
    }
}
