//! The table of faults, `docs/faults.md`: programs that are killed and started again. Each test is a row.

use std::fs;
use std::path::Path;

use rustix::process::Signal;
use xbtests::{Backup, Destination, Injection, Pace, Program, Running, Scene, Terminal, Transfer, Trickle};

/// How much a file has when its receiver is killed, at least, in bytes.
const SOME: u64 = 2 << 20;

/// What the receiver of a file remembers by.
const JOURNAL: &str = "out.xb.partial.journal";

fn backup() -> Backup {
    Backup::new(6, 1 << 20)
}

/// A transfer to a file that is under way.
fn under_way<'a>(scene: &'a Scene, source: &Trickle) -> Transfer<'a> {
    let receiver = Destination::File.receiver(scene);
    let transfer = Transfer::start(scene, receiver, |to| scene.sender(to, []).input(source.input()));
    scene.wait_for_size("out.xb.partial", SOME);
    transfer
}

/// A receiver of a file where one was before.
fn receiver_in_place_of(transfer: &Transfer<'_>, scene: &Scene) -> Program {
    scene.receiver_at(&transfer.address.to_string()).args(["-o", "out.xb"])
}

/// The sender hears that its session is lost, in these words, and the receiver takes the next one, who gets where it is.
fn expect_lost_session(transfer: Transfer<'_>, words: &str, next: impl FnOnce(&str) -> Program) {
    transfer.sender.wait().expect_failure(3).expect_said(words);
    next(&transfer.address.to_string()).start().wait().expect_success();
    transfer.receiver.wait().expect_success();
}

/// The backup is in the file, and nothing else is left.
fn expect_stored(scene: &Scene, backup: &Backup) {
    scene.expect_nobody_left();
    assert!(fs::read(scene.path("out.xb")).expect("stored") == backup.stream());
    assert_eq!(scene.listing("."), ["out.xb", "out.xb.sha1"]);
}

/// The receiver of a file is killed (SIGKILL) and started again.
#[test]
fn a_receiver_killed_and_started_again() {
    let (scene, backup) = (Scene::at(Pace::of_this_run()), backup());
    let source = Trickle::of(&backup);
    let mut transfer = under_way(&scene, &source);
    transfer.kill_receiver();
    let before = transfer.address;
    transfer.start_receiver(Destination::File.receiver(&scene));
    assert_eq!(transfer.address, before, "any free port is the one where the sender looks");
    transfer.sender.log().wait_for("resumed at byte ");
    source.release();
    let verdict = transfer.end();
    verdict.expect_arrived(&backup, Destination::File, &[]);
    verdict.sent.expect_silence_on("resumed at byte 0,");
}

/// … although it made its key itself and has shown it on a terminal.
#[test]
fn a_receiver_at_a_terminal_killed_and_started_again() {
    let (scene, backup) = (Scene::at(Pace::of_this_run()), backup());
    let source = Trickle::of(&backup);
    let start = || {
        let terminal = Terminal::start(&scene, Destination::File.receiver(&scene).without_key());
        let listening = terminal.screen().wait_for_line("listening on ");
        let address = listening.rsplit(' ').next().expect("an address").to_owned();
        let key = terminal.screen().wait_for_line("xb1-").trim().to_owned();
        (terminal, address, key)
    };
    let (first, address, key) = start();
    let sender = scene.sender(&address, []).env("XB_KEY", &key).input(source.input()).start();
    scene.wait_for_size("out.xb.partial", SOME);
    scene.kill("xbrecv");
    first.wait();
    let (second, same_address, same_key) = start();
    assert_eq!((same_address, same_key), (address, key));
    sender.log().wait_for("resumed at byte ");
    source.release();
    sender.wait().expect_success().expect_silence_on("resumed at byte 0,");
    second.wait().expect_success();
    expect_stored(&scene, &backup);
}

/// … although it had everything, and only the receipt was missing.
#[test]
fn a_receiver_killed_between_commit_and_receipt() {
    let (scene, backup) = (Scene::at(Pace::of_this_run()), backup());
    let receiver = Injection::stop("renameat2").on("out.xb");
    let test = "a_receiver_killed_between_commit_and_receipt";
    let Some(receiver) = receiver.into(test, Destination::File.receiver(&scene)) else { return };
    let mut transfer = Transfer::start(&scene, receiver, |to| scene.sender(to, []).feed(&backup));
    transfer.receiver.wait_until_stopped();
    transfer.kill_receiver();
    assert!(scene.path("out.xb").exists(), "killed too early");
    transfer.start_receiver(Destination::File.receiver(&scene));
    transfer.end().expect_arrived(&backup, Destination::File, &[]);
}

