//! The harness: what the tests of the two programs stand on.
//!
//! A test is a story with a few nouns, one to a file:
//!
//! * [`Scene`]: the place of one test: a folder, a key, and the logs of everything that ran there.
//! * [`Program`] and [`Running`]: `xbsend` and `xbrecv` as processes, from the command line to the exit code.
//! * [`Backup`]: made-up backups, whole and broken, as small as a page or as long as the disk.
//! * [`Encoded`]: backups made by foreign hands, compressed and encrypted, with the files that must come of them.
//! * [`Trickle`]: a source that does not end before it is told to.
//! * [`FakeTool`]: a stand-in for the vendors' backup tools that does as it is told.
//! * [`FifoTool`]: one that writes its backup to several FIFOs, as xtrabackup can.
//! * [`Streams`]: a backup as several streams.
//! * [`Rogue`]: a peer made of the protocol's own parts that does not behave. [`Intruder`]: one that has the key.
//!   [`TcpRogue`]: one over TCP. [`throw_garbage`]: nobody at all.
//! * [`certificates`]: those that people have, in files.
//! * [`Terminal`]: a program that believes it sits at one.
//! * [`Destination`]: where a receiver puts what comes.
//! * [`Transfer`]: a sender and a receiver with a [`Relay`] between them, a network that does as it is told; [`Verdict`]:
//!   how both ended. [`Pace`]: how long faults last.
//! * [`Sshd`]: a host that is reached by ssh, with an sshd of its own. [`FakeSsh`]: one that is this host.
//! * [`NarrowPath`]: network namespaces in a row, the second hop narrower than the first.
//!   [`TwoHosts`]: two of them, with a firewall.
//! * [`SmallDisk`]: a file system of a few megabytes, to be filled. [`ReadOnlyDisk`]: one that the kernel gives up.
//!   [`FailingDisk`]: one that loses what the kernel writes back.
//! * [`hostile`]: streams that mean harm, and what must become of each.
//! * [`Injection`]: system calls that fail. [`Clock`]: a clock that is set while a program runs.
//! * [`MariaDb`]: a private database server. [`Mbstream`]: its own extractor, whose mistakes are known.
//! * [`Tree`]: the files below a folder, to be compared.
//! * [`sim`]: a simulated network on a paused clock.
//!
//! Those are processes on a real network; [`sim`] is the other half: the programs' own code on a simulated one.
//!
//! The functions of this crate panic when something is not as it should be: what calls them are tests, and the panic
//! is their verdict. [`skip`] is for what a machine cannot do.
#![allow(clippy::print_stderr, reason = "a test's words belong to the test runner, which captures them")]

mod backup;
pub mod certificates;
mod clock;
mod destination;
mod disk;
mod encoded;
mod failing_disk;
mod fake_ssh;
mod fake_tool;
mod fifo_tool;
mod garbage;
pub mod hostile;
mod injection;
mod log;
pub mod mariadb;
mod mbstream;
mod narrow_path;
pub mod pace;
mod program;
mod programs;
mod read_only_disk;
mod relay;
mod rogue;
mod running;
mod scene;
pub mod sim;
pub mod skip;
mod sshd;
mod streams;
mod tcp_rogue;
mod terminal;
mod transfer;
mod tree;
mod trickle;
mod two_hosts;
mod xfs_disk;

pub use backup::{Backup, Endless, every_kind_of_chunk, sha1_of};
pub use clock::Clock;
pub use destination::Destination;
pub use disk::SmallDisk;
pub use encoded::{Encoded, Encryption};
pub use failing_disk::FailingDisk;
pub use fake_ssh::FakeSsh;
pub use fake_tool::FakeTool;
pub use fifo_tool::FifoTool;
pub use garbage::throw_garbage;
pub use injection::Injection;
pub use log::Log;
pub use mariadb::{MariaDb, Session};
pub use mbstream::Mbstream;
pub use narrow_path::{FAR, NarrowPath};
pub use pace::Pace;
pub use program::{Input, Output, Program};
pub use programs::program_path;
pub use read_only_disk::ReadOnlyDisk;
pub use relay::Relay;
pub use rogue::{Intruder, Rogue};
pub use running::{Ended, Running, peak_memory};
pub use scene::Scene;
pub use skip::is_full_run;
pub use sshd::{FAR_HOST, Sshd};
pub use streams::Streams;
pub use tcp_rogue::TcpRogue;
pub use terminal::Terminal;
pub use transfer::{Transfer, Verdict};
pub use tree::{Tree, stored_at};
pub use trickle::Trickle;
pub use two_hosts::{THERE, TwoHosts};
pub use xfs_disk::XfsDisk;
