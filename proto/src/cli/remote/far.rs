//! A program on another host, from the ssh that starts it to its last words.
//!
//! The near side holds ssh's standard input open: its end tells the far program that nobody is here any more. What becomes
//! of the session is not decided here. When ssh is gone before the session has begun, the session fails ([`Forsaken`]); when it
//! goes later, the transfer goes on.

use std::net::SocketAddr;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use zeroize::Zeroizing;

use super::account::Account;
use super::forsaken::{Forsaken, Gone};
use super::lines::pass_on;
use super::orders::Orders;
use super::said::Said;
use super::ssh::{Effective, Ssh};
use crate::cli::event::{Event, program_name};
use crate::cli::reporter::Reporter;
use crate::cli::requests::{Request, Requests};
use crate::failure::{Cause, Failure, Party};
use crate::quantity::Span;

/// How long the far program may take to listen, if no longer --wait was given: as long as sshd gives people to type
/// their password.
const START: Duration = Duration::from_secs(120);

/// How long ssh is listened to after it has ended: something it left running may hold its pipes for ever.
const SILENCE: Duration = Duration::from_secs(1);

/// How long the far program may take for its last words, and to end.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// How long ssh may take to end when it is told to.
const GOODBYE: Duration = Duration::from_secs(2);

/// Lines that may wait to be told.
const BACKLOG: usize = 64;

/// A far program, and the ssh that reaches it.
#[derive(Debug)]
pub struct Far {
    far: Party,
    child: Child,
    /// Writes the orders, and then holds ssh's standard input open until it is aborted.
    tether: JoinHandle<()>,
    lines: mpsc::Receiver<String>,
    account: Account,
    reporter: Reporter,
    /// How ssh has ended, and until when its pipes are listened to.
    ended: Option<(ExitStatus, Instant)>,
}

/// A far program that listens.
#[derive(Debug)]
pub struct Listening {
    /// As the host is spoken of.
    pub label: String,
    /// Its name or address, as ssh has resolved its aliases.
    pub host: String,
    /// Where the program says that it may be reached; at least one, and its port is right.
    pub addresses: Vec<SocketAddr>,
}

impl Listening {
    /// Its port.
    pub fn port(&self) -> u16 {
        self.addresses.first().map_or(0, SocketAddr::port)
    }
}

/// A far program that is attended while a session runs.
#[derive(Debug)]
pub struct Attended {
    over: oneshot::Sender<()>,
    attending: JoinHandle<Far>,
}

impl Far {
    /// Starts the program of the `far` party by `ssh`, hands it its orders, and waits until it listens. Call it on a thread
    /// that lives as long as the process: ssh dies with it. `wait` is what the user allows for reaching the other host.
    ///
    /// # Errors
    /// The [`Failure`] of a program that never listened. Nothing is left running then, here or there.
    pub async fn start(
        ssh: Ssh,
        far: Party,
        orders: &Orders,
        wait: Duration,
        requests: &mut Requests,
        reporter: &Reporter,
    ) -> Result<(Far, Listening), Failure> {
        let own = far.peer();
        let orders = orders.encode().map_err(|error| Failure::new(Cause::Usage, own, error))?;
        reporter.tell(Event::Notice(format!("starting {} on {} over ssh", program_name(far), ssh.label())));
        let effective = ssh.effective().await;
        let label = ssh.label().to_owned();
        let host = effective.host.clone().unwrap_or_else(|| label.clone());
        let mut far = Far::spawn(ssh, far, &effective, orders, reporter)?;
        match far.until_it_listens(wait.max(START), requests).await {
            Ok(addresses) => Ok((far, Listening { label, host, addresses })),
            Err(failure) => {
                far.end(Duration::ZERO).await;
                Err(failure)
            }
        }
    }

    fn spawn(
        ssh: Ssh,
        far: Party,
        effective: &Effective,
        orders: Zeroizing<Vec<u8>>,
        reporter: &Reporter,
    ) -> Result<Far, Failure> {
        let mut command = tokio::process::Command::from(ssh.start(effective));
        let mut child = command.kill_on_drop(true).spawn().map_err(|error| {
            let program = ssh.words.first().map_or("ssh", String::as_str);
            Failure::new(Cause::Usage, far.peer(), format!("starting {program}: {error}; see --ssh-command"))
        })?;
        let (to, lines) = mpsc::channel(BACKLOG);
        child.stdout.take().map(|pipe| tokio::spawn(pass_on(pipe, to.clone())));
        child.stderr.take().map(|pipe| tokio::spawn(pass_on(pipe, to)));
        let tether = tokio::spawn(hold(child.stdin.take(), orders));
        let account = Account::new(ssh, far);
        Ok(Far { far, child, tether, lines, account, reporter: reporter.clone(), ended: None })
    }

    async fn until_it_listens(&mut self, limit: Duration, requests: &mut Requests) -> Result<Vec<SocketAddr>, Failure> {
        let deadline = Instant::now() + limit;
        loop {
            tokio::select! {
                biased;
                heard = self.hear() => match heard {
                    Heard::Line(Said::Reachable(addresses)) => return Ok(addresses),
                    Heard::Line(said) => self.note(said),
                    Heard::End(status) => return Err(self.account.never_ready(status)),
                },
                request = requests.next() => match request {
                    Request::End(failure) => return Err(failure),
                    Request::Report => self.reporter.tell(Event::Notice("waiting for ssh".to_owned())),
                },
                () = sleep_until(deadline) => return Err(self.account.too_slow(Span(limit))),
            }
        }
    }

