//! What keeps a transfer from being faster: a judgement on what its workers have counted, and the sum of many.

use std::fmt;
use std::time::Duration;

use crate::failure::Party;
use crate::meter::{Bottleneck, Waits};
use crate::wire::Waiting;

/// What keeps a transfer from being faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// The backup tool, file or pipe that the bytes come from has none to give.
    Source,
    /// The rate limit lets no more pass.
    Limiter,
    /// Nobody waits for anything else: hashing, encryption and copying take their time on one of the hosts.
    Cpu,
    /// All that may be under way is, and takes as long as the path does.
    Window,
    /// Packets were lost lately, and the congestion controller lets no more be under way.
    Congestion,
    /// The path carries no more, and loses nothing.
    Network,
    /// The disk or consumer that the bytes go to takes no more.
    Disk,
}

impl Limit {
    /// All of them, in the order the bytes pass them; a draw goes to the first.
    const ALL: [Limit; 7] =
        [Limit::Source, Limit::Limiter, Limit::Cpu, Limit::Window, Limit::Congestion, Limit::Network, Limit::Disk];

    /// One word for a script.
    pub fn word(self) -> &'static str {
        match self {
            Limit::Source => "source",
            Limit::Limiter => "limiter",
            Limit::Cpu => "cpu",
            Limit::Window => "window",
            Limit::Congestion => "congestion",
            Limit::Network => "network",
            Limit::Disk => "disk",
        }
    }

    /// What a person would say that one waits for.
    pub fn words(self) -> &'static str {
        match self {
            Limit::Source => "the source",
            Limit::Limiter => "the limiter",
            Limit::Cpu => "the CPU",
            Limit::Window => "the window",
            Limit::Congestion => "the network (congestion)",
            Limit::Network => "the network",
            Limit::Disk => "the disk",
        }
    }

    /// What a side says that it waits for.
    pub fn waiting(self) -> Waiting {
        match self {
            Limit::Source => Waiting::Source,
            Limit::Limiter => Waiting::Limiter,
            Limit::Cpu => Waiting::Cpu,
            Limit::Window => Waiting::Window,
            Limit::Congestion => Waiting::Congestion,
            Limit::Network => Waiting::Network,
            Limit::Disk => Waiting::Disk,
        }
    }

    /// What keeps a side that says so.
    fn of(waiting: Waiting) -> Option<Limit> {
        match waiting {
            Waiting::Nothing => None,
            Waiting::Source => Some(Limit::Source),
            Waiting::Limiter => Some(Limit::Limiter),
            Waiting::Disk | Waiting::Syncing => Some(Limit::Disk),
            Waiting::Cpu => Some(Limit::Cpu),
            Waiting::Window => Some(Limit::Window),
            Waiting::Congestion => Some(Limit::Congestion),
            Waiting::Network => Some(Limit::Network),
        }
    }
}

/// What one side has seen in a span of time.
#[derive(Clone, Copy, Debug)]
pub struct Evidence {
    /// How long it has looked.
    pub span: Duration,
    /// Bytes that were moved.
    pub moved: u64,
    /// For whom its workers waited.
    pub waited: Waits,
    /// Whose rate limit binds, if there is one.
    pub limiter: Option<Party>,
    /// How what it sends is under way; nothing for a receiver, and without a link.
    pub flow: Option<Flow>,
}

/// How bytes are under way to the peer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    /// Bytes a second that were sent, with all that goes with them.
    pub rate: u64,
    /// The smoothed round-trip time.
    pub round_trip: Duration,
    /// What the congestion controller lets be under way, in bytes; nothing where that is the kernel's business.
    pub congestion_window: Option<u64>,
    /// How long ago it last saw a reason to slow down.
    pub slowed: Option<Duration>,
    /// What is held until the receiver has it for good, in bytes.
    pub held: u64,
    /// How much of that there may be: the session's window.
    pub window: u64,
    /// How many bytes of the stream one on the wire stands for.
    pub ratio: f64,
}

impl Flow {
    /// Bytes on their way at any moment, or their acknowledgements.
    fn under_way(&self) -> u64 {
        (self.rate as f64 * self.round_trip.as_secs_f64()) as u64
    }

