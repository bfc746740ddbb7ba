//! The ports a listener may take.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::contact::DEFAULT_PORT;

/// `LO-HI`, or one port: at least one of them, and never port 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortRange(RangeInclusive<u16>);

/// It is not such a range.
#[derive(Debug, thiserror::Error)]
#[error("expected LO-HI with 1 <= LO <= HI <= 65535, such as 9999-10010")]
pub struct PortRangeError;

impl PortRange {
    /// This port alone, which is not 0.
    pub fn only(port: u16) -> Option<PortRange> {
        (port != 0).then_some(PortRange(port..=port))
    }

    /// All of them, in order.
    pub fn ports(&self) -> RangeInclusive<u16> {
        self.0.clone()
    }
}

impl FromStr for PortRange {
    type Err = PortRangeError;

    fn from_str(given: &str) -> Result<PortRange, PortRangeError> {
        let (low, high) = given.split_once('-').unwrap_or((given, given));
        match (low.parse(), high.parse()) {
            (Ok(low @ 1..), Ok(high)) if low <= high => Ok(PortRange(low..=high)),
            _ => Err(PortRangeError),
        }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0.start(), self.0.end())
    }
}

/// Which port a listener takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortChoice {
    /// This one; any free one if it is 0.
    Only(u16),
    /// The first of these that is free.
    Of(PortRange),
    /// This one, or any free one where that is taken: for a listener whose port somebody is told.
    Preferred(u16),
}

impl PortChoice {
    /// The same where somebody is told which one it is: the usual port is good, and any other is, too.
    pub fn told(self) -> PortChoice {
        match self {
            PortChoice::Only(DEFAULT_PORT) => PortChoice::Preferred(DEFAULT_PORT),
            choice => choice,
        }
    }

    /// Has `open` open one port after the other until one is not taken.
    ///
    /// # Errors
    /// The error of the last one.
    pub fn open<T, E>(&self, open: impl Fn(u16) -> Result<T, E>, is_taken: impl Fn(&E) -> bool) -> Result<T, E> {
        let (mut ports, last) = match self {
            PortChoice::Only(port) => (*port..=*port, None),
            PortChoice::Of(range) => (range.ports(), None),
            PortChoice::Preferred(port) => (*port..=*port, Some(0)),
        };
        let mut result = open(*ports.start());
        ports.next();
        for port in ports.chain(last) {
            match &result {
                Err(error) if is_taken(error) => result = open(port),
                _ => return result,
            }
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// What is tried, and taken, where these ports are not free.
    fn tried(choice: &PortChoice, taken: &[u16]) -> (Vec<u16>, Option<u16>) {
        let tried = RefCell::new(Vec::new());
        let opened = choice.open(
            |port| {
                tried.borrow_mut().push(port);
                if taken.contains(&port) { Err(port) } else { Ok(port) }
            },
            |_| true,
        );
        (tried.into_inner(), opened.ok())
    }

    #[test]
    fn the_first_free_port_is_taken() {
        let range = PortChoice::Of("7-9".parse().unwrap());
        assert_eq!(tried(&range, &[7]), (vec![7, 8], Some(8)));
        assert_eq!(tried(&range, &[7, 8, 9]), (vec![7, 8, 9], None));
        assert_eq!(tried(&PortChoice::Only(7), &[7]), (vec![7], None));
        assert_eq!(tried(&PortChoice::Preferred(7), &[]), (vec![7], Some(7)));
        assert_eq!(tried(&PortChoice::Preferred(7), &[7]), (vec![7, 0], Some(0)));
    }

    #[test]
    fn ranges_are_read_and_written() {
        let read = |given: &str| given.parse::<PortRange>().ok().map(|range| range.to_string());
        assert_eq!(read("9999-10010").as_deref(), Some("9999-10010"));
        assert_eq!(read("7").as_deref(), Some("7-7"));
        for wrong in ["", "-", "0", "0-7", "8-7", "7-", "-7", "7-70000", "a-b", "7-8-9", "7 - 8"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(PortRange::only(0), None);
    }
}
