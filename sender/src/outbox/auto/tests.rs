//! The choice against a made-up transfer, in virtual time.

use std::collections::VecDeque;

use super::*;

const BLOCK: u64 = 1 << 20;
const MB: f64 = 1e6;

/// What a real backup comes to: ratio, and MB/s of one core.
const BACKUP: [(f64, f64); EFFORTS.len()] = [
    (1.0, f64::INFINITY),
    (0.95, 1400.0),
    (0.88, 950.0),
    (0.80, 790.0),
    (0.446, 570.0),
    (0.45, 400.0),
    (0.465, 200.0),
    (0.44, 110.0),
    (0.42, 70.0),
    (0.40, 50.0),
    (0.39, 20.0),
];

/// A transfer with these limits, in MB/s.
#[derive(Clone, Copy, Debug)]
struct Transfer {
    /// Bytes as they travel.
    network: f64,
    /// Original bytes.
    source: f64,
    disk: f64,
    efforts: [(f64, f64); EFFORTS.len()],
    workers: f64,
    /// What the rest slows down by while all workers are busy, because they share its cores.
    contention: f64,
}

const PLAIN: Transfer = Transfer {
    network: f64::INFINITY,
    source: f64::INFINITY,
    disk: f64::INFINITY,
    efforts: BACKUP,
    workers: 1.0,
    contention: 1.0,
};

/// A transfer on its way. The workers run ahead of the network by a window.
#[derive(Debug)]
struct Run {
    transfer: Transfer,
    auto: Auto,
    /// When the source has given the last block.
    given: f64,
    /// When the workers are done with the last block.
    now: f64,
    /// When the blocks under way are delivered.
    under_way: VecDeque<f64>,
    /// When the last one is.
    last: f64,
    delivered: u64,
}

/// How many blocks may be under way.
const WINDOW: usize = 64;

impl Run {
    fn new(transfer: Transfer) -> Run {
        let auto = Auto::new(transfer.workers as usize);
        Run { transfer, auto, given: 0.0, now: 0.0, under_way: VecDeque::new(), last: 0.0, delivered: 0 }
    }

    /// Runs on for so many seconds; gives the rate in MB/s.
    fn run(&mut self, seconds: f64) -> f64 {
        let (begun, before) = (self.now, self.delivered);
        while self.now < begun + seconds {
            self.block();
        }
        (self.delivered - before) as f64 / MB / (self.now - begun)
    }

    fn block(&mut self) {
        let Transfer { network, source, disk, efforts, workers, contention } = self.transfer;
        let size = BLOCK as f64 / MB;
        let freed = if self.under_way.len() < WINDOW { self.now } else { self.under_way[0].max(self.now) };
        self.given = (self.given + size / source).max(self.now - WINDOW as f64 * size / source);
        let starts = freed.max(self.given);
        let starved = if freed > self.now { 0.0 } else { starts - freed };
        let encoding = (self.survey() + size / efforts[self.auto.step].1) / workers;
        let ratio = efforts[self.auto.step].0;
        let others = (size * ratio / network).max(size / disk);
        let shared = 1.0 + (contention - 1.0) * (encoding / others.max(encoding)).min(1.0);
        self.now = starts + encoding * shared;
        self.last = self.last.max(self.now) + others * shared;
        self.under_way.push_back(self.last);
        while self.under_way.front().is_some_and(|at| *at <= self.now) {
            self.under_way.pop_front();
            self.delivered += BLOCK;
        }
        let course = Course {
            taken: BLOCK,
            busy: seconds(encoding * shared * workers),
            starved: seconds(starved * workers),
            delivered: self.delivered,
            pending: self.under_way.len() as u64 * BLOCK,
        };
        self.auto.goes_on(seconds(self.now), &course);
    }

