//! Rate limits that change while a session runs, on a simulated network: what is sent follows within a second.

use std::time::Duration;

use xbproto::failure::Party;
use xbproto::lane::LaneId;
use xbproto::quantity::Rate;
use xbproto::quic::Congestion;
use xbproto::session::{Received, Sent};
use xbtests::sim::{Blackout, Bottleneck, Conditions, Delay, Scenario, Story};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// What limits are multiples of here.
const UNIT: u64 = 256 << 10;

/// What datagrams have besides the bytes that are counted, as a share of these: more where a slow limit makes them small.
const OVERHEAD: f64 = 1.2;

/// How long each limit lasts.
const LASTS: Duration = Duration::from_secs(4);

fn rate(bytes: u64) -> Option<Rate> {
    Some(Rate::new(bytes).expect("a rate"))
}

/// A path of `trip` there and back, which takes no more than `bottleneck`.
fn path(trip: u64, bottleneck: Option<u64>) -> Conditions {
    let delay = Delay { least: Duration::from_millis(trip / 2), jitter: Duration::ZERO };
    let bottleneck = bottleneck.map(|rate| Bottleneck { rate, queue: 256 << 10 });
    Conditions { delay, bottleneck, ..Conditions::default() }
}

/// Changes that come one after the other, from the beginning on, and a source of `len` bytes, which is to outlast them.
fn changing(len: u64, changes: &[(Party, Option<u64>)], over: Conditions) -> Scenario {
    let limits = (0..).map(|n| LASTS * n).zip(changes);
    let limits = limits.map(|(at, (party, bytes))| (at, *party, bytes.and_then(rate))).collect();
    Scenario { limits, ..Scenario::new(9, len).over(over) }
}

fn confirmed(scenario: &Scenario) -> Story {
    let story = scenario.play();
    assert!(matches!(story.sent, Sent::Confirmed(_)), "{:?}", story.sent);
    assert!(matches!(story.received, Received::Confirmed(_)), "{:?}", story.received);
    story
}

/// Bytes that were sent in the second that ends then.
fn sent_until(story: &Story, end: Duration) -> f64 {
    let second = end - Duration::from_secs(1)..end;
    let sent: usize = story.sent_datagrams().filter(|(at, _, _)| second.contains(at)).map(|(_, len, _)| len).sum();
    sent as f64
}

/// In every second of each change but the first, the sender sends no faster than the limit that binds, and as fast.
fn assert_met(story: &Story, binding: &[u64]) {
    for (number, binding) in (0..).zip(binding) {
        let (begins, binding) = (LASTS * number, *binding as f64);
        for second in 2..=LASTS.as_secs() {
            let sent = sent_until(story, begins + Duration::from_secs(second));
            let met = (binding * 0.95..=binding * OVERHEAD).contains(&sent);
            assert!(met, "second {second} after change {number}: {sent} bytes are sent of {binding}");
        }
    }
}

#[test]
fn ten_changes_from_either_side_are_met_within_a_second() {
    use Party::{Receiver, Sender};
    let changes = [
        (Sender, Some(4 * UNIT)),
        (Receiver, Some(UNIT)),
        (Sender, Some(8 * UNIT)),
        (Receiver, Some(6 * UNIT)),
        (Sender, Some(2 * UNIT)),
        (Receiver, None),
        (Sender, Some(5 * UNIT)),
        (Receiver, Some(10 * UNIT)),
        (Sender, None),
        (Receiver, Some(UNIT)),
        (Sender, Some(3 * UNIT)),
        (Receiver, None),
    ];
    let binding = [4, 1, 1, 6, 2, 2, 5, 5, 10, 1, 1, 3].map(|units| units * UNIT);
    for trip in [1, 50] {
        for congestion in [Congestion::Model, Congestion::Cubic] {
            let scenario = Scenario { congestion, ..changing(46 * MIB, &changes, path(trip, Some(20 * MIB))) };
            assert_met(&confirmed(&scenario), &binding);
        }
    }
}

#[test]
fn several_links_keep_to_one_limit_that_changes() {
    use Party::{Receiver, Sender};
    let changes = [(Sender, Some(4 * UNIT)), (Receiver, Some(UNIT)), (Receiver, None), (Sender, Some(10 * UNIT))];
    let scenario = changing(22 * MIB, &changes, path(20, Some(20 * MIB))).with_links(3);
    assert_met(&confirmed(&scenario), &[4 * UNIT, UNIT, 4 * UNIT, 10 * UNIT]);
}

/// What was let through before is on its way, or waits behind it. It is no more than a slow path takes in a moment.
#[test]
fn a_limit_that_comes_late_is_met_on_a_slow_path_too() {
    for trip in [2, 50, 200] {
        let changes = [(Party::Sender, None), (Party::Receiver, Some(256 * KIB))];
        let scenario = Scenario { window: 64 * MIB, ..changing(10 * MIB, &changes, path(trip, Some(2 * MIB))) };
        let story = confirmed(&scenario);
        let at = Duration::from_secs;
        let before = sent_until(&story, LASTS);
        assert!(before >= 1.5 * MIB as f64, "{before} bytes are sent in a second of 2 MiB, at {trip} ms");
        for second in [6, 7, 8] {
            let sent = sent_until(&story, at(second));
            assert!(sent <= 256.0 * 1024.0 * OVERHEAD, "second {second}: {sent} bytes are sent at {trip} ms");
        }
    }
}

#[test]
fn a_receivers_limit_holds_from_the_first_block() {
    let story = confirmed(&changing(5 * MIB, &[(Party::Receiver, Some(MIB))], path(50, None)));
    let burst = story.burst(MIB as f64 * OVERHEAD, Duration::ZERO);
    // The handshake and the search for the MTU are not limited.
    let allowed = (MIB / 10 + 128 * KIB) as f64 * OVERHEAD;
    assert!(burst <= allowed, "{burst} bytes at once, allowed are {allowed}");
}

#[test]
fn what_the_receiver_changes_in_an_outage_holds_after_it() {
    let blackout = Blackout { from: Duration::from_secs(4), lasts: Duration::from_secs(30) };
    let conditions = Conditions { blackouts: vec![blackout], ..path(20, None) };
    let at = Duration::from_secs;
    let limits = vec![
        (at(0), Party::Receiver, rate(MIB)),
        (at(20), Party::Receiver, rate(4 * MIB)),
        (at(25), Party::Sender, rate(2 * MIB)),
    ];
    let retry_for = Duration::from_secs(120);
    let scenario = Scenario { limits, retry_for, ..Scenario::new(9, 140 * MIB).over(conditions) };
    let story = confirmed(&scenario);
    let written = story.written_at(LaneId(0), at(80)) - story.written_at(LaneId(0), at(60));
    let per_second = written as f64 / 20.0 / MIB as f64;
    assert!((1.9..=2.1).contains(&per_second), "{per_second} MiB a second after the outage");
}
