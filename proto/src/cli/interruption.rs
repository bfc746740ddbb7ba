//! The signals that end a program early, and the one that does not.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

use crate::failure::{Cause, Failure, Party};

/// A future that resolves at the first SIGINT or SIGTERM from now on; neither ends the process by
/// itself any more. Nor does SIGHUP, which says that the terminal is gone: a backup that was started over ssh goes
/// on without it. Call it within a runtime.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn interruption() -> io::Result<impl Future<Output = Cause>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // A handler, once installed, stays, though nobody listens to it. Being no SIG_IGN, it is not inherited by children.
    drop(signal(SignalKind::hangup())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => Cause::Interrupted,
            _ = terminate.recv() => Cause::Terminated,
        }
    })
}

/// How a session fails on the side of `party`, where [`interruption`] has resolved to `cause`.
pub fn interrupted(cause: Cause, party: Party) -> Failure {
    let words = match cause {
        Cause::Terminated => "ended by SIGTERM",
        _ => "interrupted by SIGINT",
    };
    Failure::new(cause, party, words)
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    /// Signals reach the whole process, so there is one test for all of them.
    #[tokio::test]
    async fn a_lost_terminal_ends_nothing_and_a_termination_does() {
        let stop = interruption().expect("handlers");
        // Unhandled, it would end the process that runs the tests.
        kill_process(getpid(), Signal::HUP).expect("sent");
        kill_process(getpid(), Signal::TERM).expect("sent");
        assert_eq!(stop.await, Cause::Terminated);
    }
}