    /// A survey, if one is due; gives how long it takes.
    fn survey(&mut self) -> f64 {
        let mut took = 0.0;
        if self.auto.survey_is_due(seconds(self.now), BLOCK as usize) {
            for step in 1..EFFORTS.len() {
                let (ratio, speed) = self.transfer.efforts[step];
                let time = BLOCK as f64 / MB / speed;
                took += time;
                if !self.auto.sampled(step, Sample { original: BLOCK, ratio, time: seconds(time) }) {
                    break;
                }
            }
            self.auto.survey_ended(seconds(self.now));
        }
        took
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[test]
fn a_slow_link_gets_the_best_ratio() {
    let mut run = Run::new(Transfer { network: 12.0, ..PLAIN });
    assert!(run.run(60.0) > 12.0 * 2.2);
    assert!(run.run(60.0) > 12.0 * 2.4, "{:?}", run.auto);
}

#[test]
fn a_faster_link_gets_what_the_workers_can_make() {
    let mut run = Run::new(Transfer { network: 120.0, ..PLAIN });
    assert!(run.run(10.0) > 120.0 * 2.0);
    assert_eq!(run.auto.effort(), Effort::Zstd(1));
}

#[test]
fn what_is_faster_than_the_workers_is_not_held_up() {
    for contention in [1.0, 2.0, 3.0] {
        for (network, disk) in [(700.0, f64::INFINITY), (f64::INFINITY, 700.0), (1500.0, 1200.0), (500.0, 3000.0)] {
            let transfer = Transfer { network, disk, contention, ..PLAIN };
            let (plain, mut run) = (network.min(disk), Run::new(transfer));
            let first = run.run(2.0);
            assert!(first > plain * 0.85, "{first} of {plain} MB/s, the first window included: {run:?}");
            let more = run.run(10.0);
            assert!(more > plain * 0.9, "{more} of {plain} MB/s: {run:?}");
        }
    }
}

#[test]
fn a_slow_disk_is_not_helped_and_not_hurt() {
    let mut run = Run::new(Transfer { network: 1000.0, disk: 100.0, contention: 1.5, workers: 2.0, ..PLAIN });
    let with = run.run(60.0);
    assert!(with > 95.0, "{with}");
}

#[test]
fn what_cannot_be_compressed_ends_up_stored() {
    let mut efforts = BACKUP;
    efforts.iter_mut().for_each(|(ratio, _)| *ratio = 1.0);
    for network in [12.0, 700.0] {
        let mut run = Run::new(Transfer { network, efforts, ..PLAIN });
        assert!(run.run(5.0) > network * 0.9);
        assert_eq!(run.auto.effort(), Effort::Stored);
        run.transfer.efforts = BACKUP;
        run.run(20.0);
        assert!(network > 100.0 || run.auto.effort() > Effort::Stored, "it is tried again");
    }
}

#[test]
fn a_slow_source_is_no_reason_to_change() {
    let mut run = Run::new(Transfer { network: 100.0, source: 50.0, ..PLAIN });
    assert!(run.run(30.0) > 49.0);
    assert_eq!(run.auto.effort(), EFFORTS[FIRST]);
}

#[test]
fn a_link_that_gets_slower_and_faster_again_is_followed() {
    let mut run = Run::new(Transfer { network: 2000.0, disk: 1500.0, ..PLAIN });
    run.run(5.0);
    assert_eq!(run.auto.effort(), Effort::Stored);
    run.transfer.network = 25.0;
    run.run(60.0);
    assert!(run.run(10.0) > 25.0 * 2.2, "{:?}", run.auto);
    run.transfer.network = 2000.0;
    run.run(5.0);
    assert!(run.run(5.0) > 1300.0, "{:?}", run.auto);
}

#[test]
fn a_window_that_fills_is_not_taken_for_a_fast_network() {
    let mut auto = Auto::new(1);
    for block in 1..=60 {
        let now = Duration::from_millis(2 * block);
        let course = Course {
            taken: BLOCK,
            busy: Duration::from_millis(2),
            starved: Duration::ZERO,
            delivered: BLOCK * block / 20,
            pending: 64 * BLOCK,
        };
        auto.goes_on(now, &course);
    }
    assert_eq!(auto.effort(), EFFORTS[FIRST]);
}
