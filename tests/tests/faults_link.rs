//! The table of faults, `docs/faults.md`: networks that are not there for a while, or change. Each test is a row.

use rustix::process::Signal;
use xbtests::pace::pass;
use xbtests::{Backup, Destination, Injection, Pace, Scene, Transfer, Trickle, Verdict};

/// Something happens to the network in mid-transfer, and the backup arrives all the same.
fn expect_arrival(destination: Destination, happens: impl Fn(&Transfer<'_>, Pace), then: impl Fn(&Verdict<'_>)) {
    let pace = Pace::of_this_run();
    let (scene, backup) = (Scene::at(pace), Backup::new(8, 1 << 20));
    let source = Trickle::of(&backup);
    let receiver = destination.receiver(&scene);
    let mut transfer = Transfer::start(&scene, receiver, |to| scene.sender(to, []).input(source.input()));
    transfer.wait_until_under_way();
    happens(&transfer, pace);
    transfer.expect_under_way();
    source.release();
    let verdict = transfer.end();
    verdict.expect_arrived(&backup, destination, &[]);
    then(&verdict);
}

fn expect_resumed(verdict: &Verdict<'_>) {
    for ended in [&verdict.sent, &verdict.received] {
        ended.expect_said("interrupted: the link to the ").expect_said("resumed at byte ");
    }
}

fn expect_not_interrupted(verdict: &Verdict<'_>) {
    for ended in [&verdict.sent, &verdict.received] {
        ended.expect_silence_on("interrupted").expect_silence_on("resumed");
    }
}

/// The link is down for 45 s in mid-transfer.
#[test]
fn a_link_down_for_a_while() {
    let happens = |transfer: &Transfer<'_>, pace: Pace| {
        transfer.relay.down();
        pass(pace.outage);
        transfer.relay.up();
    };
    Destination::each(|destination| expect_arrival(destination, happens, expect_resumed));
}

/// The link is down for 4 min in mid-transfer.
#[test]
fn a_link_down_for_minutes() {
    let happens = |transfer: &Transfer<'_>, pace: Pace| {
        transfer.relay.down();
        pass(pace.long_outage);
        transfer.relay.up();
    };
    Destination::each(|destination| expect_arrival(destination, happens, expect_resumed));
}

/// The link is down for longer than `--retry-for`.
#[test]
fn a_link_down_for_too_long() {
    Destination::each(|destination| {
        let scene = Scene::at(Pace::of_this_run());
        scene.file("part.xb", Backup::without_its_end().stream());
        let receiver = destination.receiver(&scene);
        let source = ["--", "sh", "-c", "cat part.xb; exec sleep 1000"];
        let transfer = Transfer::start(&scene, receiver, |to| scene.sender(to, source));
        transfer.wait_until_welcome();
        transfer.relay.down();
        let verdict = transfer.end();
        verdict.sent.expect_failure(3).expect_said("the link to the receiver was lost").expect_said("--retry-for");
        verdict.received.expect_failure(3).expect_said("the sender did not come back");
        verdict.expect_left(&["part.xb"]);
    });
}

/// The link is down thirty times in a row for a few seconds.
#[test]
fn thirty_short_outages() {
    let happens = |transfer: &Transfer<'_>, pace: Pace| {
        for _ in 0..30 {
            transfer.relay.down();
            pass(pace.hiccup);
            transfer.relay.up();
            pass(pace.hiccup);
        }
    };
    expect_arrival(Destination::File, happens, |_| {});
}

/// One in twenty datagrams is lost.
#[test]
fn a_link_that_loses_datagrams() {
    let happens = |transfer: &Transfer<'_>, _| {
        transfer.relay.lose(0.05);
        transfer.wait_until_under_way();
    };
    expect_arrival(Destination::File, happens, expect_not_interrupted);
}

/// The sender comes from another port from one moment to the next: a NAT has forgotten it.
#[test]
fn another_source_port() {
    expect_arrival(Destination::File, |transfer, _| transfer.relay.rebind(), expect_not_interrupted);
}

/// The sender comes from another address from one moment to the next: a change of networks.
#[test]
fn another_source_address() {
    let happens = |transfer: &Transfer<'_>, _| transfer.relay.rebind_to([127, 0, 0, 2].into());
    expect_arrival(Destination::File, happens, expect_not_interrupted);
}

/// A transfer whose receiver is stopped when the backup has got its name, and whose link is lost then.
fn lost_before_the_receipt<'a>(test: &str, scene: &'a Scene, backup: &Backup) -> Option<Transfer<'a>> {
    let receiver = Injection::stop("renameat2").on("out.xb").into(test, Destination::File.receiver(scene))?;
    let transfer = Transfer::start(scene, receiver, |to| scene.sender(to, []).feed(backup));
    transfer.receiver.wait_until_stopped();
    transfer.relay.down();
    transfer.receiver.signal(Signal::CONT);
    Some(transfer)
}

/// The link is lost between commit and receipt, and comes back.
#[test]
fn a_link_lost_between_commit_and_receipt() {
    let (scene, backup) = (Scene::at(Pace::of_this_run()), Backup::new(2, 1 << 20));
    let test = "a_link_lost_between_commit_and_receipt";
    let Some(transfer) = lost_before_the_receipt(test, &scene, &backup) else { return };
    transfer.sender.log().wait_for("interrupted");
    transfer.relay.up();
    transfer.end().expect_arrived(&backup, Destination::File, &[]);
}

/// The link is lost between commit and receipt, and never comes back.
#[test]
fn a_link_lost_for_good_between_commit_and_receipt() {
    let (scene, backup) = (Scene::at(Pace::of_this_run()), Backup::new(2, 1 << 20));
    let test = "a_link_lost_for_good_between_commit_and_receipt";
    let Some(transfer) = lost_before_the_receipt(test, &scene, &backup) else { return };
    let verdict = transfer.end();
    verdict.sent.expect_failure(8).expect_said("the receipt never came");
    verdict.received.expect_success().expect_said("the sender has not acknowledged the receipt");
    let names = verdict.expect_stored(&backup);
    verdict.expect_left(&names.iter().map(String::as_str).collect::<Vec<_>>());
}