/// … twice at the same time: one of them goes on.
#[test]
fn two_receivers_started_again_at_once() {
    let (scene, backup) = (Scene::at(Pace::of_this_run()), backup());
    let source = Trickle::of(&backup);
    let mut transfer = under_way(&scene, &source);
    transfer.kill_receiver();
    let both = [(); 2].map(|()| Destination::File.receiver(&scene).start());
    let (first, second) = first_to_end(both);
    first.wait().expect_failure(7).expect_said("already running").expect_silence_on("listening on");
    transfer.receiver = second;
    source.release();
    let verdict = transfer.end();
    verdict.expect_arrived(&backup, Destination::File, &[]);
    verdict.received.expect_said("resumed at byte ");
}

/// Which of the two ends first, and the other one.
fn first_to_end(programs: [Running; 2]) -> (Running, Running) {
    let [mut one, mut other] = programs;
    while one.is_alive() && other.is_alive() {
        std::thread::yield_now();
    }
    if one.is_alive() { (other, one) } else { (one, other) }
}

/// … with another key, which is refused, and then with the right one.
#[test]
fn a_receiver_started_again_with_another_key() {
    let (scene, backup, key) = (Scene::at(Pace::of_this_run()), backup(), Scene::new().key().reveal());
    let source = Trickle::of(&backup);
    let mut transfer = under_way(&scene, &source);
    transfer.kill_receiver();
    let other = receiver_in_place_of(&transfer, &scene).env("XB_KEY", &key).start().wait();
    other.expect_failure(2).expect_said("had another key");
    transfer.start_receiver(receiver_in_place_of(&transfer, &scene));
    transfer.sender.log().wait_for("resumed at byte ");
    source.release();
    transfer.end().expect_arrived(&backup, Destination::File, &[]);
}

/// The receiver of a directory is killed (SIGKILL) and started again: it takes the next sender.
#[test]
fn an_unpacking_receiver_killed_and_started_again() {
    let (scene, backup) = (Scene::at(Pace::of_this_run()), backup());
    let source = Trickle::of(&backup);
    let receiver = || Destination::Directory.receiver(&scene);
    let mut transfer = Transfer::start(&scene, receiver(), |to| scene.sender(to, []).input(source.input()));
    transfer.wait_until_under_way();
    transfer.kill_receiver();
    transfer.start_receiver(receiver());
    expect_lost_session(transfer, "state lost", |to| scene.sender(to, []).feed(&backup));
    backup.expect_in(&scene.path("data"));
    scene.expect_nobody_left();
    assert_eq!(scene.listing("data").len(), backup.names().len(), "a staging folder is left");
}

/// The receiver of a file is killed, and its file is removed before it is started again: it takes the next sender.
#[test]
fn a_file_removed_while_the_receiver_was_away() {
    let (scene, backup) = (Scene::at(Pace::of_this_run()), backup());
    let mut transfer = under_way(&scene, &Trickle::of(&backup));
    transfer.kill_receiver();
    fs::remove_file(scene.path("out.xb.partial")).expect("a file");
    let receiver = receiver_in_place_of(&transfer, &scene);
    transfer.start_receiver(receiver);
    expect_lost_session(transfer, "state lost", |to| scene.sender(to, []).feed(&backup));
    expect_stored(&scene, &backup);
}

/// The receiver of a file is killed, and its file is shortened before it is started again.
#[test]
fn a_file_cut_while_the_receiver_was_away() {
    expect_damage("has 1000 bytes, expected at least", |file| cut(file, 1000));
}

/// … or changed.
#[test]
fn a_byte_flipped_while_the_receiver_was_away() {
    expect_damage("are not those that were written", |file| {
        let mut bytes = fs::read(file).expect("a file");
        // One byte of each block: some of them are in the part that is hashed again, wherever that begins.
        bytes.iter_mut().step_by(512).for_each(|byte| *byte ^= 0x20);
        fs::write(file, bytes).expect("a file");
    });
}

/// This happens to the file of a receiver that was killed: when it is started again, both sides end with these words.
fn expect_damage(words: &str, happens: impl Fn(&Path)) {
    let scene = Scene::at(Pace::of_this_run());
    let mut transfer = under_way(&scene, &Trickle::of(&backup()));
    transfer.kill_receiver();
    happens(&scene.path("out.xb.partial"));
    transfer.start_receiver(Destination::File.receiver(&scene));
    let verdict = transfer.end();
    verdict.expect_both_failed(5, words).expect_left(&[]);
    verdict.received.expect_said("out.xb.partial").expect_silence_on("resumed");
}

