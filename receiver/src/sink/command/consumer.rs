//! The running consumer: its pipe, its last words, and its end.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, WaitIdStatus, waitid};
use xbproto::process::{Signal, isolate, signal_group};

use super::OnLine;
use crate::disk::DiskError;
use crate::lock::lock;
use crate::overheard::Overheard;
use crate::sink::SinkError;
use crate::sink::outlet::{Blocked, LOOK_UP, Outlet};
use crate::stop::Stop;

/// How long a consumer that closed its input may take to end by itself and say why.
const GRACE: Duration = Duration::from_secs(5);
/// How long it may take to die of SIGKILL: one that waits for a disk may take for ever.
const DEATH: Duration = Duration::from_secs(5);
/// How often its end is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// A child in a process group of its own, fed through a pipe.
pub(super) struct Consumer {
    command: OsString,
    stop: Stop,
    /// Dropping it is the end of the consumer's input. Held while writing.
    input: Mutex<Option<Outlet>>,
    pid: Pid,
    child: Mutex<Life>,
    /// [`signal_group`]; another one only in a test, where nothing can be forbidden to root.
    send: SendSignal,
    stderr: Overheard,
}

/// Sends a signal to a process group.
type SendSignal = fn(u32, Signal) -> io::Result<()>;

/// The process number is the child's as long as it is not reaped, so every signal is sent under this lock.
enum Life {
    Running(Child),
    Over(ExitStatus),
}

impl Consumer {
    /// Starts it, as the leader of a process group of its own. It is killed when the calling thread ends.
    pub(super) fn spawn(argv: &[OsString], on_line: &OnLine) -> Result<Consumer, SinkError> {
        Consumer::spawn_with(argv, on_line, signal_group)
    }

    pub(super) fn spawn_with(argv: &[OsString], on_line: &OnLine, send: SendSignal) -> Result<Consumer, SinkError> {
        let (program, arguments) = argv.split_first().ok_or(SinkError::NoCommand { command: OsString::new() })?;
        let failed = |error| SinkError::Disk(DiskError::new("starting", program, error));
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stderr(Stdio::piped());
        isolate(&mut command);
        let mut child = command.spawn().map_err(failed)?;
        let stop = Stop::default();
        let input = child.stdin.take().map(|stdin| Outlet::new(OwnedFd::from(stdin), stop.clone()));
        let stderr = Overheard::start("consumer", child.stderr.take(), Arc::clone(on_line)).map_err(failed)?;
        let consumer = Consumer {
            command: program.clone(),
            stop,
            input: Mutex::new(input.transpose().map_err(failed)?),
            pid: Pid::from_child(&child),
            child: Mutex::new(Life::Running(child)),
            send,
            stderr,
        };
        Ok(consumer)
    }

    /// Feeds it. Blocks as long as it does not read, unless interrupted.
    pub(super) fn write(&self, bytes: &[u8]) -> Result<(), SinkError> {
        let fed = match &*lock(&self.input) {
            Some(input) => input.write_all(bytes),
            None => Err(Blocked::Stopped),
        };
        fed.map_err(|blocked| self.failure(blocked))
    }

    /// Waits until it has read everything, closes its input, and waits for its exit code 0.
    pub(super) fn finish(&self) -> Result<(), SinkError> {
        self.await_emptied().map_err(|blocked| self.failure(blocked))?;
        *lock(&self.input) = None;
        // It may take hours, so nothing is locked meanwhile, and it stays interruptible.
        while !self.has_ended() && !self.stop.is_raised() {
            thread::sleep(LOOK);
        }
        let status = if self.has_ended() { self.reap() } else { self.end()? };
        if status.success() {
            return Ok(());
        }
        Err(SinkError::ConsumerFailed { command: self.command.clone(), status, said: self.stderr.last_words() })
    }

    /// Makes a blocked write, or a wait in [`finish`](Self::finish), end soon.
    pub(super) fn interrupt(&self) {
        self.stop.raise();
        // If it fails, whoever waits says so.
        let _ = self.kill_group();
    }

