//! The table of faults, `docs/faults.md`: clocks that are set. Each test is a row.

use std::collections::BTreeSet;

use xbtests::{Backup, Clock, Destination, Program, Scene, Transfer, Trickle};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Sender,
    Receiver,
}

/// The clock of one side is set by this much in mid-transfer, and nothing comes of it.
fn expect_indifference(test: &str, side: Side, step: &str) {
    let scene = Scene::new();
    let Some(clock) = Clock::new(test, &scene) else { return };
    let give = |to: Side, program: Program| if to == side { clock.given_to(program) } else { program };
    let backup = Backup::new(4, 1 << 20);
    let source = Trickle::of(&backup);
    let receiver = give(Side::Receiver, Destination::File.receiver(&scene));
    let mut transfer =
        Transfer::start(&scene, receiver, |to| give(Side::Sender, scene.sender(to, ["-L", "2m"]).feed(&backup)));
    transfer.wait_until_under_way();
    clock.set(step);
    transfer.wait_until_under_way();
    transfer.expect_under_way();
    source.release();
    let verdict = transfer.end();
    verdict.expect_arrived(&backup, Destination::File, &["clock"]);
    let log = if side == Side::Sender { &verdict.sent.log } else { &verdict.received.log };
    // Each line begins with its time.
    let days: BTreeSet<&str> = log.lines().filter_map(|line| line.get(.."2026-11-23".len())).collect();
    assert_eq!(days.len(), 2, "the program has not seen its clock being set: {days:?}");
}

/// The sender's clock is set a day forwards.
#[test]
fn a_senders_clock_a_day_forwards() {
    expect_indifference("a_senders_clock_a_day_forwards", Side::Sender, "+1d");
}

/// The sender's clock is set a day backwards.
#[test]
fn a_senders_clock_a_day_backwards() {
    expect_indifference("a_senders_clock_a_day_backwards", Side::Sender, "-1d");
}

/// The receiver's clock is set a day forwards.
#[test]
fn a_receivers_clock_a_day_forwards() {
    expect_indifference("a_receivers_clock_a_day_forwards", Side::Receiver, "+1d");
}

/// The receiver's clock is set a day backwards.
#[test]
fn a_receivers_clock_a_day_backwards() {
    expect_indifference("a_receivers_clock_a_day_backwards", Side::Receiver, "-1d");
}