/// A receiver of a file is killed while it writes to its journal: what is whole of it is believed.
#[test]
fn a_journal_torn_at_its_end() {
    let (scene, backup) = (Scene::at(Pace::of_this_run()), backup());
    let source = Trickle::of(&backup);
    let mut transfer = under_way(&scene, &source);
    transfer.kill_receiver();
    let mut journal = fs::read(scene.path(JOURNAL)).expect("a journal");
    let last = *ends_of_records(&journal).iter().nth_back(1).expect("records");
    journal.extend_from_within(last..journal.len() - 1);
    fs::write(scene.path(JOURNAL), journal).expect("a journal");
    transfer.start_receiver(Destination::File.receiver(&scene));
    transfer.sender.log().wait_for("resumed at byte ");
    source.release();
    transfer.end().expect_arrived(&backup, Destination::File, &[]);
}

/// … and most of its journal is lost: the sender does not have any more what the receiver would need.
#[test]
fn a_journal_torn_in_its_middle() {
    let scene = Scene::at(Pace::of_this_run());
    let mut transfer = under_way(&scene, &Trickle::of(&backup()));
    transfer.kill_receiver();
    // Who it was, the session, one point that the file was synced up to.
    let kept = ends_of_records(&fs::read(scene.path(JOURNAL)).expect("a journal"))[2];
    cut(&scene.path(JOURNAL), kept as u64 + 1);
    transfer.start_receiver(Destination::File.receiver(&scene));
    transfer.end().expect_both_failed(3, "lane 0 cannot be resumed").expect_left(&[]);
}

/// … and nothing of its journal is left but its name: it takes the next sender.
#[test]
fn a_journal_torn_at_its_beginning() {
    let (scene, backup) = (Scene::at(Pace::of_this_run()), backup());
    let mut transfer = under_way(&scene, &Trickle::of(&backup));
    transfer.kill_receiver();
    cut(&scene.path(JOURNAL), 100);
    let receiver = receiver_in_place_of(&transfer, &scene);
    transfer.start_receiver(receiver);
    expect_lost_session(transfer, "state lost", |to| scene.sender(to, []).feed(&backup));
    expect_stored(&scene, &backup);
}

/// Where each record of a journal ends: a line, and records of a kind, a length, a body and a CRC.
fn ends_of_records(journal: &[u8]) -> Vec<usize> {
    let (mut at, mut ends) = (b"xbrecv journal 2\n".len(), Vec::new());
    while let Some(length) = journal.get(at + 1..at + 5) {
        at += 5 + u32::from_be_bytes(length.try_into().expect("four bytes")) as usize + 4;
        ends.push(at);
    }
    ends
}

/// Leaves so many bytes of a file.
fn cut(path: &Path, len: u64) {
    let file = fs::File::options().write(true).open(path).expect("a file");
    file.set_len(len).expect("a shorter file");
}

/// The sender is killed (SIGKILL) and the command is run again.
#[test]
fn a_sender_killed_and_run_again() {
    Destination::each(|destination| {
        let (scene, backup) = (Scene::at(Pace::of_this_run()), backup());
        let source = Trickle::of(&backup);
        let receiver = destination.receiver(&scene);
        let mut transfer = Transfer::start(&scene, receiver, |to| scene.sender(to, []).input(source.input()));
        transfer.wait_until_under_way();
        transfer.sender.signal(Signal::KILL);
        let relay = transfer.relay.address();
        transfer.sender = scene.sender(&relay, []).feed(&backup).start();
        transfer.end().expect_arrived(&backup, destination, &[]);
    });
}

/// … twice at the same time: one of them is served.
#[test]
fn two_senders_run_again_at_once() {
    let (scene, backup) = (Scene::at(Pace::of_this_run()), backup());
    let transfer = under_way(&scene, &Trickle::of(&backup));
    transfer.sender.signal(Signal::KILL);
    let relay = transfer.relay.address();
    let (first, second) = first_to_end([(); 2].map(|()| scene.sender(&relay, []).feed(&backup).start()));
    let [first, second] = [first, second].map(Running::wait);
    let (served, other) = if first.code == 0 { (first, second) } else { (second, first) };
    served.expect_success();
    other.expect_failure(4).expect_said("busy");
    transfer.receiver.wait().expect_success();
    expect_stored(&scene, &backup);
}

/// Both are killed, and both commands are run again.
#[test]
fn both_killed_and_run_again() {
    Destination::each(|destination| {
        let (scene, backup) = (Scene::at(Pace::of_this_run()), backup());
        let source = Trickle::of(&backup);
        let receiver = destination.receiver(&scene);
        let mut transfer = Transfer::start(&scene, receiver, |to| scene.sender(to, []).input(source.input()));
        transfer.wait_until_under_way();
        transfer.sender.signal(Signal::KILL);
        transfer.kill_receiver();
        assert!(!scene.listing(".").is_empty(), "nothing is left of what the receiver had");
        transfer.start_receiver(destination.receiver(&scene));
        let relay = transfer.relay.address();
        transfer.sender = scene.sender(&relay, []).feed(&backup).start();
        transfer.end().expect_arrived(&backup, destination, &[]);
    });
}
