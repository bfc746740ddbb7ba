//! The table of faults, `docs/faults.md`: others who come during a transfer. Each test is a row.

use std::thread;

use xbtests::{Backup, Destination, Rogue, Scene, Transfer, Trickle, throw_garbage};

/// How many strangers come, and as many datagrams that are nothing.
const STRANGERS: usize = 10_000;

/// Ten thousand strangers connect during a transfer, and as many datagrams arrive that mean nothing.
#[test]
fn ten_thousand_strangers() {
    let (scene, backup) = (Scene::new(), Backup::new(12, 1 << 20));
    let source = Trickle::of(&backup);
    let receiver = Destination::File.receiver(&scene);
    let mut transfer = Transfer::start(&scene, receiver, |to| scene.sender(to, []).input(source.input()));
    transfer.wait_until_under_way();
    let address = transfer.address;
    thread::scope(|scope| {
        scope.spawn(|| Rogue::dialer().connect_and_leave(address, STRANGERS));
        throw_garbage(address, STRANGERS);
    });
    transfer.expect_under_way();
    source.release();
    transfer.end().expect_arrived(&backup, Destination::File, &[]);
}

/// A second sender comes to a receiver that is at work.
#[test]
fn a_second_sender() {
    let (scene, backup) = (Scene::new(), Backup::new(2, 1 << 20));
    let source = Trickle::of(&backup);
    let receiver = Destination::File.receiver(&scene);
    let mut transfer = Transfer::start(&scene, receiver, |to| scene.sender(to, []).input(source.input()));
    transfer.wait_until_under_way();
    let second = scene.sender(&transfer.address.to_string(), []).feed(&backup).start().wait();
    second.expect_failure(4).expect_said("busy");
    transfer.expect_under_way();
    source.release();
    transfer.end().expect_arrived(&backup, Destination::File, &[]);
}
