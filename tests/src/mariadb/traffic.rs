//! What happens in a shop while it is backed up.
#![allow(clippy::print_stderr, reason = "what was measured is shown when the test fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::shop::{KINDS, POOL, TABLES};
use super::{MariaDb, Session};
use crate::Log;

/// What has to happen while a backup runs, for the backup to prove anything.
const WRITES: u64 = 1_000;
const CHANGES: u64 = 5;

/// Clients that write, and one that changes tables, until they are stopped.
pub struct Traffic {
    stop: Arc<AtomicBool>,
    /// Whether tables may be changed now. `mariadb-backup` itself gives up when a table of InnoDB is renamed while it
    /// makes its list of them, before its first lock; only from there on is a change its business.
    changing: Arc<AtomicBool>,
    writes: Arc<AtomicU64>,
    changes: Arc<AtomicU64>,
    clients: Vec<JoinHandle<()>>,
}

impl Traffic {
    /// Clients of `server`.
    pub fn start(server: &MariaDb) -> Traffic {
        let mut traffic = Traffic {
            stop: Arc::default(),
            changing: Arc::default(),
            writes: Arc::default(),
            changes: Arc::default(),
            clients: Vec::new(),
        };
        for writer in 0..3 {
            let count = traffic.writes.clone();
            traffic.client(server.session(), count, move |session, round| write(session, writer, round));
        }
        let (count, changing) = (traffic.changes.clone(), traffic.changing.clone());
        let changed = AtomicU64::new(0);
        traffic.client(server.session(), count, move |session, _| {
            if !changing.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(10));
                return 0;
            }
            change(session, changed.fetch_add(1, Ordering::Relaxed))
        });
        traffic
    }

    fn client(
        &mut self,
        mut session: Session,
        count: Arc<AtomicU64>,
        work: impl Fn(&mut Session, u64) -> u64 + Send + 'static,
    ) {
        let stop = self.stop.clone();
        self.clients.push(thread::spawn(move || {
            let mut round = 0;
            while !stop.load(Ordering::Relaxed) {
                count.fetch_add(work(&mut session, round), Ordering::Relaxed);
                round += 1;
            }
        }));
    }

    /// Counts what happens between the first lock of a backup and the one that ends all writing.
    pub fn expect_within_backup(&self, log: &Log) {
        let now = || (self.writes.load(Ordering::Relaxed), self.changes.load(Ordering::Relaxed));
        log.wait_for("BACKUP STAGE START");
        let (writes, changes) = now();
        self.changing.store(true, Ordering::Relaxed);
        log.wait_for("Starting BACKUP STAGE BLOCK_COMMIT");
        self.changing.store(false, Ordering::Relaxed);
        let (writes, changes) = (now().0 - writes, now().1 - changes);
        eprintln!("{writes} writes and {changes} changes of tables fell inside the backup");
        assert!(writes >= WRITES, "only {writes} writes fell inside the backup");
        assert!(changes >= CHANGES, "only {changes} changes of tables fell inside the backup");
    }

    /// Ends them. Panics when one of their statements has failed.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.join().expect("all statements succeed");
        }
    }
}

/// Some rows in some tables of every kind; returns how many statements that were.
fn write(session: &mut Session, writer: u64, round: u64) -> u64 {
    let mut statements = Vec::new();
    for (n, (kind, key, _)) in KINDS.iter().enumerate() {
        let table = format!("shop.{kind}{}", (round * 7 + writer * 5 + n as u64) % TABLES as u64);
        let id = 1_000_000 + round * 10 + writer;
        statements.push(format!("INSERT INTO {table} VALUES ({id}, UUID(), {round})"));
        if !key.is_empty() {
            statements.push(format!("UPDATE {table} SET words = UUID() WHERE id = {}", 1 + round % 50));
            statements
                .push(format!("DELETE FROM {table} WHERE id = {}", 1_000_000 + round.saturating_sub(40) * 10 + writer));
        }
    }
    session.run(&statements.join("; "));
    // All of this will be replayed, twice.
    thread::sleep(Duration::from_millis(40));
    statements.len() as u64
}

/// One change of one table, of the next engine each time. Every table is changed only once, and only those of InnoDB get
/// another name or are truncated: `mariadb-backup` itself loses a table of MyISAM or Aria that is renamed just when it
/// comes to it, and may keep the rows of one that is truncated.
fn change(session: &mut Session, round: u64) -> u64 {
    let n = round / 5;
    let (kind, _, options) = KINDS[n as usize % (KINDS.len() - 1)];
    let table = format!("moves.{kind}{}", n / (KINDS.len() as u64 - 1) * 5 + round % 5);
    let is_there = n < ((KINDS.len() - 1) * POOL / 5) as u64;
    session.run(&match round % 5 {
        1 if is_there => format!("ALTER TABLE {table} ADD COLUMN more INT DEFAULT {round}"),
        2 if is_there && options.contains("InnoDB") => format!("RENAME TABLE {table} TO {table}_renamed"),
        3 if is_there && options.contains("InnoDB") => format!("TRUNCATE TABLE {table}"),
        4 if is_there => format!("DROP TABLE {table}"),
        _ => format!("CREATE TABLE moves.new{round} (id INT NOT NULL PRIMARY KEY, words VARCHAR(100)) {options}"),
    });
    thread::sleep(Duration::from_millis(60));
    1
}
