//! Thousands of sessions over a simulated network that is lost and found again, by seed.
//!
//! `XBTESTS_SEEDS=FIRST..LAST` plays other seeds than the fixed ones. Whatever fails names its seed, and
//! a single seed played again fails again: `XBTESTS_SEEDS=17..17`.

#![allow(clippy::print_stderr, reason = "a test's words belong to the test runner, which captures them")]

use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::time::Duration;

use xbproto::failure::{Cause, Party};
use xbproto::lane::LaneId;
use xbproto::session::{Received, Sent};
use xbtests::sim::{Blackout, Conditions, Delay, Disk, Event, Rng, Scenario, Step, Story};
use xbtests::skip::is_full_run;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// How long the senders of these stories try to come back.
const RETRY_FOR: Duration = Duration::from_secs(300);

#[test]
fn every_outage_within_the_limit_is_survived() {
    each_seed(1, |seed| {
        let mut scenario = of_seed(seed);
        darken(&mut scenario, 0..=120);
        let story = scenario.play();
        assert!(matches!(story.sent, Sent::Confirmed(_)), "seed {seed}: {:?}", story.sent);
        assert!(matches!(story.received, Received::Confirmed(_) | Received::Unacknowledged(_)), "seed {seed}");
        assert_all_there(&scenario, &story, seed);
    });
}

#[test]
fn whatever_happens_nobody_takes_half_for_whole() {
    each_seed(2, |seed| {
        let mut scenario = of_seed(seed);
        darken(&mut scenario, 0..=900);
        spoil(&mut scenario);
        let story = scenario.play();
        assert_agreed(&story, seed);
        if matches!(story.sent, Sent::Confirmed(_)) {
            assert_all_there(&scenario, &story, seed);
        }
    });
}

#[test]
fn a_failing_seed_fails_again() {
    for seed in [3, 77] {
        let mut scenario = of_seed(seed);
        darken(&mut scenario, 0..=900);
        spoil(&mut scenario);
        let (once, again) = (scenario.play(), scenario.play());
        assert_eq!((once.sent, once.received), (again.sent, again.received));
        assert!(once.log == again.log, "seed {seed} is another story the second time");
    }
}

/// Plays the seeds of this run, and says which.
fn each_seed(purpose: u64, play: impl Fn(u64)) {
    let seeds = seeds();
    eprintln!("seeds {seeds:?}, XBTESTS_SEEDS plays others");
    for seed in seeds {
        play(seed * 10 + purpose);
    }
}

fn seeds() -> RangeInclusive<u64> {
    let parse = |text: String| {
        let (first, last) = text.split_once("..").expect("FIRST..LAST");
        first.parse().expect("a number")..=last.parse().expect("a number")
    };
    let usual = if is_full_run() { 1..=5000 } else { 1..=1000 };
    std::env::var("XBTESTS_SEEDS").ok().map_or(usual, parse)
}

/// Up to 3 % loss, up to 200 ms there and back, jitter, duplicates, one to three lanes with pauses.
fn of_seed(seed: u64) -> Scenario {
    let mut rng = Rng::new(seed, 0);
    let conditions = |rng: &mut Rng| {
        let least = Duration::from_millis(rng.within(0..=100));
        Conditions {
            delay: Delay { least, jitter: rng.up_to(least / 2) },
            loss: rng.within(0..=30) as f64 / 1000.0,
            duplication: rng.within(0..=30) as f64 / 1000.0,
            ..Conditions::default()
        }
    };
    let lane = |rng: &mut Rng| -> Vec<Step> {
        let bursts = rng.within(0..=5);
        let burst =
            |rng: &mut Rng| [Step::Give(rng.within(0..=300 * KIB)), Step::Pause(rng.up_to(Duration::from_secs(30)))];
        (0..bursts).flat_map(|_| burst(rng)).collect()
    };
    let lanes = rng.within(1..=3);
    Scenario {
        there: conditions(&mut rng),
        back: conditions(&mut rng),
        lanes: (0..lanes).map(|_| lane(&mut rng)).collect(),
        window: lanes * 2 * MIB,
        disk: Disk { sync_rate: rng.chance(0.3).then(|| rng.within(1..=8) * MIB), ..Disk::default() },
        retry_for: RETRY_FOR,
        ..Scenario::new(seed, 0).compressed_by_seed().pulled_by_seed()
    }
}

/// Up to six outages of so many seconds, each in one direction or both.
fn darken(scenario: &mut Scenario, seconds: RangeInclusive<u64>) {
    let mut rng = Rng::new(scenario.seed, 1);
    // After the first contact: a receiver waits for that without end.
    let mut from = Duration::from_secs(10);
    for _ in 0..rng.within(0..=6) {
        from += rng.up_to(Duration::from_secs(40));
        let lasts = rng.up_to(Duration::from_secs(rng.clone().within(seconds.clone())));
        let blackout = Blackout { from, lasts };
        match rng.within(0..=3) {
            0 => scenario.there.blackouts.push(blackout),
            1 => scenario.back.blackouts.push(blackout),
            _ => {
                scenario.there.blackouts.push(blackout);
                scenario.back.blackouts.push(blackout);
            }
        }
        // Time to be found again, whichever side notices last.
        from += lasts + Duration::from_secs(30);
    }
}

/// Lets the source break or the disk be full, now and then.
fn spoil(scenario: &mut Scenario) {
    let mut rng = Rng::new(scenario.seed, 2);
    if rng.chance(0.2) {
        scenario.lanes[0].push(Step::Fail(ErrorKind::ConnectionReset));
    }
    if rng.chance(0.2) {
        scenario.disk.full_at = Some(rng.within(0..=600 * KIB));
    }
}

/// Every byte of every lane is in the sink, and it is committed once.
fn assert_all_there(scenario: &Scenario, story: &Story, seed: u64) {
    for (lane, steps) in scenario.lanes.iter().enumerate() {
        assert_eq!(story.written(LaneId(lane as u16)), xbtests::sim::source::len(steps), "seed {seed}, lane {lane}");
    }
    let commits = story.log.iter().filter(|entry| entry.event == Event::Committed).count();
    assert_eq!(commits, 1, "seed {seed}");
}

/// No end in which one side takes for done what the other does not have; and where both know the cause, it
/// is the same.
fn assert_agreed(story: &Story, seed: u64) {
    let committed = story.log.iter().any(|entry| entry.event == Event::Committed);
    match (&story.sent, &story.received) {
        (Sent::Confirmed(sent), Received::Confirmed(received) | Received::Unacknowledged(received)) => {
            assert_eq!(sent, received, "seed {seed}");
            assert!(committed, "seed {seed}");
        }
        (Sent::Failed(sent), Received::Unacknowledged(_)) => assert_eq!(sent.cause, Cause::Unconfirmed, "seed {seed}"),
        (Sent::Failed(sent), Received::Failed(received)) => {
            assert!(!committed, "seed {seed}");
            let told = |cause| cause != Cause::PeerLost && cause != Cause::Unconfirmed;
            if told(sent.cause) && told(received.cause) && sent.party == received.party {
                assert_eq!(sent, received, "seed {seed}");
            }
            if sent.party == Party::Receiver && told(sent.cause) {
                assert_eq!(sent, received, "seed {seed}: the sender repeats what the receiver said");
            }
        }
        (sent, received) => panic!("seed {seed}: {sent:?} here, {received:?} there"),
    }
}
