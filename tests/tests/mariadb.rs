//! A real server, backed up while it is written to, restored, and compared to the last row.
#![allow(clippy::print_stderr, reason = "what was measured is shown when the test fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use xbtests::pace::{Pace, pass};
use xbtests::{Input, Log, MariaDb, Mbstream, Output, Relay, Running, Scene, Session, Tree, peak_memory};

/// The kinds of tables there are, by the end of their `CREATE TABLE`. A CSV table has neither keys nor nulls.
const KINDS: [(&str, &str, &str); 9] = [
    ("inno", "PRIMARY KEY", "ENGINE=InnoDB"),
    ("packed", "PRIMARY KEY", "ENGINE=InnoDB ROW_FORMAT=COMPRESSED"),
    ("paged", "PRIMARY KEY", "ENGINE=InnoDB PAGE_COMPRESSED=1"),
    ("parted", "PRIMARY KEY", "ENGINE=InnoDB PARTITION BY HASH (id) PARTITIONS 3"),
    ("aria", "PRIMARY KEY", "ENGINE=Aria TRANSACTIONAL=1"),
    ("loose", "PRIMARY KEY", "ENGINE=Aria TRANSACTIONAL=0"),
    ("isam", "PRIMARY KEY", "ENGINE=MyISAM"),
    ("isamp", "PRIMARY KEY", "ENGINE=MyISAM PARTITION BY HASH (id) PARTITIONS 3"),
    ("csv", "", "ENGINE=CSV"),
];

/// Tables of each kind: several hundred in all.
const TABLES: usize = 36;

/// Tables of each kind that are there to be changed.
const POOL: usize = 50;

/// What has to happen while a backup runs, for the backup to prove anything.
const WRITES: u64 = 1_000;
const CHANGES: u64 = 5;

/// The most memory that either end may have had by then, in kilobytes.
const MEMORY: u64 = 150 << 10;

/// The rate of a backup: slow enough that much happens meanwhile.
const RATE: &str = "12m";

#[test]
fn a_server_is_backed_up_while_it_is_written_to() {
    if !MariaDb::is_installed("a_server_is_backed_up_while_it_is_written_to") {
        return;
    }
    let scene = Scene::new();
    let source = MariaDb::create(&scene, "source");
    fill(&scene, &source);
    let traffic = Traffic::start(&source);
    let run = back_up_by_command(&scene, &source, &traffic);
    let piped = back_up_by_pipe(&scene, &source, &traffic);
    traffic.stop();
    let expected = fingerprints(&scene, &source);
    assert!(expected.len() >= KINDS.len() * TABLES, "{} tables", expected.len());
    for restored in [run, piped] {
        expect_restored(&scene, &source, restored, &expected);
    }
    source.stop();
}

/// `xbsend -- mariadb-backup …` to a directory, through an outage of the link. The same tool goes on after it.
fn back_up_by_command(scene: &Scene, source: &MariaDb, traffic: &Traffic) -> PathBuf {
    let pace = Pace::of_this_run();
    let receiver = scene.receiver(["--extract", "-C", "run"]).args(pace.receiver_options()).start();
    let relay = Relay::to(receiver.listening());
    let sender = scene.sender(&relay.address(), []).args(pace.sender_options()).args(["-L", RATE, "--"]);
    let sender = sender.arg("mariadb-backup").args(backup_options(scene, source)).start();
    let peaks = thread::scope(|scope| {
        scope.spawn(|| {
            relay.wait_for_bytes(8 << 20);
            relay.down();
            pass(pace.outage);
            relay.up();
        });
        traffic.expect_within_backup(sender.log());
        [&sender, &receiver].map(|program| peak_memory(program.pid()))
    });
    assert!(peaks.iter().flatten().all(|peak| *peak < MEMORY), "the two ends had {peaks:?} kB");
    let log = sender.log().text();
    assert_eq!(log.matches("Starting BACKUP STAGE START").count(), 1, "the tool was run once");
    for program in [&sender, &receiver] {
        program.log().wait_for("interrupted: ");
        program.log().wait_for("resumed at byte ");
    }
    expect_confirmed(sender, receiver);
    scene.path("run")
}

