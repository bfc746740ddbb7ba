//! Sessions over a simulated network: what loss, delay, silence and failures come to.
//!
//! Every scenario is played twice, and both times everything must happen alike, down to the last
//! datagram: a test that fails fails again.

use std::io::ErrorKind;
use std::iter::zip;
use std::time::Duration;

use xbproto::failure::{Cause, Failure, Party};
use xbproto::lane::LaneId;
use xbproto::quantity::Rate;
use xbproto::quic::Congestion;
use xbproto::session::{Received, Sent};
use xbproto::throttle;
use xbsend::outbox::Compression;
use xbtests::sim::{
    BlackHole, Blackout, Bottleneck, Conditions, Delay, Disk, Entry, Event, Fate, Rng, Scenario, Step, Story,
};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// A link of 1 MiB/s with a queue of a quarter of a second.
const SLOW: Bottleneck = Bottleneck { rate: MIB, queue: 256 << 10 };

/// Datagrams are longer than what they carry: by a quarter where a slow limit makes them small.
const OVERHEAD: f64 = 1.25;

#[test]
fn twenty_seeds() {
    for seed in 0..20 {
        assert_confirmed(&of_seed(seed));
    }
}

/// Up to 5 % loss, 10 to 300 ms there and back, jitter, duplicates, up to four lanes, slow sources,
/// disks and links, and a rate limit now and then.
fn of_seed(seed: u64) -> Scenario {
    let mut rng = Rng::new(seed, 0);
    let conditions = |rng: &mut Rng| {
        let least = ms(rng.within(5..=100));
        Conditions {
            delay: Delay { least, jitter: rng.up_to(least / 2) },
            loss: rng.within(0..=50) as f64 / 1000.0,
            duplication: rng.within(0..=30) as f64 / 1000.0,
            bottleneck: rng.chance(0.3).then(|| Bottleneck { rate: rng.within(1..=20) * MIB, queue: 256 << 10 }),
            ..Conditions::default()
        }
    };
    let lane = |rng: &mut Rng| -> Vec<Step> {
        let bursts = rng.within(0..=4);
        (0..bursts).flat_map(|_| [Step::Give(rng.within(0..=MIB)), Step::Pause(rng.up_to(ms(3000)))]).collect()
    };
    let lanes = rng.within(1..=4);
    Scenario {
        seed,
        there: conditions(&mut rng),
        back: conditions(&mut rng),
        lanes: (0..lanes).map(|_| lane(&mut rng)).collect(),
        more_links: Vec::new(),
        rate: rng.chance(0.3).then(|| rate(rng.within(100..=1000) * KIB)),
        congestion: Congestion::default(),
        window: lanes * rng.within(2..=4) * MIB,
        disk: Disk { sync_rate: rng.chance(0.3).then(|| rng.within(1..=8) * MIB), ..Disk::default() },
        ..Scenario::new(seed, 0).compressed_by_seed().pulled_by_seed()
    }
}

/// What the simulation sends repeats itself within a block, so compression makes little of it.
#[test]
fn a_slow_link_is_faster_with_compression() {
    let conditions = Conditions { bottleneck: Some(SLOW), ..lossy(ms(20), 0.0) };
    let took = |compression| {
        let scenario = Scenario { compression, ..Scenario::new(77, 30 * MIB).over(conditions.clone()) };
        assert_confirmed(&scenario).time_of(&Event::Committed).expect("committed")
    };
    let (plain, auto) = (took(None), took(Some(Compression::Auto)));
    let fixed = took("3".parse().ok());
    assert!(auto < plain / 8 && fixed < plain / 8, "{plain:?} without, {auto:?} and {fixed:?} with compression");
}

#[test]
fn whatever_goes_wrong_both_sides_agree() {
    for seed in 100..140 {
        let mut scenario = of_seed(seed);
        spoil(&mut scenario);
        assert_agreed(&play_twice(&scenario), seed);
    }
}