    /// Kills its process group and waits for it, then closes its input.
    ///
    /// # Errors
    /// `ConsumerNotEnded`; its input stays open then until our process ends.
    pub(super) fn kill(&self) -> Result<(), SinkError> {
        self.stop.raise();
        let ended = self.end();
        let input = lock(&self.input).take();
        match ended {
            Ok(_) => Ok(()),
            Err(error) => {
                // Alive, it would take the end of half a backup for the end of a whole one.
                std::mem::forget(input);
                Err(error)
            }
        }
    }

    /// Waits until nothing is left in the pipe: of what it never read, its exit code says nothing.
    fn await_emptied(&self) -> Result<(), Blocked> {
        loop {
            // Asked first: what is unread after its end, it has not read.
            let ended = self.has_ended();
            let emptied = match &*lock(&self.input) {
                Some(input) => input.is_emptied(&LOOK_UP)?,
                None => true,
            };
            if emptied {
                return Ok(());
            }
            if ended {
                return Err(Blocked::ReaderGone);
            }
        }
    }

    fn failure(&self, blocked: Blocked) -> SinkError {
        match blocked {
            Blocked::ReaderGone if !self.stop.is_raised() => self.stopped_reading(),
            Blocked::ReaderGone | Blocked::Stopped => SinkError::Interrupted { target: self.to_string() },
            Blocked::Failed(error) => DiskError::new("feeding", &self.command, error).into(),
        }
    }

    /// The error for a consumer that closed its input too early. It is given time to say why.
    fn stopped_reading(&self) -> SinkError {
        self.ends_within(GRACE);
        let status = match self.end() {
            Ok(status) => status,
            Err(error) => return error,
        };
        let (command, said) = (self.command.clone(), self.stderr.last_words());
        match status.code() {
            Some(code) if code != 0 => SinkError::ConsumerFailed { command, status, said },
            _ => SinkError::ConsumerStoppedReading { command, status, said },
        }
    }

    /// Ends it, if it has not ended, and says how it did.
    fn end(&self) -> Result<ExitStatus, SinkError> {
        let (patience, error) = match self.kill_group() {
            Ok(()) => (DEATH, ErrorKind::TimedOut.into()),
            // Not ours to kill: a command that sudo runs.
            Err(error) => (Duration::ZERO, error),
        };
        match self.ends_within(patience) {
            true => Ok(self.reap()),
            false => Err(SinkError::ConsumerNotEnded { command: self.command.clone(), error }),
        }
    }

    /// Waits for its end for so long; whether it came.
    fn ends_within(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while !self.has_ended() && Instant::now() < deadline {
            thread::sleep(LOOK);
        }
        self.has_ended()
    }

    /// Whether it has ended. It is left unreaped, so that its process number stays its own.
    fn has_ended(&self) -> bool {
        // An error means that it was reaped already.
        self.exit().map_or(true, |status| status.is_some())
    }

    /// How the unreaped child ended, if it has.
    fn exit(&self) -> rustix::io::Result<Option<WaitIdStatus>> {
        waitid(WaitId::Pid(self.pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT)
    }

    /// Takes the exit status of one that has ended, and kills what is left of the group if that was not a success.
    fn reap(&self) -> ExitStatus {
        let mut life = lock(&self.child);
        let status = match &mut *life {
            Life::Over(status) => *status,
            Life::Running(child) => {
                let succeeded = self.exit().ok().flatten().is_some_and(|status| status.exit_status() == Some(0));
                if !succeeded {
                    // What is left and may not be killed is not ours.
                    let _ = self.signal();
                }
                // It has ended, so this does not wait. If it fails, somebody else has reaped it, and taking that for a
                // failure (exit code 1) is the safe side.
                child.wait().unwrap_or_else(|_| ExitStatus::from_raw(1 << 8))
            }
        };
        *life = Life::Over(status);
        status
    }

    fn kill_group(&self) -> io::Result<()> {
        match &*lock(&self.child) {
            Life::Running(_) => self.signal(),
            Life::Over(_) => Ok(()),
        }
    }

    /// To be called only while the child is not reaped.
    fn signal(&self) -> io::Result<()> {
        (self.send)(self.pid.as_raw_nonzero().get().unsigned_abs(), Signal::KILL)
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

impl fmt::Display for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "consumer {}", crate::disk::shown(self.command.as_ref()))
    }
}