    /// Attends it from now on: passes on what it says, and tells when it is gone.
    pub fn attend(self) -> (Attended, Forsaken) {
        let ((over, told), (gone, forsaken)) = (oneshot::channel(), oneshot::channel());
        let attending = tokio::spawn(self.attend_until(told, gone));
        (Attended { over, attending }, Forsaken(forsaken))
    }

    async fn attend_until(mut self, mut over: oneshot::Receiver<()>, gone: oneshot::Sender<Gone>) -> Far {
        let status = loop {
            tokio::select! {
                biased;
                _ = &mut over => return self,
                heard = self.hear() => match heard {
                    Heard::Line(said) => self.note(said),
                    Heard::End(status) => break status,
                },
            }
        };
        let otherwise = (!self.account.has_ended()).then(|| self.account.cut());
        // Fails when the session is over as well.
        let _ = gone.send(Gone { failure: self.account.never_ready(status), otherwise });
        let _ = over.await;
        self
    }

    fn note(&mut self, said: Said) {
        if let Some(event) = self.account.note(said) {
            self.reporter.tell(event);
        }
    }

    /// What comes next. Cancel-safe.
    async fn hear(&mut self) -> Heard {
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
                    self.ended = Some((status.unwrap_or_default(), Instant::now() + SILENCE));
                }
                status = silence(self.ended) => return Heard::End(status),
            }
        }
    }

    /// Waits until it has done what it does after the commit, which it begins with the checksum. One that has not told that
    /// soon will not say more.
    async fn until_done(&mut self, requests: &mut Requests) {
        let deadline = Instant::now() + LAST_WORDS;
        while !self.account.has_ended() {
            let limit = (!self.account.committed).then_some(deadline);
            tokio::select! {
                biased;
                heard = self.hear() => match heard {
                    Heard::Line(said) => self.note(said),
                    Heard::End(_) => return,
                },
                request = requests.next() => match request {
                    Request::End(_) => return,
                    Request::Report => self.reporter.tell(self.account.at_work()),
                },
                () = until(limit) => return,
            }
        }
    }

    /// How long it may take to end by itself.
    fn patience(&self, leave: Leave<'_>, requests: &Requests) -> Duration {
        match leave {
            _ if requests.asked().is_some() => GOODBYE,
            // It was waited for already.
            Leave::Confirmed if !self.account.has_ended() => Duration::ZERO,
            _ => LAST_WORDS,
        }
    }

    /// Lets go of it, listens to its last words for a while, and ends ssh if that has not ended by then.
    async fn end(&mut self, patience: Duration) {
        self.tether.abort();
        if timeout(patience, self.until_silent()).await.is_ok() {
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

    async fn until_silent(&mut self) {
        while let Heard::Line(said) = self.hear().await {
            self.note(said);
        }
    }
}

impl Attended {
    /// Takes leave of the far program: lets it end, and passes on its last words. What it does after a commit is waited for
    /// as long as ssh lives and nobody asks for the end.
    ///
    /// # Errors
    /// The failure of what it did after the commit.
    pub async fn take_leave(self, leave: Leave<'_>, requests: &mut Requests) -> Result<(), Failure> {
        let _ = self.over.send(());
        let Ok(mut far) = self.attending.await else { return Ok(()) };
        if let Leave::Confirmed = leave {
            far.until_done(requests).await;
        }
        far.end(far.patience(leave, requests)).await;
        let (told, result) = match leave {
            Leave::Checked => (Vec::new(), Ok(())),
            Leave::Failed(ours) => (far.account.last_words(Some(ours)), Ok(())),
            Leave::Confirmed => (far.account.last_words(None), far.account.after_commit(requests.asked())),
        };
        told.into_iter().for_each(|event| far.reporter.tell(event));
        result
    }
}

/// How the session has ended when leave is taken.
#[derive(Clone, Copy, Debug)]
pub enum Leave<'a> {
    /// The copy is committed, and both sides know.
    Confirmed,
    /// It was only tried whether it could be.
    Checked,
    /// It failed.
    Failed(&'a Failure),
}

/// Something from the far side.
enum Heard {
    Line(Said),
    /// ssh has ended so, and has nothing more to say.
    End(ExitStatus),
}

/// Waits for a moment that may never come.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Waits until a program that has ended was listened to for long enough.
async fn silence(ended: Option<(ExitStatus, Instant)>) -> ExitStatus {
    until(ended.map(|(_, until)| until)).await;
    ended.map(|(status, _)| status).unwrap_or_default()
}

/// Writes the orders, and then holds ssh's standard input open for as long as it runs.
async fn hold(stdin: Option<ChildStdin>, orders: Zeroizing<Vec<u8>>) {
    let Some(mut stdin) = stdin else { return };
    // Fails when ssh has ended, which is noticed elsewhere.
    let _ = stdin.write_all(&orders).await;
    drop(orders);
    std::future::pending().await
}