/// Lets the source break, the disk be full, or the link go dark for a while, in one direction or
/// both: none of it, one or several.
fn spoil(scenario: &mut Scenario) {
    let mut rng = Rng::new(scenario.seed, 1);
    if rng.chance(0.3) {
        scenario.lanes[0].push(Step::Fail(ErrorKind::ConnectionReset));
    }
    if rng.chance(0.3) {
        scenario.disk.full_at = Some(rng.within(0..=2 * MIB));
    }
    // Not before everybody has met: a receiver waits for its sender for ever.
    let blackout = Blackout { from: ms(rng.within(4000..=12_000)), lasts: ms(rng.within(1000..=40_000)) };
    scenario.there.blackouts.extend(rng.chance(0.4).then_some(blackout));
    scenario.back.blackouts.extend(rng.chance(0.4).then_some(blackout));
}

/// Nobody believes in a copy that is not there. Unless the link was lost or their words crossed on
/// the way, both name the same reason.
fn assert_agreed(story: &Story, seed: u64) {
    let committed = story.time_of(&Event::Committed).is_some();
    assert_ne!(committed, story.time_of(&Event::Abandoned).is_some(), "seed {seed}");
    let agreed = match (&story.sent, &story.received) {
        (Sent::Confirmed(ours), Received::Confirmed(theirs) | Received::Unacknowledged(theirs)) => {
            committed && ours == theirs
        }
        (Sent::Failed(ours), Received::Unacknowledged(_)) => committed && ours.cause == Cause::Unconfirmed,
        (Sent::Failed(ours), Received::Failed(theirs)) => {
            !committed && (ours == theirs || (ours.party, theirs.party) == (Party::Sender, Party::Receiver))
        }
        _ => false,
    };
    assert!(agreed, "seed {seed}: {:?}, {:?}", story.sent, story.received);
}

#[test]
fn another_seed_is_another_story() {
    let log = |seed| Scenario::new(seed, MIB).over(lossy(ms(20), 0.05)).play().log;
    assert_ne!(log(1), log(2));
}

#[test]
fn five_percent_lost_at_300_ms() {
    let story = assert_confirmed(&Scenario::new(1, 4 * MIB).over(lossy(ms(150), 0.05)));
    assert!(story.count(Fate::Lost) > 50);
}

#[test]
fn heavy_reordering() {
    let delay = Delay { least: ms(5), jitter: ms(200) };
    let mut scenario = Scenario::new(2, 0).over(Conditions { delay, duplication: 0.2, ..Conditions::default() });
    scenario.lanes = vec![vec![Step::Give(3 * MIB)]; 3];
    assert_confirmed(&scenario);
}

#[test]
fn a_path_that_never_carried_long_datagrams() {
    let story = assert_confirmed(&with_hole(BlackHole { from: Duration::ZERO, longest: 1300 }));
    assert!((1280..=1300).contains(&story.longest_arrived()), "the most it carries is found");
}

#[test]
fn a_path_that_stops_carrying_long_datagrams() {
    let hole = BlackHole { from: ms(1000), longest: 1250 };
    let story = assert_confirmed(&with_hole(hole));
    assert!(story.longest_arrived() > hole.longest, "longer ones were in use");
    assert!(story.count(Fate::TooLong) > 0, "and were swallowed");
}

fn with_hole(hole: BlackHole) -> Scenario {
    let conditions = Conditions { black_hole: Some(hole), bottleneck: Some(SLOW), ..lossy(ms(20), 0.0) };
    Scenario::new(3, 6 * MIB).over(conditions)
}

#[test]
fn ten_kib_a_second_for_hours() {
    let (limit, time) = (10 * KIB, Duration::from_secs(2 * 3600));
    let scenario = limited(limit, vec![Step::Give(limit * time.as_secs())]);
    let story = assert_confirmed(&scenario);
    let took = story.time_of(&Event::Committed).expect("confirmed");
    assert!(took + throttle::BUCKET >= time, "too fast: {took:?} instead of {time:?}");
    assert!(took <= time + time / 1000, "too slow: {took:?} instead of {time:?}");
    assert_burst(&story, limit, bucket(limit));
}