    /// The same in bytes of the stream.
    fn stream_under_way(&self) -> u64 {
        (self.under_way() as f64 * self.ratio) as u64
    }
}

/// For how long a reason to slow down is one: some round trips of a long path.
const LATELY: Duration = Duration::from_secs(5);

/// What limits the transfer as far as a side knows by itself; nothing when it waits for the other side, or stands still.
///
/// Whoever waits for less than a quarter of the time waits for nobody; what was handed over to the network may still
/// wait there. A disk has to be waited for three quarters of the time: it writes while the next bytes are hashed, and
/// holds nobody up before it is hardly ever idle. A sender has its window full if it holds 7/8 of it and half of that is on its way (else it is the
/// receiver that is late). It is kept by the congestion controller if half of what that allows is on its way; over TCP,
/// where only the kernel knows that, by the network if it is waited for.
pub fn own_limit(evidence: &Evidence) -> Option<Limit> {
    let kept_by = kept_by(evidence);
    let path = || evidence.flow.as_ref().and_then(|flow| path_limit(flow, kept_by));
    match kept_by {
        None => path().or((evidence.moved > 0).then_some(Limit::Cpu)),
        Some(Bottleneck::Source) => Some(Limit::Source),
        Some(Bottleneck::Limiter) => Some(Limit::Limiter),
        Some(Bottleneck::Network) => path(),
        Some(Bottleneck::Disk) => Some(Limit::Disk),
    }
}

fn kept_by(evidence: &Evidence) -> Option<Bottleneck> {
    let Evidence { span, waited, .. } = evidence;
    if waited.of(Bottleneck::Disk) * 4 >= *span * 3 {
        return Some(Bottleneck::Disk);
    }
    waited
        .longest_of(&[Bottleneck::Source, Bottleneck::Limiter, Bottleneck::Network])
        .filter(|whom| waited.of(*whom) * 4 >= *span)
}

fn path_limit(flow: &Flow, kept_by: Option<Bottleneck>) -> Option<Limit> {
    let under_way = flow.under_way();
    if flow.held >= flow.window / 8 * 7 && flow.stream_under_way() >= flow.window / 2 {
        return Some(Limit::Window);
    }
    let Some(congestion_window) = flow.congestion_window else {
        return (kept_by == Some(Bottleneck::Network)).then_some(Limit::Network);
    };
    let slowed = flow.slowed.is_some_and(|ago| ago < LATELY);
    match under_way >= congestion_window / 2 {
        true if slowed => Some(Limit::Congestion),
        true => Some(Limit::Network),
        false => None,
    }
}

/// What limits the transfer, with what the `peer` says that it waits for; nothing when that is not known.
///
/// A disk that takes no more fills whatever is before it. Where bytes move and neither side knows of anything to wait
/// for, both are busy.
pub fn limit(evidence: &Evidence, peer: Waiting) -> Option<Limit> {
    match (own_limit(evidence), Limit::of(peer)) {
        (Some(own @ (Limit::Source | Limit::Limiter)), _) => Some(own),
        (_, Some(Limit::Disk)) => Some(Limit::Disk),
        (Some(own), _) => Some(own),
        (None, Some(peer)) => Some(peer),
        (None, None) => (evidence.moved > 0).then_some(Limit::Cpu),
    }
}

/// How long a transfer was kept by what.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// By [`Limit`].
    spent: [Duration; Limit::ALL.len()],
    /// Nothing is known of so long, or there was no link.
    unknown: Duration,
    /// The path of the last span that the window was too small for.
    narrow: Option<Flow>,
    /// Whose limit it was in the last span that a rate limit was the limit in.
    limiter: Option<Party>,
}

impl Tally {
    /// Counts one more span of time, for whoever was the limit in it.
    pub fn add(&mut self, limit: Option<Limit>, evidence: &Evidence) {
        let Some(limit) = limit else {
            self.unknown += evidence.span;
            return;
        };
        self.spent[limit as usize] += evidence.span;
        match limit {
            Limit::Window => self.narrow = evidence.flow,
            Limit::Limiter => self.limiter = evidence.limiter.or(self.limiter),
            _ => {}
        }
    }

