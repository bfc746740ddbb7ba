//! A command that makes the backup: started, listened to, waited for, ended.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use xbproto::process::{Signal, describe, isolate, signal_group};

use super::command::Proof;
use super::fd::FdReader;
use super::lines::{Cutter, Memory};
use super::{OnLine, SourceError};

/// Wished size of the pipe from the child in bytes: what Linux allows everybody by default.
const PIPE_SIZE: usize = 1 << 20;
/// How long stderr may stay open after the child is gone: a descendant may hold it for ever.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How long the child has to end by itself after SIGINT.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long to wait for the end after SIGKILL: a process inside a dead file system never ends.
const HOPE: Duration = Duration::from_secs(5);

/// A running command, and the leader of its process group.
///
/// It is not reaped before the group has been killed for the last time: until then nobody else
/// can get its number.
#[derive(Debug)]
pub(super) struct Child {
    program: String,
    proof: Proof,
    process: std::process::Child,
    /// How it ended, once that is known.
    status: Option<ExitStatus>,
    memory: Arc<Mutex<Memory>>,
    /// Reads stderr; `None` when it has come to its end or was given up.
    listener: Option<JoinHandle<()>>,
    state: State,
    /// Where it may leave files, gone with it.
    target: Option<TempDir>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It or its descendants may be alive.
    Present,
    /// The group was killed and its leader reaped: its number is no longer ours.
    Reaped,
}

impl Child {
    /// Starts `command` (which has at least one word), and gives its stdout beside it.
    pub(super) fn spawn(
        command: &[OsString],
        proof: Proof,
        target: Option<TempDir>,
        on_line: OnLine,
    ) -> Result<(Child, OwnedFd), SourceError> {
        let (program, args) =
            command.split_first().map_or((OsStr::new(""), command), |(p, args)| (p.as_os_str(), args));
        let name = program.display().to_string();
        let failed = |error| SourceError::Spawn { program: name.clone(), error };
        let mut process = prepare(program, args).spawn().map_err(failed)?;
        let pipes = process.stdout.take().zip(process.stderr.take());
        let memory = Arc::<Mutex<Memory>>::default();
        let mut child = Child {
            program: name.clone(),
            proof,
            process,
            status: None,
            memory: Arc::clone(&memory),
            listener: None,
            state: State::Present,
            target,
        };
        let (stdout, stderr) = pipes.ok_or_else(|| failed(io::ErrorKind::BrokenPipe.into()))?;
        let stderr = FdReader::new(stderr.into()).map_err(failed)?;
        child.listener = Some(tokio::spawn(listen(stderr, memory, on_line)));
        // A smaller pipe is only slower.
        let _ = rustix::pipe::fcntl_setpipe_size(&stdout, PIPE_SIZE);
        Ok((child, stdout.into()))
    }

    /// Waits for the child's end, and judges it. Its stdout may still be held by a descendant.
    pub(super) async fn verdict(&mut self) -> Result<(), SourceError> {
        let exited = self.exited().await;
        let status = exited.map_err(|error| SourceError::Wait { program: self.program.clone(), error })?;
        self.hear_last_words().await;
        let program = self.program.clone();
        let memory = lock(&self.memory);
        if !status.success() {
            return Err(SourceError::Failed { program, how: describe(status), last_lines: memory.last_lines() });
        }
        if self.proof == Proof::StatusAndMarker && !memory.reports_success() {
            return Err(SourceError::NoMarker { program, last_lines: memory.last_lines() });
        }
        Ok(())
    }

    /// Waits for the child's end, or for the knowledge that it cannot be waited for.
    pub(super) async fn ended(&mut self) {
        let _ = self.exited().await;
    }

    /// Ends the child and everything in its group, and waits for that.
    pub(super) async fn stop(&mut self) {
        if self.state == State::Present {
            // What cannot be signalled (a set-user-id program) ends when its pipes are closed.
            if self.exit_status().is_ok_and(|status| status.is_none()) {
                let _ = signal_group(self.process.id(), Signal::INT);
                let _ = timeout(PATIENCE, self.exited()).await;
            }
            let _ = signal_group(self.process.id(), Signal::KILL);
            let _ = timeout(HOPE, self.exited()).await;
            self.hear_last_words().await;
            self.reap();
        }
        self.target = None;
    }

    /// Waits for the child's end without reaping it.
    async fn exited(&mut self) -> io::Result<ExitStatus> {
        let mut changes = signal(SignalKind::child())?;
        loop {
            if let Some(status) = self.exit_status()? {
                return Ok(status);
            }
            changes.recv().await;
        }
    }

    /// How the child ended, if it has, without reaping it.
    fn exit_status(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none() {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            let ended = waitid(WaitId::Pid(Pid::from_child(&self.process)), options)?;
            // The encoding of wait(2).
            let raw = |end: rustix::process::WaitIdStatus| {
                end.exit_status().map(|code| code << 8).or(end.terminating_signal())
            };
            self.status = ended.and_then(raw).map(ExitStatus::from_raw);
        }
        Ok(self.status)
    }

    /// Lets the listener come to the end of stderr, but not for ever.
    async fn hear_last_words(&mut self) {
        if let Some(listener) = &mut self.listener {
            if timeout(LAST_WORDS, &mut *listener).await.is_err() {
                listener.abort();
            }
            self.listener = None;
        }
    }

    fn reap(&mut self) {
        if matches!(self.process.try_wait(), Ok(Some(_))) {
            self.state = State::Reaped;
        }
    }
}

impl Drop for Child {
    /// The way out for whoever could not [`stop`](Child::stop): kills the group. If the leader
    /// was still alive it stays behind as a zombie, for there is no waiting here.
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
        if self.state == State::Present {
            let _ = signal_group(self.process.id(), Signal::KILL);
            self.reap();
        }
    }
}

fn prepare(program: &OsStr, args: &[OsString]) -> Command {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    isolate(&mut command);
    command
}

async fn listen(mut stderr: FdReader, memory: Arc<Mutex<Memory>>, on_line: OnLine) {
    let mut cutter = Cutter::default();
    let mut bytes = vec![0; 16 << 10];
    let each = |line: &[u8]| {
        let shown = lock(&memory).note(line);
        on_line(shown);
    };
    // An error on a pipe of our own cannot be told from its end.
    while let Ok(len @ 1..) = stderr.read(&mut bytes).await {
        cutter.feed(&bytes[..len], each);
    }
    cutter.end(each);
}

/// A panic of `on_line` happens outside the lock, so what it guards is always whole.
fn lock(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