#[test]
fn an_idle_hour_is_no_credit() {
    let limit = 100 * KIB;
    let half = Step::Give(30 * limit);
    let story = assert_confirmed(&limited(limit, vec![half, Step::Pause(ms(3_600_000)), half]));
    assert_burst(&story, limit, bucket(limit));
}

#[test]
fn a_stalled_network_leaves_no_more_than_the_send_window_behind() {
    let limit = 1000 * KIB;
    let mut scenario = limited(limit, vec![Step::Give(30 * limit)]);
    scenario.there.blackouts = vec![Blackout { from: ms(15_000), lasts: ms(5000) }];
    let story = assert_confirmed(&scenario);
    assert_burst(&story, limit, bucket(limit) + throttle::send_window(rate(limit), ms(50)));
}

/// A limited session on a path of 50 ms there and back.
fn limited(limit: u64, steps: Vec<Step>) -> Scenario {
    let scenario = Scenario { rate: Some(rate(limit)), ..Scenario::new(4, 0) };
    Scenario { lanes: vec![steps], ..scenario.over(lossy(ms(25), 0.0)) }
}

/// What a tenth of a second takes at the limit.
fn bucket(limit: u64) -> u64 {
    limit / 10
}

/// The handshake and the search for the MTU are not limited: they are over after two seconds.
fn assert_burst(story: &Story, limit: u64, allowed: u64) {
    let (burst, allowed) = (story.burst(limit as f64 * OVERHEAD, ms(2000)), allowed as f64 * OVERHEAD);
    assert!(burst <= allowed, "{burst} bytes at once, allowed are {allowed}");
}

#[test]
fn a_source_may_be_silent_for_hours() {
    let silence = ms(3 * 3_600_000);
    let mut scenario = Scenario::new(5, 0).over(lossy(ms(50), 0.02));
    scenario.lanes = vec![
        vec![Step::Give(MIB), Step::Pause(silence), Step::Give(MIB)],
        vec![Step::Pause(silence / 2), Step::Give(1)],
    ];
    let story = assert_confirmed(&scenario);
    assert!(story.time_of(&Event::Committed) > Some(silence));
}

#[test]
fn a_disk_that_writes_slowly_holds_up_the_source() {
    assert_held_up(Disk { hangs: Some(ms(2000)), ..Disk::default() });
}

#[test]
fn a_disk_that_syncs_slowly_holds_up_the_source() {
    assert_held_up(Disk { sync_rate: Some(2 * MIB), ..Disk::default() });
}

/// What of a lane was taken from the source and is not yet safe, wherever it is, grows to the lane's
/// share of the window, and never beyond.
fn assert_held_up(disk: Disk) {
    let mut scenario = Scenario { window: 8 * MIB, disk, ..Scenario::new(6, 0).over(lossy(ms(10), 0.0)) };
    scenario.lanes = vec![vec![Step::Give(12 * MIB)]; 2];
    let story = assert_confirmed(&scenario);
    let (mut given, mut durable, mut most) = ([0; 2], [0; 2], 0);
    for Entry { event, .. } in &story.log {
        match event {
            Event::Given(lane, offset) => given[usize::from(lane.0)] = *offset,
            Event::Durable(lane, offset) => durable[usize::from(lane.0)] = *offset,
            _ => {}
        }
        most = zip(given, durable).map(|(given, durable)| given - durable).fold(most, u64::max);
    }
    assert_eq!(most, scenario.window / 2);
}

/// quinn acknowledges nothing while its window is full and there is more to send. Then only its probes, which come after
/// pauses that double, show the receiver that the sender is there, and it may give up before the next one. The session goes
/// on all the same, if it may come back.
#[test]
fn a_short_blackout_is_survived() {
    for (congestion, lasts, retry_for) in [
        (Congestion::Cubic, ms(10_000), Duration::ZERO),
        (Congestion::Model, ms(6000), Duration::ZERO),
        (Congestion::Model, ms(10_000), ms(60_000)),
    ] {
        let conditions = Conditions { bottleneck: Some(SLOW), ..lossy(ms(30), 0.0) };
        let mut scenario = Scenario { congestion, retry_for, ..Scenario::new(7, 4 * MIB).over(conditions) };
        darken(&mut scenario, Blackout { from: ms(2000), lasts });
        let story = assert_confirmed(&scenario);
        assert!(story.count(Fate::Dark) > 0, "{congestion:?}");
    }
}

