//! The ports a listener may take.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use clap::Args;

/// Which port a listener takes.
#[derive(Args, Clone, Debug, Default)]
pub struct PortsArgs {
    /// Listen on a free UDP port of this range, such as 9999-10010; with --ssh, over there
    #[arg(long, value_name = "LO-HI", help_heading = "Connection")]
    pub ports: Option<PortRange>,
}

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

#[cfg(test)]
mod tests {
    use super::*;

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