/// `mariadb-backup … | tee kept.xb | xbsend` to a directory, which must be as `mbstream` makes it of what was kept.
fn back_up_by_pipe(scene: &Scene, source: &MariaDb, traffic: &Traffic) -> PathBuf {
    let receiver = scene.receiver(["--extract", "-C", "piped"]).start();
    let (read, write) = std::io::pipe().expect("a pipe");
    let script = "mariadb-backup \"$@\" | tee kept.xb";
    let tool = scene.program("mariadb-backup", "sh").args(["-c", script, "sh"]).args(backup_options(scene, source));
    let tool = tool.output(Output::Open(write.into())).start();
    let sender = scene.sender(&receiver.address(), ["-L", RATE]).input(Input::Open(read.into())).start();
    traffic.expect_within_backup(tool.log());
    assert!(tool.wait().log.trim_end().ends_with("completed OK!"), "the backup failed");
    expect_confirmed(sender, receiver);
    let unpacked = Tree::of(&scene.path("piped"));
    let theirs = Mbstream::extract(scene, &scene.path("kept.xb"), "theirs");
    for (name, how) in unpacked.differences(&theirs.tree) {
        let known = how == "only in the second" && theirs.wrongly_keeps(&name);
        assert!(known, "{} {how} (first xbrecv, second mbstream)", name.display());
    }
    expect_same_from_file(scene, &unpacked);
    scene.path("piped")
}

/// The stream that was kept is unpacked to the same files, and listed as these.
fn expect_same_from_file(scene: &Scene, unpacked: &Tree) {
    scene.xbrecv(["-x", "-C", "stored", "--from", "kept.xb"]).start().wait().expect_success();
    assert_eq!(unpacked.differences(&Tree::of(&scene.path("stored"))), BTreeMap::new());
    scene.xbrecv(["--verify", "--from", "kept.xb"]).start().wait().expect_success();
    let listing = scene.xbrecv(["--list=json", "--from", "kept.xb"]).start().wait().stdout;
    let listing: serde_json::Value = serde_json::from_slice(&listing).expect("JSON");
    let files = listing["files"].as_array().expect("files").iter();
    let listed: BTreeMap<&str, Option<u64>> =
        files.map(|file| (file["name"].as_str().expect("a name"), file["size"].as_u64())).collect();
    let there = unpacked.0.iter().map(|(name, (len, _))| (name.to_str().expect("UTF-8"), Some(*len)));
    assert_eq!(listed, there.collect());
}

fn backup_options(scene: &Scene, source: &MariaDb) -> [String; 6] {
    let target = scene.path("target");
    fs::create_dir_all(&target).expect("a folder");
    let own = ["--no-defaults", "--backup", "--stream=xbstream", "--user=root"].map(str::to_owned);
    let [defaults, backup, stream, user] = own;
    [defaults, backup, stream, user, source.socket_option(), format!("--target-dir={}", target.display())]
}

fn expect_confirmed(sender: Running, receiver: Running) {
    let (sent, received) = (sender.wait(), receiver.wait());
    sent.expect_success();
    received.expect_success();
    assert_eq!(sent.checksums(), received.checksums());
    assert_eq!(sent.checksums().len(), 1);
}

/// Prepares a restored directory, starts a server on it, replays what the source did since, and compares all tables.
fn expect_restored(scene: &Scene, source: &MariaDb, restored: PathBuf, expected: &BTreeMap<String, String>) {
    let prepare = scene.program("prepare", "mariadb-backup").args(["--no-defaults", "--prepare"]);
    let prepared = prepare.arg(format!("--target-dir={}", restored.display())).start().wait();
    assert_eq!(prepared.code, 0, "the backup cannot be prepared");
    let position = fs::read_to_string(restored.join("xtrabackup_binlog_info")).expect("a binlog position");
    let server = MariaDb::start(scene, restored);
    let events = binlog_from(scene, source, &position);
    let replay = server.client(scene).input(Input::Bytes(events)).start().wait();
    assert_eq!(replay.code, 0, "the binlog cannot be replayed");
    let found = fingerprints(scene, &server);
    let differing: Vec<_> = expected.iter().filter(|(table, sum)| found.get(*table) != Some(sum)).collect();
    assert!(differing.is_empty(), "these differ: {differing:?}");
    assert_eq!(found.len(), expected.len(), "there are other tables than in the source");
    server.stop();
}