#[test]
fn a_long_blackout_is_the_loss_of_the_peer_for_both() {
    let mut scenario = Scenario::new(8, 0).over(lossy(ms(30), 0.01));
    scenario.lanes = vec![vec![Step::Give(MIB), Step::Pause(ms(600_000)), Step::Give(MIB)]];
    darken(&mut scenario, Blackout { from: ms(5000), lasts: ms(45_000) });
    let (story, sender, receiver) = assert_failed(&scenario);
    assert_eq!((sender.cause, sender.party), (Cause::PeerLost, Party::Sender));
    assert_eq!((receiver.cause, receiver.party), (Cause::PeerLost, Party::Receiver));
    // A keep-alive, sent into the dark after at most 4 s, still starts the 15 s of waiting anew.
    let over = story.time_of(&Event::SenderEnded(story.sent.clone())).max(story.time_of(&Event::Abandoned));
    assert!(over <= Some(ms(5000 + 20_000)), "{over:?}");
}

fn darken(scenario: &mut Scenario, blackout: Blackout) {
    scenario.there.blackouts = vec![blackout];
    scenario.back.blackouts = vec![blackout];
}

#[test]
fn a_lost_receipt_is_unconfirmed_here_and_unacknowledged_there() {
    let mut scenario = Scenario::new(9, MIB).over(lossy(ms(50), 0.0));
    let committed = assert_confirmed(&scenario).time_of(&Event::Committed).expect("confirmed");
    // The same story again, until the receipt is sent.
    scenario.back.blackouts = vec![Blackout::from(committed)];
    let story = play_twice(&scenario);
    let Sent::Failed(failure) = &story.sent else { panic!("sender: {:?}", story.sent) };
    assert_eq!((failure.cause, failure.party), (Cause::Unconfirmed, Party::Sender));
    assert!(matches!(story.received, Received::Unacknowledged(_)), "{:?}", story.received);
    assert_eq!(story.time_of(&Event::Committed), Some(committed));
    assert_eq!(story.time_of(&Event::Abandoned), None);
}

#[test]
fn an_end_never_heard_is_unconfirmed_here_and_the_loss_of_the_peer_there() {
    let mut scenario = Scenario::new(10, 0).over(lossy(ms(50), 0.0));
    scenario.lanes = vec![vec![Step::Give(MIB), Step::Pause(ms(10_000))]];
    scenario.there.blackouts = vec![Blackout::from(ms(9000))];
    let (_, sender, receiver) = assert_failed(&scenario);
    assert_eq!((sender.cause, sender.party), (Cause::Unconfirmed, Party::Sender));
    assert_eq!((receiver.cause, receiver.party), (Cause::PeerLost, Party::Receiver));
}

#[test]
fn a_full_disk_is_told_to_the_sender() {
    let mut scenario = Scenario::new(11, 64 * MIB).over(lossy(ms(20), 0.01));
    scenario.disk.full_at = Some(3 * MIB);
    let (story, sender, receiver) = assert_failed(&scenario);
    assert_eq!(sender, receiver);
    assert_eq!((sender.cause, sender.party), (Cause::Sink, Party::Receiver));
    assert!(sender.reason.starts_with("writing memory: "), "{sender}");
    assert!(story.written(LaneId(0)) <= 3 * MIB);
}

#[test]
fn a_lane_that_cannot_be_written_is_told_while_another_is_silent() {
    let mut scenario = Scenario::new(13, 0).over(lossy(ms(20), 0.0));
    scenario.lanes = vec![vec![Step::Give(1), Step::Pause(ms(600_000))], vec![Step::Give(2 * MIB)]];
    scenario.disk.full_at = Some(MIB);
    let (story, sender, _) = assert_failed(&scenario);
    assert_eq!((sender.cause, sender.party), (Cause::Sink, Party::Receiver));
    assert!(story.time_of(&Event::Abandoned) < Some(ms(10_000)), "nobody waits for the silent lane");
}

