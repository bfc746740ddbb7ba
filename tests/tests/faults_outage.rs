//! The table of faults, `docs/faults.md`: what goes wrong while the link is down. Each test is a row.

use xbtests::pace::pass;
use xbtests::{Backup, Destination, Endless, Injection, Input, Pace, Scene, Transfer, Trickle, peak_memory};

/// The most memory that either side may ever have had, in kilobytes.
const LIMIT: u64 = 150 << 10;

/// The receiver's disk is full (ENOSPC) while the link is down.
#[test]
fn a_disk_full_while_the_link_is_down() {
    Destination::each(|destination| {
        let pace = Pace::of_this_run();
        let scene = Scene::at(pace);
        let source = Trickle::of(&Backup::new(8, 1 << 20));
        let full = Injection::error("pwrite64", "ENOSPC").after(pace.outage).from(3);
        let receiver = destination.receiver(&scene);
        let Some(receiver) = full.into("a_disk_full_while_the_link_is_down", receiver) else { return };
        let transfer = Transfer::start(&scene, receiver, |to| scene.sender(to, []).input(source.input()));
        // Several syncs long: each lets the receiver write what does not fill a page.
        transfer.relay.wait_for_bytes(1_500_000);
        transfer.relay.down();
        transfer.receiver.ask_until("status: ending");
        transfer.sender.log().wait_for("interrupted");
        transfer.relay.up();
        transfer.end().expect_both_failed(7, "No space left on device").expect_left(&[]);
    });
}

/// The source fails while the link is down.
#[test]
fn a_source_that_fails_while_the_link_is_down() {
    let scene = Scene::at(Pace::of_this_run());
    scene.file("part.xb", Backup::without_its_end().stream());
    let script = "cat part.xb; while ! [ -e go ]; do sleep 0.02; done; echo the log has wrapped >&2; exit 1";
    let receiver = Destination::File.receiver(&scene);
    let transfer = Transfer::start(&scene, receiver, |to| scene.sender(to, ["--", "sh", "-c", script]));
    transfer.wait_until_welcome();
    transfer.relay.down();
    transfer.sender.log().wait_for("interrupted");
    transfer.receiver.log().wait_for("interrupted");
    scene.file("go", "");
    transfer.sender.log().wait_for("the last lines of the backup were");
    transfer.relay.up();
    transfer.end().expect_both_failed(6, "status 1").expect_left(&["go", "part.xb"]);
}

/// The link is down for 4 min, and the source would give more than any memory holds.
#[test]
fn a_fast_source_while_the_link_is_down() {
    Destination::each(|destination| {
        let pace = Pace::of_this_run();
        let scene = Scene::at(pace);
        let endless = Input::Reader(Box::new(Endless::new(300 << 20)));
        let receiver = destination.receiver(&scene);
        let transfer = Transfer::start(&scene, receiver, |to| scene.sender(to, []).input(endless));
        transfer.relay.wait_for_bytes(64 << 20);
        transfer.relay.down();
        pass(pace.long_outage);
        transfer.relay.up();
        let sides = [&transfer.sender, &transfer.receiver];
        sides.iter().for_each(|side| side.log().wait_for("resumed at byte "));
        transfer.relay.wait_for_bytes(64 << 20);
        let peaks = sides.map(|side| peak_memory(side.pid()).expect("a process"));
        assert!(peaks.iter().all(|peak| (1..LIMIT).contains(peak)), "the sides had {peaks:?} kB");
        let verdict = transfer.end();
        assert_eq!(verdict.sent.expect_success().checksums()[0].0, verdict.received.expect_success().checksums()[0].0);
    });
}
