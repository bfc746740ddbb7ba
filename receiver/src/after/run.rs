//! A child of after the commit, from its start to its end or ours.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, WaitId, WaitIdOptions, WaitIdStatus, waitid};
use tokio::time::{Instant, sleep, timeout};
use xbproto::cli::{Event, Reporter, Request, Requests};
use xbproto::process::{Signal, isolate, signal_group};
use xbproto::quantity::Span;

use super::AfterError;
use crate::overheard::Overheard;

/// How often its end is looked for.
const LOOK: Duration = Duration::from_millis(20);
/// How long it has to end by itself after SIGINT: a tool may have something to clean up.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long it may take to die of SIGKILL: one that waits for a disk may take for ever.
const DEATH: Duration = Duration::from_secs(5);

/// One thing that is run.
pub(super) struct Step {
    /// What it is, for a person.
    pub(super) what: String,
    /// Who its lines are from.
    pub(super) label: &'static str,
}

/// A running child, and the leader of its process group. It is not reaped before the group was signalled for the last
/// time: until then nobody else can get its number.
struct Running {
    child: Child,
    heard: Overheard,
}

impl Step {
    /// Runs `command` as the leader of a process group of its own, without input, and waits for its exit code 0. What it
    /// writes to its standard output and error is told line by line. If the end is asked for meanwhile, all of its group is
    /// ended.
    pub(super) async fn run(
        self,
        command: Command,
        requests: &mut Requests,
        reporter: &Reporter,
    ) -> Result<(), AfterError> {
        if let Some(failure) = requests.asked() {
            return Err(AfterError::NotRun { what: self.what, reason: failure.reason.clone() });
        }
        let since = Instant::now();
        let mut running = match self.start(command, reporter) {
            Ok(running) => running,
            Err(error) => return Err(AfterError::Start { what: self.what, error }),
        };
        loop {
            let request = tokio::select! {
                biased;
                () = running.ended() => return self.judge(running),
                request = requests.next() => request,
            };
            match request {
                Request::Report => reporter.tell(Event::Notice(self.standing(since.elapsed()))),
                // The transfer is over, and whoever gives an order is told so.
                Request::Order(_) => {}
                Request::End(failure) => return Err(self.stop(&mut running, failure.reason).await),
            }
        }
    }

    fn start(&self, mut command: Command, reporter: &Reporter) -> io::Result<Running> {
        let (hears, says) = io::pipe()?;
        command.stdin(Stdio::null()).stdout(says.try_clone()?).stderr(says);
        isolate(&mut command);
        let child = command.spawn()?;
        let (told, label) = (reporter.clone(), self.label);
        let on_line = Arc::new(move |line| told.tell(Event::Child { label, line }));
        // With the command go our own ends of its pipe.
        drop(command);
        Ok(Running { child, heard: Overheard::start(label, Some(hears), on_line)? })
    }

    fn standing(&self, since: Duration) -> String {
        format!("the backup is committed; {} has been running for {}", self.what, Span(since))
    }

    fn judge(self, mut running: Running) -> Result<(), AfterError> {
        let status = running.reap();
        let said = running.heard.last_words();
        if status.success() { Ok(()) } else { Err(AfterError::Failed { what: self.what, status, said }) }
    }

    async fn stop(self, running: &mut Running, reason: String) -> AfterError {
        match running.stop().await {
            true => AfterError::Stopped { what: self.what, reason },
            false => AfterError::NotStopped { what: self.what, pid: running.child.id(), reason },
        }
    }
}

impl Running {
    async fn ended(&self) {
        while self.exit().is_ok_and(|exit| exit.is_none()) {
            sleep(LOOK).await;
        }
    }

    /// How the unreaped child ended, if it has.
    fn exit(&self) -> rustix::io::Result<Option<WaitIdStatus>> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(Pid::from_child(&self.child)), options)
    }

    /// Ends its group; whether that was to be done.
    async fn stop(&mut self) -> bool {
        // What may not be signalled does not end, and that shows.
        let _ = signal_group(self.child.id(), Signal::INT);
        let _ = timeout(PATIENCE, self.ended()).await;
        let _ = signal_group(self.child.id(), Signal::KILL);
        let ended = timeout(DEATH, self.ended()).await.is_ok();
        if ended {
            self.reap();
            self.heard.last_words();
        }
        ended
    }

    /// Takes the exit status of one that has ended, and kills what is left of the group if that was not a success: what a
    /// command that succeeded has left running is meant to.
    fn reap(&mut self) -> ExitStatus {
        let succeeded = self.exit().ok().flatten().is_some_and(|status| status.exit_status() == Some(0));
        if !succeeded {
            let _ = signal_group(self.child.id(), Signal::KILL);
        }
        // It has ended, so this does not wait.
        self.child.wait().unwrap_or_else(|_| ExitStatus::from_raw(1 << 8))
    }
}
