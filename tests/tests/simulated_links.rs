//! Sessions over several links of a simulated network, some of which fail: the main one's loss is an outage, that of
//! another is nobody's affair.

use std::ops::RangeInclusive;
use std::time::Duration;

use xbproto::lane::LaneId;
use xbproto::session::{Received, Sent};
use xbtests::sim::{Blackout, Bottleneck, Conditions, Delay, Event, Fate, Rng, Scenario, Step, Story, source};
use xbtests::skip::is_full_run;

const MIB: u64 = 1 << 20;

/// A link of 1 MiB/s with a queue of a quarter of a second.
const SLOW: Bottleneck = Bottleneck { rate: MIB, queue: 256 << 10 };

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn slow(loss: f64) -> Conditions {
    Conditions { delay: Delay::steady(ms(20)), loss, bottleneck: Some(SLOW), ..Conditions::default() }
}

fn dark(from: u64, lasts: u64) -> Vec<Blackout> {
    vec![Blackout { from: ms(from), lasts: ms(lasts) }]
}

/// Plays it twice, with the same story; everything arrives, and is committed once.
fn assert_confirmed(scenario: &Scenario) -> Story {
    let (story, again) = (scenario.play(), scenario.play());
    assert!(story.log == again.log, "seed {} is another story the second time", scenario.seed);
    let Sent::Confirmed(receipt) = &story.sent else { panic!("seed {}: {:?}", scenario.seed, story.sent) };
    assert_eq!(story.received, Received::Confirmed(receipt.clone()), "seed {}", scenario.seed);
    for (lane, steps) in (0..).map(LaneId).zip(&scenario.lanes) {
        assert_eq!(story.written(lane), source::len(steps), "seed {}, {lane}", scenario.seed);
    }
    assert_eq!(story.log.iter().filter(|entry| entry.event == Event::Committed).count(), 1, "seed {}", scenario.seed);
    story
}

fn took(story: &Story) -> Duration {
    story.time_of(&Event::Committed).expect("confirmed")
}

/// The longest time between two writes of the first lane.
fn longest_stall(story: &Story) -> Duration {
    let writes = story.log.iter().filter(|entry| matches!(entry.event, Event::Written(LaneId(0), _)));
    let times: Vec<Duration> = writes.map(|entry| entry.at).collect();
    times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
}

#[test]
fn four_links_carry_more_than_one() {
    let one = Scenario::new(1, 24 * MIB).over(slow(0.0));
    let (one, four) = (assert_confirmed(&one), assert_confirmed(&one.clone().with_links(4)));
    assert!(took(&four) * 3 < took(&one), "{:?} with four, {:?} with one", took(&four), took(&one));
}

#[test]
fn one_link_is_what_it_was() {
    let scenario = Scenario::new(2, 4 * MIB).over(slow(0.01));
    assert!(scenario.play().log == scenario.clone().with_links(1).play().log);
}

#[test]
fn links_that_lose_datagrams() {
    let story = assert_confirmed(&Scenario::new(3, 16 * MIB).over(slow(0.03)).with_links(4));
    assert!(story.count(Fate::Lost) > 50);
}

#[test]
fn a_slow_link_beside_fast_ones_gets_what_it_can_carry() {
    let fast = Conditions { bottleneck: Some(Bottleneck { rate: 8 * MIB, queue: MIB }), ..slow(0.0) };
    let mut scenario = Scenario::new(4, 48 * MIB).over(fast).with_links(2);
    scenario.more_links.push((slow(0.0), slow(0.0)));
    let story = assert_confirmed(&scenario);
    assert!(took(&story) < ms(6000), "{:?} for 48 MiB over 17 MiB/s", took(&story));
}

/// Nothing is heard on one link for 10 s: what it carries goes over the others after a second, and not when it is lost.
#[test]
fn a_silent_link_holds_nobody_up_for_long() {
    let mut scenario = Scenario::new(5, 24 * MIB).over(slow(0.0)).with_links(3);
    scenario.more_links[1].0.blackouts = dark(3000, 10_000);
    scenario.more_links[1].1.blackouts = dark(3000, 10_000);
    let stall = longest_stall(&assert_confirmed(&scenario));
    assert!((ms(1000)..ms(3000)).contains(&stall), "{stall:?}");
}

