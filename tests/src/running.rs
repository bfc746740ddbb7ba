//! A process that runs, and what is left of it.

use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::Log;
use crate::log::patience;

/// A started process. Dropping it kills its process group.
pub struct Running {
    name: String,
    child: Child,
    log: Log,
    stdout: Option<JoinHandle<Vec<u8>>>,
    status: Option<ExitStatus>,
}

/// A process that has ended.
#[derive(Debug)]
pub struct Ended {
    name: String,
    /// Its exit code; 128 and the signal's number if it was killed.
    pub code: i32,
    /// What it wrote to standard error.
    pub log: String,
    /// What it wrote to standard output, if that was kept.
    pub stdout: Vec<u8>,
}

impl Running {
    pub(crate) fn new(name: String, mut child: Child, log: Log) -> Running {
        let stdout = child.stdout.take().map(|mut stdout| {
            thread::spawn(move || {
                let mut all = Vec::new();
                let _ = stdout.read_to_end(&mut all);
                all
            })
        });
        Running { name, child, log, stdout, status: None }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it says on standard error, as it comes.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The address a receiver says it is listening on, once it does, in a line for people or for programs.
    pub fn listening(&self) -> SocketAddr {
        let line = self.log.wait_for_line("listening");
        let words = line.split_once("listening on ").or_else(|| line.split_once("\"address\":\""));
        let address = words.and_then(|(_, rest)| rest.split([' ', '"']).next()).unwrap_or_default();
        address.parse().unwrap_or_else(|error| panic!("{line:?} names no address: {error}"))
    }

    /// Its port on this host, as a sender takes it.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.listening().port())
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    /// Asks it how it does (SIGUSR1), again and again, until it says this.
    pub fn ask_until(&self, words: &str) {
        let deadline = Instant::now() + patience();
        while !self.log.text().contains(words) {
            assert!(Instant::now() < deadline, "{} never said {words:?} when it was asked", self.name);
            self.signal(Signal::USR1);
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// Waits until it is stopped, and stays so: a tracer stops it for a moment now and then.
    pub fn wait_until_stopped(&self) {
        let (deadline, mut seen) = (Instant::now() + patience(), 0);
        while seen < 20 {
            assert!(Instant::now() < deadline, "{} was never stopped", self.name);
            seen = if is_stopped(self.pid()) { seen + 1 } else { 0 };
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Ended {
        let deadline = Instant::now() + patience();
        while self.status.is_none() {
            assert!(Instant::now() < deadline, "{} has not ended within {:?}", self.name, patience());
            self.poll();
            thread::sleep(Duration::from_millis(5));
        }
        self.end()
    }

    /// Waits for its end as long as it takes, and tells `observe` its process id again and again.
    pub fn wait_and_observe(mut self, mut observe: impl FnMut(u32)) -> Ended {
        while self.status.is_none() {
            observe(self.pid());
            thread::sleep(Duration::from_millis(20));
            self.poll();
        }
        self.end()
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        self.poll();
        self.status.is_none()
    }

    fn poll(&mut self) {
        if self.status.is_none() {
            self.status = self.child.try_wait().unwrap_or_else(|error| panic!("waiting for {}: {error}", self.name));
        }
    }

    fn end(&mut self) -> Ended {
        let status = self.status.unwrap_or_default();
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
        let stdout = self.stdout.take().and_then(|reader| reader.join().ok()).unwrap_or_default();
        Ended { name: self.name.clone(), code, log: self.log.whole_text(), stdout }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.status.is_none() {
            let _ = rustix::process::kill_process_group(Pid::from_child(&self.child), Signal::KILL);
            let _ = self.child.wait();
        }
    }
}

impl Ended {
    /// It was killed by, or says that it was ended by, nothing: exit code 0 and the last line of a verdict.
    pub fn expect_success(&self) -> &Ended {
        self.expect_code(0);
        let last = self.log.trim_end().lines().last().unwrap_or_default();
        assert!(last.ends_with("completed OK!"), "the last line of {} is {last:?}", self.name);
        self
    }

    /// It failed with this code, and says nowhere that anything is completed.
    pub fn expect_failure(&self, code: i32) -> &Ended {
        self.expect_code(code);
        self.expect_silence_on("completed OK!")
    }

    /// Its log has this text.
    pub fn expect_said(&self, part: &str) -> &Ended {
        assert!(self.log.contains(part), "{} never said {part:?}", self.name);
        self
    }

    /// Its log has this text nowhere.
    pub fn expect_silence_on(&self, part: &str) -> &Ended {
        assert!(!self.log.contains(part), "{} said {part:?}", self.name);
        self
    }

    /// The SHA-1 and the name of each line like those of `sha1sum` in its log.
    pub fn checksums(&self) -> Vec<(String, String)> {
        self.log.lines().filter_map(checksum).collect()
    }

    /// What it says it failed for, and on which side: the first of its last three lines, without time and name.
    pub fn cause(&self) -> &str {
        let line = self.log.trim_end().lines().rev().nth(2).unwrap_or_default();
        line.split_once("] ").map_or(line, |(_, cause)| cause)
    }

    /// It ended with this code.
    pub fn expect_code(&self, code: i32) -> &Ended {
        assert_eq!(self.code, code, "exit code of {}", self.name);
        self
    }
}

/// The peak of a process's resident memory so far, in kilobytes; none when it has just ended.
pub fn peak_memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Whether a process is stopped, by a signal or a tracer.
fn is_stopped(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && line.to_ascii_uppercase().contains("\tT "))
}

/// The checksum at the end of a line: 40 hexadecimal digits, two spaces, a name.
fn checksum(line: &str) -> Option<(String, String)> {
    let (before, name) = line.split_once("  ")?;
    let sum = before.rsplit(' ').next()?;
    let is_sum = sum.len() == 40 && sum.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_sum.then(|| (sum.to_owned(), name.to_owned()))
}