/// What the source wrote to its binlog since a position, as statements.
fn binlog_from(scene: &Scene, source: &MariaDb, position: &str) -> Vec<u8> {
    let mut words = position.split_whitespace();
    let (Some(first), Some(start)) = (words.next(), words.next()) else { panic!("{position:?} is no position") };
    let mut logs: Vec<String> = scene_logs(source.data());
    logs.retain(|log| log.as_str() >= first);
    assert_eq!(logs.first().map(String::as_str), Some(first));
    let binlog = scene.program("mariadb-binlog", "mariadb-binlog").current_dir(source.data());
    let ended = binlog.arg("--no-defaults").arg(format!("--start-position={start}")).args(logs).start().wait();
    assert_eq!(ended.code, 0, "the binlog cannot be read: {}", ended.log);
    ended.stdout
}

fn scene_logs(data: &Path) -> Vec<String> {
    let names = fs::read_dir(data)
        .expect("a data directory")
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok());
    let mut logs: Vec<String> = names.filter(|name| name.starts_with("binlog.0")).collect();
    logs.sort();
    logs
}

/// Row count and checksum of every table.
fn fingerprints(scene: &Scene, server: &MariaDb) -> BTreeMap<String, String> {
    let tables = server.run(
        scene,
        "SELECT CONCAT(table_schema, '.', table_name) FROM information_schema.tables \
        WHERE table_schema IN ('shop', 'moves') ORDER BY 1;",
    );
    let queries = tables.iter().map(|table| {
        let (schema, name) = table.split_once('.').expect("schema and name");
        format!("CHECKSUM TABLE `{schema}`.`{name}`; SELECT COUNT(*) FROM `{schema}`.`{name}`;")
    });
    let lines = server.run(scene, &queries.collect::<Vec<_>>().join("\n"));
    assert_eq!(lines.len(), 2 * tables.len());
    tables.into_iter().zip(lines.chunks(2)).map(|(table, two)| (table, two.join(" rows "))).collect()
}

/// Several hundred tables with a few thousand rows each.
fn fill(scene: &Scene, server: &MariaDb) {
    let mut statements = String::from("SET sql_log_bin = 0; CREATE DATABASE shop; CREATE DATABASE moves; USE shop;\n");
    for (kind, key, options) in KINDS {
        for n in 0..TABLES {
            let rows = if n % 6 == 0 { 3_000 } else { 100 * (n % 6) };
            statements += &format!(
                "CREATE TABLE {kind}{n} (id INT NOT NULL {key}, words VARCHAR(200) NOT NULL, at BIGINT NOT NULL) {options};\n\
                 INSERT INTO {kind}{n} SELECT seq, REPEAT(MD5(seq * {n}), 3), seq * 7 FROM seq_1_to_{};\n",
                rows + 1
            );
        }
    }
    for (kind, key, options) in KINDS.iter().take(KINDS.len() - 1) {
        for n in 0..POOL {
            statements += &format!(
                "CREATE TABLE moves.{kind}{n} (id INT NOT NULL {key}, words VARCHAR(100)) {options};\n\
                 INSERT INTO moves.{kind}{n} SELECT seq, MD5(seq) FROM seq_1_to_100;\n"
            );
        }
    }
    server.run(scene, &statements);
}

/// Clients that write, and one that changes tables, until they are stopped.
struct Traffic {
    stop: Arc<AtomicBool>,
    /// Whether tables may be changed now. `mariadb-backup` itself gives up when a table of InnoDB is renamed while it
    /// makes its list of them, before its first lock; only from there on is a change its business.
    changing: Arc<AtomicBool>,
    writes: Arc<AtomicU64>,
    changes: Arc<AtomicU64>,
    clients: Vec<JoinHandle<()>>,
}

impl Traffic {
    fn start(server: &MariaDb) -> Traffic {
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
    fn expect_within_backup(&self, log: &Log) {
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

    fn stop(self) {
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
