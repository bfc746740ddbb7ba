//! A transfer that something happens to, and how it ends on both sides.

use std::fs;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::{Backup, Destination, Ended, Program, Relay, Running, Scene, sha1_of};

/// A sender and a receiver with a network between them.
pub struct Transfer<'a> {
    scene: &'a Scene,
    /// Where the receiver listens.
    pub address: SocketAddr,
    /// The network.
    pub relay: Relay,
    /// `xbsend`.
    pub sender: Running,
    /// `xbrecv`.
    pub receiver: Running,
}

/// How both sides of a transfer have ended.
pub struct Verdict<'a> {
    scene: &'a Scene,
    address: SocketAddr,
    /// `xbsend`.
    pub sent: Ended,
    /// `xbrecv`.
    pub received: Ended,
}

/// How much is sent before a transfer counts as under way, in bytes.
const SOME: u64 = 1 << 20;

impl<'a> Transfer<'a> {
    /// Starts a receiver, and a sender, which is told where to send.
    pub fn start(scene: &'a Scene, receiver: Program, sender: impl FnOnce(&str) -> Program) -> Transfer<'a> {
        let receiver = receiver.start();
        let address = receiver.listening();
        Transfer::to(scene, receiver, address, sender)
    }

    /// The same with a receiver that listens there, or soon will.
    pub fn to(
        scene: &'a Scene,
        receiver: Running,
        address: SocketAddr,
        sender: impl FnOnce(&str) -> Program,
    ) -> Transfer<'a> {
        let relay = Relay::to(address);
        let sender = sender(&relay.address()).start();
        Transfer { scene, address, relay, sender, receiver }
    }

    /// Waits until the receiver has taken the session, and the sender knows. How many bytes have come through by then says
    /// little: a link begins with a search for the longest datagram.
    pub fn wait_until_welcome(&self) {
        self.receiver.log().wait_for("the sender has come");
        self.sender.log().wait_for("sending to");
    }

    /// Waits until a megabyte more has come through.
    pub fn wait_until_under_way(&self) {
        self.relay.wait_for_bytes(SOME);
    }

    /// It is not over yet: what happened to it happened in time.
    pub fn expect_under_way(&mut self) {
        assert!(self.sender.is_alive() && self.receiver.is_alive(), "the transfer was over before it was disturbed");
    }

    /// Kills the receiver, and waits until it is gone.
    pub fn kill_receiver(&mut self) {
        self.receiver.signal(Signal::KILL);
        while self.receiver.is_alive() {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts a receiver in the place of one that was killed.
    pub fn start_receiver(&mut self, receiver: Program) {
        self.receiver = receiver.start();
        self.address = self.receiver.listening();
        self.relay.retarget(self.address);
    }

    /// Waits for both sides.
    pub fn end(self) -> Verdict<'a> {
        let Transfer { scene, address, relay: _relay, sender, receiver } = self;
        let (sent, received) = (sender.wait(), receiver.wait());
        Verdict { scene, address, sent, received }
    }
}

impl Verdict<'_> {
    /// Both succeeded, both say the SHA-1 of the backup's stream, the backup is what is in the destination, and nothing is
    /// left but these files that were there before.
    pub fn expect_arrived(&self, backup: &Backup, destination: Destination, before: &[&str]) {
        self.expect_confirmed(backup);
        let names = match destination {
            Destination::File => self.expect_stored(backup),
            Destination::Directory => self.expect_unpacked(backup),
        };
        let mut names: Vec<&str> = names.iter().map(String::as_str).chain(before.iter().copied()).collect();
        names.sort_unstable();
        self.expect_left(&names);
    }

    /// The stream of the backup is in the file, and its SHA-1 beside it. Returns the names of both.
    pub fn expect_stored(&self, backup: &Backup) -> Vec<String> {
        let read = |name| fs::read(self.scene.path(name)).unwrap_or_else(|error| panic!("reading {name}: {error}"));
        assert_eq!(sha1_of(&read("out.xb")), backup.sha1(), "the SHA-1 of out.xb");
        assert_eq!(read("out.xb.sha1"), format!("{}  out.xb\n", backup.sha1()).as_bytes());
        ["out.xb", "out.xb.sha1"].map(str::to_owned).into()
    }

    fn expect_unpacked(&self, backup: &Backup) -> Vec<String> {
        backup.expect_in(&self.scene.path("data"));
        backup.names().iter().map(|name| format!("data/{name}")).collect()
    }

    /// Both succeeded and say the SHA-1 of the backup's stream.
    pub fn expect_confirmed(&self, backup: &Backup) -> &Self {
        for ended in [&self.sent, &self.received] {
            let sums = ended.expect_success().checksums();
            assert_eq!(sums.iter().map(|(sum, _)| sum.as_str()).collect::<Vec<_>>(), [backup.sha1()]);
        }
        self
    }

    /// Both failed with this code, for one reason: the same words, with these among them.
    pub fn expect_both_failed(&self, code: i32, words: &str) -> &Self {
        self.expect_codes(code, code);
        let (ours, theirs) = (self.sent.cause(), self.received.cause());
        assert_eq!(ours, theirs, "the cause according to the sender, and to the receiver");
        assert!(ours.contains(words), "the cause is not {words:?} but {ours:?}");
        self
    }

    /// Neither side succeeded, and these are the exit codes.
    pub fn expect_codes(&self, sender: i32, receiver: i32) -> &Self {
        self.sent.expect_failure(sender);
        self.received.expect_failure(receiver);
        self
    }

    /// No file but these is in the scene, no process, and nobody at the port.
    pub fn expect_left(&self, files: &[&str]) -> &Self {
        self.scene.expect_nobody_left();
        self.scene.expect_port_free(&self.address.to_string());
        assert_eq!(self.scene.listing("."), files);
        self
    }
}
