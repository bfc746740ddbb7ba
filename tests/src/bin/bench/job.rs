//! A command that runs, with everything it has started.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, waitid};

/// The process groups of all jobs that have not ended, and whether there may be more.
static LIVING: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());
static STOPPED: AtomicBool = AtomicBool::new(false);

/// A process group. Dropping it kills what is left of it.
///
/// Orphans of the group count too, such as the `sha1sum` of a `tee` that has ended: this process has to be a child
/// subreaper ([`rustix::process::set_child_subreaper`]), so that it can wait for them.
#[derive(Debug)]
pub(crate) struct Job {
    name: String,
    leader: Pid,
    log: PathBuf,
}

impl Job {
    /// Starts a command with this input, and with its standard error in a new file `log`.
    pub(crate) fn start(name: &str, mut command: Command, input: impl Into<Stdio>, log: &Path) -> Result<Job> {
        let stderr = File::create(log).with_context(|| format!("creating {}", log.display()))?;
        command.stdin(input).stderr(stderr).process_group(0);
        let mut living = living();
        check()?;
        let child = command.spawn().with_context(|| format!("starting {name}"))?;
        let leader = Pid::from_child(&child);
        living.insert(leader.as_raw_pid());
        Ok(Job { name: name.to_owned(), leader, log: log.to_owned() })
    }

    /// The process that was started.
    pub(crate) fn pid(&self) -> u32 {
        self.leader.as_raw_pid().unsigned_abs()
    }

    /// Waits for the end of all its processes. Fails unless the first one ends with exit code 0.
    pub(crate) fn wait(self) -> Result<()> {
        let code = wait_for(WaitId::Pid(self.leader))?.and_then(|status| status.exit_status());
        while wait_for(WaitId::Pgid(Some(self.leader)))?.is_some() {}
        living().remove(&self.leader.as_raw_pid());
        match code {
            _ if STOPPED.load(Ordering::Relaxed) => bail!("{} was interrupted", self.name),
            Some(0) => Ok(()),
            code => bail!("{} failed (exit code {code:?}): {}", self.name, self.words().trim_end()),
        }
    }

    /// Whether one of its processes can still be waited for.
    pub(crate) fn is_alive(&self) -> bool {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        matches!(waitid(WaitId::Pid(self.leader), look), Ok(None))
    }

    /// What it has said on standard error.
    pub(crate) fn words(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if living().remove(&self.leader.as_raw_pid()) {
            let _ = kill_process_group(self.leader, Signal::KILL);
            while let Ok(Some(_)) = wait_for(WaitId::Pgid(Some(self.leader))) {}
        }
    }
}

/// Kills all jobs, which their waiters take for a failure, and lets no more begin.
pub(crate) fn stop_all() {
    let living = living();
    STOPPED.store(true, Ordering::Relaxed);
    for leader in living.iter().filter_map(|leader| Pid::from_raw(*leader)) {
        // It may just have ended.
        let _ = kill_process_group(leader, Signal::KILL);
    }
}

/// Fails when all jobs were stopped.
pub(crate) fn check() -> Result<()> {
    ensure!(!STOPPED.load(Ordering::Relaxed), "interrupted");
    Ok(())
}

/// The end of a child, or none when there is no such child.
fn wait_for(whom: WaitId<'_>) -> Result<Option<WaitIdStatus>> {
    loop {
        match waitid(whom.clone(), WaitIdOptions::EXITED) {
            Err(Errno::INTR) => {}
            Err(Errno::CHILD) => return Ok(None),
            ended => return ended.context("waiting for a process"),
        }
    }
}

fn living() -> MutexGuard<'static, BTreeSet<i32>> {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}
