//! The report that SIGUSR1 asks for.

use super::compressed::Compressed;
use super::event::Snapshot;
use super::setting::Setting;
use super::words::{numbers, passing};
use crate::link::PathReport;
use crate::quantity::ByteSize;
use crate::session::RateLimit;
use crate::wire::Waiting;

/// How a program does at a moment.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// What it is doing, in a few words.
    pub state: String,
    /// Where the transfer stands, once there is one.
    pub snapshot: Option<Snapshot>,
    /// What is held in memory or on disk between source and sink.
    pub fills: Vec<Fill>,
    /// What compression on the wire has come to, if this side compresses.
    pub compressed: Option<Compressed>,
    /// The rate limit that binds, if there is one.
    pub rate_limit: Option<RateLimit>,
    /// What the peer waits for, as it said last.
    pub peer: Option<Waiting>,
    /// How the link does, while there is one.
    pub path: Option<PathReport>,
    /// Whether there is to be one.
    pub setting: Setting,
}

/// How full something is, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// What it is.
    pub name: &'static str,
    /// What is in it.
    pub held: u64,
    /// What it may hold.
    pub limit: u64,
}

impl Status {
    /// The report, line by line.
    pub(super) fn lines(&self) -> Vec<String> {
        let standing = self.snapshot.iter().map(|snapshot| format!(", {}", numbers(snapshot)));
        let first = std::iter::once(self.state.clone()).chain(standing).collect::<String>();
        let waiting = self.snapshot.as_ref().map(passing).filter(|words| !words.is_empty());
        let limited = self.snapshot.as_ref().and_then(|snapshot| snapshot.limited.as_ref()).map(ToString::to_string);
        let fills = self
            .fills
            .iter()
            .map(|fill| format!("{}: {} of {} in use", fill.name, ByteSize(fill.held), ByteSize(fill.limit)));
        let compressed = self.compressed.iter().map(ToString::to_string);
        let rate = self.rate_limit.map(|limit| format!("rate limit: {}, the {}'s", limit.rate, limit.by));
        let peer = self.peer.map(|waiting| format!("peer: {}", waiting.words()));
        let path = self.path.as_ref().map(|path| format!("{path}, to {}", path.peer));
        let path = path.or_else(|| (self.setting == Setting::TwoHosts).then(|| "path: no link".to_owned()));
        let lines = [first]
            .into_iter()
            .chain(waiting)
            .chain(limited)
            .chain(fills)
            .chain(compressed)
            .chain(rate)
            .chain(peer)
            .chain(path);
        lines.map(|line| format!("status: {line}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Party;
    use crate::limit::{Limit, Limited};
    use crate::quantity::Rate;

    #[test]
    fn everything_that_is_known_has_its_line() {
        let snapshot = Snapshot { bytes: 3 << 30, now: 10 << 20, average: 9 << 20, ..Snapshot::default() };
        let limited = Limited { by: Limit::Network, percent: 60, hint: None };
        let status = Status {
            state: "sending".into(),
            snapshot: Some(Snapshot { bottleneck: Some(Limit::Disk), limited: Some(limited), ..snapshot }),
            fills: vec![Fill { name: "window", held: 12 << 20, limit: 64 << 20 }],
            compressed: Some(Compressed { original: 2 << 20, encoded: 1 << 20, levels: Some(1..=1) }),
            rate_limit: Some(RateLimit { rate: Rate::MIN, by: Party::Receiver }),
            peer: Some(Waiting::Disk),
            path: None,
            setting: Setting::TwoHosts,
        };
        assert_eq!(
            status.lines(),
            [
                "status: sending, 3.0 GiB, 10.0 MiB/s now, 9.0 MiB/s average",
                "status: waiting for the disk",
                "status: the limit was the network for 60 % of the time",
                "status: window: 12.0 MiB of 64.0 MiB in use",
                "status: compressed 2.0 MiB to 1.0 MiB (2.0x, level 1)",
                "status: rate limit: 1.0 KiB/s, the receiver's",
                "status: peer: waits for its disk",
                "status: path: no link",
            ]
        );
    }
}
