//! What our congestion controller makes of a path, in virtual time: how much of it is used, how long the queue
//! gets, what is sent in vain, and what is left for others.

use std::iter::repeat_n;
use std::ops::Range;
use std::time::Duration;

use xbproto::lane::LaneId;
use xbproto::quantity::Rate;
use xbproto::quic::Congestion;
use xbproto::session::Sent;
use xbtests::sim::{Bottleneck, Conditions, Delay, Detour, Event, Fate, Scenario, Step, Story};

/// What every bottleneck here carries, in bytes per second.
const RATE: u64 = 4 << 20;

#[test]
fn chance_loss_costs_no_more_than_what_is_lost() {
    for (round_trip, loss, least) in [(ms(50), 0.001, 0.85), (ms(100), 0.01, 0.8)] {
        let ours = with_loss(alone(round_trip, ms(50), 20), loss);
        let cubics = Scenario { congestion: Congestion::Cubic, ..ours.clone() };
        let (ours, cubics) = (play(&ours), play(&cubics));
        let used = used(&ours, 3..18);
        assert!(used > least, "{used} of the path at {loss} of loss");
        assert!(used > 2.0 * self::used(&cubics, 3..18), "more than cubic");
        assert!(wasted(&ours, 0..20) < 0.03, "{} wasted", wasted(&ours, 0..20));
    }
}

#[test]
fn the_queue_stays_short() {
    let story = play(&alone(ms(50), ms(50), 20));
    assert!(used(&story, 3..18) > 0.9);
    assert_eq!(wasted(&story, 3..18), 0.0);
    let queue = queueing(&story, ms(25), 3..18);
    assert!(queue[queue.len() / 2] < ms(50) / 4, "half wait no longer than {:?}", queue[queue.len() / 2]);
    assert!(queue[0] < ms(1), "now and then it is empty, and the path is seen: {:?}", queue[0]);
}

#[test]
fn a_queue_that_holds_nearly_nothing() {
    let story = play(&alone(ms(50), ms(6), 20));
    assert!(used(&story, 5..18) > 0.75, "{} used", used(&story, 5..18));
    assert!(wasted(&story, 5..18) < 0.06, "{} wasted", wasted(&story, 5..18));
}

#[test]
fn a_slow_source_does_not_make_the_path_look_slow() {
    // A third of the rate for a hundred round trips.
    let slow = repeat_n([Step::Give(RATE / 60), Step::Pause(ms(50))], 100).flatten();
    let steps = [Step::Give(6 * RATE)].into_iter().chain(slow).chain([Step::Give(6 * RATE)]).collect();
    let story = play(&Scenario { lanes: vec![steps], ..alone(ms(50), ms(50), 0) });
    let fast_again = time_of(&story, 6 * RATE + 100 * (RATE / 60));
    let used = used_between(&story, fast_again, fast_again + ms(2000));
    assert!(used > 0.75, "{used} in the next two seconds");
    assert_eq!(wasted_between(&story, fast_again, fast_again + ms(2000)), 0.0);
}

#[test]
fn after_minutes_of_silence_it_goes_on_without_a_burst() {
    let steps = vec![Step::Give(6 * RATE), Step::Pause(ms(180_000)), Step::Give(6 * RATE)];
    let story = play(&Scenario { lanes: vec![steps], ..alone(ms(50), ms(30), 0) });
    let again = time_of(&story, 6 * RATE);
    assert!(again > ms(180_000));
    assert_eq!(wasted_between(&story, again, again + ms(3000)), 0.0);
    let used = used_between(&story, again, again + ms(2000));
    assert!(used > 0.7, "{used} in the next two seconds");
}

#[test]
fn a_path_that_becomes_longer_is_learnt_in_ten_seconds() {
    let mut scenario = alone(ms(20), ms(50), 40);
    let detour = Detour { from: ms(8000), delay: Delay::steady(ms(50)) };
    (scenario.there.detour, scenario.back.detour) = (Some(detour), Some(detour));
    let story = play(&scenario);
    assert!(used(&story, 3..8) > 0.85);
    assert!(used(&story, 18..28) > 0.85, "{} used", used(&story, 18..28));
}

#[test]
fn a_path_that_becomes_shorter_is_learnt_at_once() {
    let mut scenario = alone(ms(100), ms(100), 20);
    let detour = Detour { from: ms(8000), delay: Delay::steady(ms(10)) };
    (scenario.there.detour, scenario.back.detour) = (Some(detour), Some(detour));
    let story = play(&scenario);
    assert!(used(&story, 9..18) > 0.85, "{} used", used(&story, 9..18));
    let queue = queueing(&story, ms(10), 9..18);
    assert!(queue[queue.len() / 2] < ms(10), "half wait no longer than {:?}", queue[queue.len() / 2]);
}