#[test]
fn a_failing_source_is_told_to_the_receiver() {
    let mut scenario = Scenario::new(12, 0).over(lossy(ms(20), 0.01));
    let broken = vec![Step::Give(3 * MIB), Step::Fail(ErrorKind::ConnectionReset)];
    let silent = vec![Step::Give(MIB), Step::Pause(ms(600_000))];
    scenario.lanes = vec![silent, broken];
    let (story, sender, receiver) = assert_failed(&scenario);
    assert_eq!(sender, receiver);
    assert_eq!((sender.cause, sender.party), (Cause::Source, Party::Sender));
    assert!(sender.reason.starts_with("reading the source: "), "{sender}");
    assert!(story.time_of(&Event::Abandoned) < Some(ms(10_000)), "nobody waits for the silent lane");
}

#[test]
fn an_abort_lost_with_its_packets_is_said_again_by_the_close() {
    let mut scenario = Scenario::new(14, 0).over(lossy(ms(20), 0.0));
    scenario.lanes = vec![vec![Step::Give(MIB), Step::Pause(ms(10_000)), Step::Fail(ErrorKind::ConnectionReset)]];
    let story = play_twice(&scenario);
    let failed = story.time_of(&Event::SenderEnded(story.sent.clone())).expect("failed");
    // The sender closes 3 s after its last word: only that gets through.
    scenario.there.blackouts = vec![Blackout { from: failed - ms(100), lasts: ms(100 + 2990) }];
    let (story, sender, receiver) = assert_failed(&scenario);
    assert_eq!(sender, receiver);
    assert_eq!((sender.cause, sender.party), (Cause::Source, Party::Sender));
    assert!(story.time_of(&Event::Abandoned) > Some(failed + ms(3000)), "the abort itself has come");
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn rate(bytes_per_second: u64) -> Rate {
    Rate::new(bytes_per_second).expect("a rate")
}

/// A path of `delay` that loses that part of its datagrams.
fn lossy(delay: Duration, loss: f64) -> Conditions {
    Conditions { delay: Delay::steady(delay), loss, ..Conditions::default() }
}

/// Plays it twice, and compares entry by entry: whole logs are too long to be shown.
fn play_twice(scenario: &Scenario) -> Story {
    let (story, again) = (scenario.play(), scenario.play());
    for (index, (one, other)) in zip(&story.log, &again.log).enumerate() {
        assert_eq!(one, other, "entry {index} of seed {}", scenario.seed);
    }
    assert_eq!(story.log.len(), again.log.len(), "entries of seed {}", scenario.seed);
    story
}

/// Both sides say so, and everything is in the sink: which bytes they were, the sink has compared.
fn assert_confirmed(scenario: &Scenario) -> Story {
    let story = play_twice(scenario);
    let Sent::Confirmed(receipt) = &story.sent else { panic!("sender: {:?}", story.sent) };
    assert_eq!(story.received, Received::Confirmed(receipt.clone()));
    assert_eq!(receipt.lanes.len(), scenario.lanes.len());
    for (sum, steps) in zip(&receipt.lanes, &scenario.lanes) {
        let given: u64 = steps.iter().map(|step| if let Step::Give(len) = step { *len } else { 0 }).sum();
        assert_eq!((sum.len, story.written(sum.lane)), (given, given), "{}", sum.lane);
    }
    assert!(story.time_of(&Event::Committed).is_some());
    assert_eq!(story.time_of(&Event::Abandoned), None);
    story
}

/// Both sides failed, and nothing was committed or left behind.
fn assert_failed(scenario: &Scenario) -> (Story, Failure, Failure) {
    let story = play_twice(scenario);
    let (Sent::Failed(sender), Received::Failed(receiver)) = (story.sent.clone(), story.received.clone()) else {
        panic!("sender: {:?}, receiver: {:?}", story.sent, story.received)
    };
    assert_eq!(story.time_of(&Event::Committed), None);
    assert!(story.time_of(&Event::Abandoned).is_some());
    (story, sender, receiver)
}
