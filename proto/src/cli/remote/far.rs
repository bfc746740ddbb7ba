//! A program on another host, and the ssh that reaches it.
//!
//! The near side holds ssh's standard input open: its end tells the far program that nobody is here any more.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use zeroize::Zeroizing;

use super::account::Account;
use super::lines::pass_on;
use super::said::Said;
use super::ssh::Effective;
use crate::cli::reporter::Reporter;
use crate::cli::requests::{Request, Requests};
use crate::failure::{Cause, Failure, Party};

/// How long ssh is listened to after it has ended: something it left running may hold its pipes for ever.
const SILENCE: Duration = Duration::from_secs(1);

/// How long ssh may take to end when it is told to.
pub(super) const GOODBYE: Duration = Duration::from_secs(2);

/// What an end of ssh counts for that nobody can tell: status 1, a failure.
const UNKNOWN: i32 = 1 << 8;

/// Lines that may wait to be told.
const BACKLOG: usize = 64;

/// A far program, and the ssh that reaches it.
#[derive(Debug)]
pub struct Far {
    pub(super) far: Party,
    child: Child,
    /// Writes the orders, and then holds ssh's standard input open until it is aborted.
    tether: JoinHandle<()>,
    lines: mpsc::Receiver<String>,
    pub(super) account: Account,
    pub(super) reporter: Reporter,
    /// How ssh has ended, and until when its pipes are listened to.
    ended: Option<(ExitStatus, Instant)>,
}

impl Far {
    /// Starts the ssh of this account, and with it the far program.
    ///
    /// # Errors
    /// When there is no such ssh.
    pub(super) fn spawn(
        account: Account,
        effective: &Effective,
        orders: Zeroizing<Vec<u8>>,
        reporter: &Reporter,
    ) -> Result<Far, Failure> {
        let (ssh, far) = (&account.ssh, account.far);
        let mut command = tokio::process::Command::from(ssh.start(effective));
        let mut child = command.kill_on_drop(true).spawn().map_err(|error| {
            let program = ssh.words.first().map_or("ssh", String::as_str);
            Failure::new(Cause::Usage, far.peer(), format!("starting {program}: {error}; see --ssh-command"))
        })?;
        let (to, lines) = mpsc::channel(BACKLOG);
        child.stdout.take().map(|pipe| tokio::spawn(pass_on(pipe, to.clone())));
        child.stderr.take().map(|pipe| tokio::spawn(pass_on(pipe, to)));
        let tether = tokio::spawn(hold(child.stdin.take(), orders));
        Ok(Far { far, child, tether, lines, account, reporter: reporter.clone(), ended: None })
    }

    /// Takes note of what was said, and passes it on.
    pub(super) fn note(&mut self, said: Said) {
        if let Some(event) = self.account.note(said) {
            self.reporter.tell(event);
        }
    }

    /// What comes next. Cancel-safe.
    pub(super) async fn hear(&mut self) -> Heard {
        loop {
            let closed = self.lines.is_closed() && self.lines.is_empty();
            if let (true, Some((status, _))) = (closed, self.ended) {
                return Heard::End(status);
            }
            tokio::select! {
                biased;
                line = self.lines.recv(), if !closed => if let Some(line) = line {
                    return Heard::Line(Said::read(&line, self.far));
                },
                status = self.child.wait(), if self.ended.is_none() => {
                    let status = status.unwrap_or(ExitStatus::from_raw(UNKNOWN));
                    self.ended = Some((status, Instant::now() + SILENCE));
                }
                status = silence(self.ended) => return Heard::End(status),
            }
        }
    }

    /// Lets go of it, listens to its last words for a while, and ends ssh if that has not ended by then. Whoever asks for the
    /// end meanwhile waits for [`GOODBYE`] at most before that.
    pub(super) async fn end(&mut self, patience: Duration, requests: &mut Requests) {
        self.tether.abort();
        if self.ends_within(patience, requests).await {
            return;
        }
        for signal in [Signal::TERM, Signal::KILL] {
            if let Some(pid) = self.child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw) {
                // It is our child and not waited for, so the number is its own.
                let _ = kill_process(pid, signal);
            }
            if timeout(GOODBYE, self.until_silent()).await.is_ok() {
                return;
            }
        }
    }

    async fn ends_within(&mut self, patience: Duration, requests: &mut Requests) -> bool {
        let mut deadline = Instant::now() + patience;
        loop {
            tokio::select! {
                biased;
                () = self.until_silent() => return true,
                request = requests.next() => if let Request::End(_) = request {
                    deadline = deadline.min(Instant::now() + GOODBYE);
                },
                () = sleep_until(deadline) => return false,
            }
        }
    }

    async fn until_silent(&mut self) {
        while let Heard::Line(said) = self.hear().await {
            self.note(said);
        }
    }
}

/// Something from the far side.
pub(super) enum Heard {
    Line(Said),
    /// ssh has ended so, and has nothing more to say.
    End(ExitStatus),
}

/// Waits until a program that has ended was listened to for long enough.
async fn silence(ended: Option<(ExitStatus, Instant)>) -> ExitStatus {
    match ended {
        Some((status, until)) => {
            sleep_until(until).await;
            status
        }
        None => std::future::pending().await,
    }
}

/// Writes the orders, and then holds ssh's standard input open for as long as it runs.
async fn hold(stdin: Option<ChildStdin>, orders: Zeroizing<Vec<u8>>) {
    let Some(mut stdin) = stdin else { return };
    // Fails when ssh has ended, which is noticed elsewhere.
    let _ = stdin.write_all(&orders).await;
    drop(orders);
    std::future::pending().await
}