    /// What it was most of the time; nothing before anything was counted.
    pub fn sum(&self) -> Option<Limited> {
        let most = Limit::ALL.into_iter().rev().max_by_key(|limit| self.spent[*limit as usize])?;
        if self.spent[most as usize].is_zero() {
            return None;
        }
        let all = self.spent.iter().sum::<Duration>() + self.unknown;
        let percent = (self.spent[most as usize].as_nanos() * 100).checked_div(all.as_nanos())?;
        Some(Limited { by: most, percent: percent as u8, hint: self.hint(most) })
    }

    /// What can be done about it, where a setting can.
    fn hint(&self, limit: Limit) -> Option<String> {
        match limit {
            Limit::Limiter => self.limiter.map(|party| format!("the {party}'s --rate-limit has it so")),
            Limit::Window => self.narrow.map(|flow| {
                let (time, more) = (flow.round_trip.as_millis(), flow.window.div_ceil(1 << 20) * 2);
                format!("a round trip takes {time} ms, so --window {more}m on both sides lets up to twice as much pass")
            }),
            _ => None,
        }
    }
}

/// What has kept a transfer from being faster, most of the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limited {
    /// What.
    pub by: Limit,
    /// For how much of the time.
    pub percent: u8,
    /// What can be done about it, where a setting can.
    pub hint: Option<String>,
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the limit was {} for {} % of the time", self.by.words(), self.percent)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Duration = Duration::from_millis(500);

    fn waited(whom: Bottleneck) -> Evidence {
        let long_enough = if whom == Bottleneck::Disk { SPAN * 3 / 4 } else { SPAN / 4 };
        Evidence { span: SPAN, moved: 1, waited: Waits::only(whom, long_enough), limiter: None, flow: None }
    }

    /// Waits for the network, with 10 MB on its way.
    fn sending(congestion_window: u64, slowed: Option<u64>, held: u64, window: u64) -> Evidence {
        let (rate, round_trip) = (100_000_000, Duration::from_millis(100));
        let (slowed, congestion_window) = (slowed.map(Duration::from_secs), Some(congestion_window));
        let flow = Flow { rate, round_trip, congestion_window, slowed, held, window, ratio: 1.0 };
        Evidence { flow: Some(flow), ..waited(Bottleneck::Network) }
    }

    #[test]
    fn a_disk_that_is_idle_at_times_is_not_the_limit() {
        let waited = Waits::only(Bottleneck::Disk, SPAN * 3 / 5).and(Bottleneck::Source, SPAN / 2);
        let evidence = Evidence { span: SPAN, moved: 1, waited, limiter: None, flow: None };
        assert_eq!(limit(&evidence, Waiting::Nothing), Some(Limit::Source));
        let alone = Evidence { waited: Waits::only(Bottleneck::Disk, SPAN * 3 / 5), ..evidence };
        assert_eq!(limit(&alone, Waiting::Nothing), Some(Limit::Cpu));
    }

    #[test]
    fn whoever_is_waited_for_is_the_limit() {
        for (whom, expected) in [
            (Bottleneck::Source, Limit::Source),
            (Bottleneck::Limiter, Limit::Limiter),
            (Bottleneck::Disk, Limit::Disk),
        ] {
            assert_eq!(limit(&waited(whom), Waiting::Nothing), Some(expected));
        }
    }

    #[test]
    fn where_nobody_waits_it_is_the_cpu_as_long_as_something_moves() {
        let hardly = Evidence { waited: Waits::only(Bottleneck::Source, SPAN / 5), ..waited(Bottleneck::Source) };
        for evidence in [hardly, Evidence { waited: Waits::default(), ..hardly }] {
            assert_eq!(limit(&evidence, Waiting::Nothing), Some(Limit::Cpu));
            assert_eq!(limit(&evidence, Waiting::Syncing), Some(Limit::Disk));
            assert_eq!(limit(&Evidence { moved: 0, ..evidence }, Waiting::Nothing), None);
        }
    }

    #[test]
    fn a_full_window_is_the_limit_only_where_the_path_fills_it() {
        const MB: u64 = 1_000_000;
        let full = |window: u64| own_limit(&sending(1000 * MB, None, window, window));
        assert_eq!(full(12 * MB), Some(Limit::Window));
        // Most of it has arrived: the receiver is late.
        assert_eq!(full(64 * MB), None);
        assert_eq!(own_limit(&sending(1000 * MB, None, 8 * MB, 12 * MB)), None);
    }

    #[test]
    fn a_full_congestion_window_is_congestion_for_a_while_after_losses() {
        const MB: u64 = 1_000_000;
        let of = |congestion_window, slowed| own_limit(&sending(congestion_window, slowed, 20 * MB, 64 * MB));
        assert_eq!(of(12 * MB, Some(1)), Some(Limit::Congestion));
        assert_eq!(of(12 * MB, Some(60)), Some(Limit::Network));
        assert_eq!(of(12 * MB, None), Some(Limit::Network));
        assert_eq!(of(100 * MB, Some(1)), None);
        let handed_over = Evidence { waited: Waits::default(), ..sending(12 * MB, Some(1), 20 * MB, 64 * MB) };
        assert_eq!(own_limit(&handed_over), Some(Limit::Congestion));
        let idle = Evidence { waited: Waits::default(), ..sending(100 * MB, Some(1), 20 * MB, 64 * MB) };
        assert_eq!(own_limit(&idle), Some(Limit::Cpu));
    }

    #[test]
    fn over_tcp_it_is_the_network_where_that_is_waited_for() {
        let mut evidence = sending(0, None, 20, 64 << 20);
        evidence.flow = evidence.flow.map(|flow| Flow { congestion_window: None, ..flow });
        assert_eq!(own_limit(&evidence), Some(Limit::Network));
        let nobody_waits = Evidence { waited: Waits::default(), ..evidence };
        assert_eq!(own_limit(&nobody_waits), Some(Limit::Cpu));
    }

    #[test]
    fn waiting_for_the_network_is_waiting_for_what_the_peer_waits_for() {
        let receiving = waited(Bottleneck::Network);
        for (says, expected) in [
            (Waiting::Source, Limit::Source),
            (Waiting::Congestion, Limit::Congestion),
            (Waiting::Window, Limit::Window),
            (Waiting::Disk, Limit::Disk),
            (Waiting::Nothing, Limit::Cpu),
        ] {
            assert_eq!(limit(&receiving, says), Some(expected), "{says:?}");
        }
        let kept = sending(1, Some(1), 1, 64 << 20);
        assert_eq!(limit(&kept, Waiting::Disk), Some(Limit::Disk));
        assert_eq!(limit(&kept, Waiting::Cpu), Some(Limit::Congestion));
        assert_eq!(limit(&waited(Bottleneck::Limiter), Waiting::Disk), Some(Limit::Limiter));
    }

    #[test]
    fn what_a_side_says_is_what_the_other_hears() {
        for limit in Limit::ALL {
            assert_eq!(Limit::of(limit.waiting()), Some(limit));
        }
    }

    #[test]
    fn the_sum_is_what_it_was_most_of_the_time() {
        let mut tally = Tally::default();
        assert_eq!(tally.sum(), None);
        (0..21).for_each(|_| tally.add(Some(Limit::Congestion), &waited(Bottleneck::Network)));
        (0..4).for_each(|_| tally.add(Some(Limit::Disk), &waited(Bottleneck::Disk)));
        let sum = tally.sum().expect("a sum").to_string();
        assert_eq!(sum, "the limit was the network (congestion) for 84 % of the time");
    }

    #[test]
    fn a_rate_limit_comes_with_whose_it_is() {
        let limited = |by| Evidence { limiter: Some(by), ..waited(Bottleneck::Limiter) };
        let mut tally = Tally::default();
        tally.add(Some(Limit::Limiter), &limited(Party::Sender));
        tally.add(Some(Limit::Limiter), &limited(Party::Receiver));
        let sum = tally.sum().expect("a sum").to_string();
        assert_eq!(sum, "the limit was the limiter for 100 % of the time; the receiver's --rate-limit has it so");
    }

    #[test]
    fn a_window_that_is_too_small_comes_with_one_that_is_not() {
        let mut tally = Tally::default();
        tally.add(Some(Limit::Window), &sending(0, None, 64 << 20, 64 << 20));
        let hint = tally.sum().and_then(|sum| sum.hint).expect("a hint");
        assert_eq!(hint, "a round trip takes 100 ms, so --window 128m on both sides lets up to twice as much pass");
    }
}