#[test]
fn under_a_rate_limit_nothing_is_dropped() {
    let limit = Rate::new(RATE / 2).expect("a rate");
    let story = play(&Scenario { rate: Some(limit), ..alone(ms(50), ms(50), 8) });
    let used = used(&story, 2..14);
    assert!((0.45..0.52).contains(&used), "{used}, not a half");
    assert_eq!(wasted(&story, 0..16), 0.0);
}

#[test]
fn two_of_ours_share() {
    let (one, other) = Scenario { seed: 2, ..alone(ms(50), ms(50), 12) }.play_beside(&alone(ms(50), ms(50), 12));
    for story in [&one, &other] {
        let used = used(story, 5..20);
        assert!((0.35..0.65).contains(&used), "{used}, not a half");
        assert!(wasted(story, 5..20) < 0.03, "{} wasted", wasted(story, 5..20));
    }
}

#[test]
fn cubic_gets_its_share() {
    for round_trip in [ms(20), ms(50)] {
        let ours = Scenario { seed: 2, ..alone(round_trip, ms(50), 25) };
        let cubics = Scenario { congestion: Congestion::Cubic, ..alone(round_trip, ms(50), 25) };
        let (ours, cubics) = ours.play_beside(&cubics);
        for (name, story) in [("ours", &ours), ("cubic's", &cubics)] {
            let used = used(story, 5..30);
            assert!((0.3..0.7).contains(&used), "{used} is {name} at {round_trip:?}");
        }
    }
}

/// A session with the path to itself: `queue` is what may wait at the bottleneck, and the source gives what passes
/// it in `seconds`.
fn alone(round_trip: Duration, queue: Duration, seconds: u64) -> Scenario {
    let queue = RATE * queue.as_millis() as u64 / 1000;
    let back = Conditions { delay: Delay::steady(round_trip / 2), ..Conditions::default() };
    let there = Conditions { bottleneck: Some(Bottleneck { rate: RATE, queue }), ..back.clone() };
    Scenario { there, back, window: 64 << 20, ..Scenario::new(1, seconds * RATE) }
}

fn with_loss(mut scenario: Scenario, loss: f64) -> Scenario {
    (scenario.there.loss, scenario.back.loss) = (loss, loss);
    scenario
}

fn play(scenario: &Scenario) -> Story {
    let story = scenario.play();
    assert!(matches!(story.sent, Sent::Confirmed(_)), "{:?}", story.sent);
    story
}

/// The share of the bottleneck's rate that has reached the sink in these seconds.
fn used(story: &Story, seconds: Range<u64>) -> f64 {
    used_between(story, Duration::from_secs(seconds.start), Duration::from_secs(seconds.end))
}

fn used_between(story: &Story, from: Duration, until: Duration) -> f64 {
    let bytes = story.written_at(LaneId(0), until) - story.written_at(LaneId(0), from);
    bytes as f64 / (until - from).as_secs_f64() / RATE as f64
}

/// The share of the datagrams of these seconds that the queue had no room for.
fn wasted(story: &Story, seconds: Range<u64>) -> f64 {
    wasted_between(story, Duration::from_secs(seconds.start), Duration::from_secs(seconds.end))
}

fn wasted_between(story: &Story, from: Duration, until: Duration) -> f64 {
    let fates: Vec<_> = fates(story, from, until).collect();
    fates.iter().filter(|(_, fate)| *fate == Fate::Dropped).count() as f64 / fates.len() as f64
}

fn fates(story: &Story, from: Duration, until: Duration) -> impl Iterator<Item = (Duration, Fate)> {
    let sent = story.sent_datagrams().filter(move |(at, _, _)| *at >= from && *at < until);
    sent.map(|(at, _, fate)| (at, fate))
}

/// How long the datagrams of these seconds waited on a way of `delay`, the shortest first.
fn queueing(story: &Story, delay: Duration, seconds: Range<u64>) -> Vec<Duration> {
    let fates = fates(story, Duration::from_secs(seconds.start), Duration::from_secs(seconds.end));
    let mut waited: Vec<_> =
        fates.flat_map(|(at, fate)| fate.arrivals().map(move |arrives| (arrives - at).saturating_sub(delay))).collect();
    waited.sort();
    waited
}

/// When the source gave more than the first `bytes`.
fn time_of(story: &Story, bytes: u64) -> Duration {
    let given = story.log.iter().find(|entry| matches!(entry.event, Event::Given(_, offset) if offset > bytes));
    given.expect("the source gave more").at
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}