/// Nor does the main one, as long as the window lasts: what has arrived is told over that one alone.
#[test]
fn a_silent_main_link_holds_nobody_up_for_long() {
    let mut scenario = Scenario { window: 32 * MIB, ..Scenario::new(6, 24 * MIB).over(slow(0.0)) }.with_links(3);
    scenario.there.blackouts = dark(3000, 8000);
    scenario.back.blackouts = dark(3000, 8000);
    let stall = longest_stall(&assert_confirmed(&scenario));
    assert!((ms(1000)..ms(4000)).contains(&stall), "{stall:?}");
}

/// A link is dark for so long that it is lost; the session goes on, and the link joins again.
#[test]
fn a_lost_link_is_no_outage() {
    let mut scenario =
        Scenario { retry_for: Duration::ZERO, ..Scenario::new(7, 60 * MIB).over(slow(0.0)) }.with_links(2);
    scenario.more_links[0].0.blackouts = dark(3000, 30_000);
    scenario.more_links[0].1.blackouts = dark(3000, 30_000);
    let story = assert_confirmed(&scenario);
    assert!(took(&story) < ms(52_000), "{:?} for 60 MiB over 2 MiB/s, half of it for 30 s", took(&story));
}

#[test]
fn the_loss_of_the_main_link_is_an_outage_and_all_join_again() {
    let mut scenario = Scenario::new(8, 60 * MIB).over(slow(0.0)).with_links(3);
    scenario.retry_for = Duration::from_secs(60);
    scenario.there.blackouts = dark(3000, 20_000);
    scenario.back.blackouts = dark(3000, 20_000);
    assert_confirmed(&scenario);
}

/// Up to six links, up to 3 % loss, compression, and main and further links that are dark now and then, some of them for
/// good.
#[test]
fn whatever_happens_to_its_links_a_session_ends_well() {
    for seed in seeds() {
        let scenario = of_seed(seed);
        let story = scenario.play();
        assert!(matches!(story.sent, Sent::Confirmed(_)), "seed {seed}: {:?}", story.sent);
        assert!(matches!(story.received, Received::Confirmed(_) | Received::Unacknowledged(_)), "seed {seed}");
        for (lane, steps) in (0..).map(LaneId).zip(&scenario.lanes) {
            assert_eq!(story.written(lane), source::len(steps), "seed {seed}, {lane}");
        }
    }
}

fn seeds() -> RangeInclusive<u64> {
    let parse = |text: String| {
        let (first, last) = text.split_once("..").expect("FIRST..LAST");
        first.parse().expect("a number")..=last.parse().expect("a number")
    };
    let usual = if is_full_run() { 1..=1000 } else { 1..=200 };
    std::env::var("XBTESTS_SEEDS").ok().map_or(usual, parse)
}

fn of_seed(seed: u64) -> Scenario {
    let mut rng = Rng::new(seed, 3);
    let mut conditions = |main: bool| {
        let least = ms(rng.within(0..=60));
        let mut path = Conditions {
            delay: Delay { least, jitter: rng.up_to(least / 2) },
            loss: rng.within(0..=30) as f64 / 1000.0,
            duplication: rng.within(0..=30) as f64 / 1000.0,
            bottleneck: Some(Bottleneck { rate: rng.within(1..=4) * MIB, queue: 256 << 10 }),
            ..Conditions::default()
        };
        // After the first contact: a receiver waits for that without end.
        let mut from = ms(5000);
        for _ in 0..rng.within(0..=3) {
            from += rng.up_to(ms(10_000));
            let lasts = ms(rng.within(100..=30_000));
            path.blackouts.push(Blackout { from, lasts });
            from += lasts + ms(20_000);
        }
        if !main && rng.chance(0.1) {
            path.blackouts.push(Blackout::from(from));
        }
        path
    };
    let (there, back) = (conditions(true), conditions(true));
    let links = Rng::new(seed, 4).within(1..=5);
    let more_links = (0..links).map(|_| (conditions(false), conditions(false))).collect();
    let lanes = Rng::new(seed, 5).within(1..=3);
    let mut rng = Rng::new(seed, 6);
    let mut lane = || -> Vec<Step> {
        let bursts = rng.within(1..=4);
        (0..bursts).flat_map(|_| [Step::Give(rng.within(0..=6 * MIB)), Step::Pause(rng.up_to(ms(8000)))]).collect()
    };
    Scenario {
        there,
        back,
        more_links,
        lanes: (0..lanes).map(|_| lane()).collect(),
        window: lanes * 4 * MIB,
        retry_for: Duration::from_secs(300),
        ..Scenario::new(seed, 0).compressed_by_seed()
    }
}
