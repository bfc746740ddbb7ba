//! What is asked of a running program from outside: to end, to say how it does, or to go faster or slower.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep, sleep_until};

use super::control::{Asked, ControlSocket, PlaceError};
use crate::failure::{Cause, Failure, Party};
use crate::quantity::{Rate, Span};

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(5);

/// A program's ear for signals, for its deadline, and for whoever comes to its control socket.
#[derive(Debug)]
pub struct Requests {
    own: Party,
    interrupt: Signal,
    terminate: Signal,
    report: Signal,
    /// Where orders are taken, if that was asked for.
    control: Option<ControlSocket>,
    /// When the whole is to be over, and how long that was from the start; until it has been said.
    deadline: Option<(Instant, Duration)>,
    /// How the session is to fail since somebody has asked for the end.
    asked: Option<Failure>,
}

/// Something that was asked.
#[derive(Debug)]
pub enum Request {
    /// The session is to fail so: SIGINT, SIGTERM, or the deadline.
    End(Failure),
    /// SIGUSR1: a status report.
    Report,
    /// An order at the control socket.
    Order(Asked),
}

impl Requests {
    /// Listens from now on, for the program of `own` party; none of the signals ends the process by itself any more.
    /// Nor does SIGHUP, which says that the terminal is gone: a backup that was started over ssh goes on without it.
    /// `deadline` is from now. Call it within a runtime.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub fn listen(own: Party, deadline: Option<Duration>) -> io::Result<Requests> {
        // A handler, once installed, stays, though nobody listens to it. Being no SIG_IGN, it is not inherited by children.
        drop(signal(SignalKind::hangup())?);
        Ok(Requests {
            own,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            report: signal(SignalKind::user_defined1())?,
            control: None,
            deadline: deadline.and_then(|span| Some((Instant::now().checked_add(span)?, span))),
            asked: None,
        })
    }

    /// Takes orders at a socket too, which is made at `path`.
    ///
    /// # Errors
    /// [`PlaceError`] when it cannot be.
    pub fn take_orders_at(&mut self, path: &Path) -> Result<(), PlaceError> {
        self.control = Some(ControlSocket::open(path)?);
        Ok(())
    }

    /// The next request. Cancel-safe.
    pub async fn next(&mut self) -> Request {
        let deadline = self.deadline;
        let over = async move {
            match deadline {
                Some((moment, span)) => {
                    sleep_until(moment).await;
                    span
                }
                None => std::future::pending().await,
            }
        };
        let (cause, words) = tokio::select! {
            _ = self.interrupt.recv() => (Cause::Interrupted, "interrupted by SIGINT".to_owned()),
            _ = self.terminate.recv() => (Cause::Terminated, "ended by SIGTERM".to_owned()),
            _ = self.report.recv() => return Request::Report,
            asked = next_order(&mut self.control) => return Request::Order(asked),
            span = over => {
                self.deadline = None;
                (Cause::Deadline, format!("not done within {} (--deadline)", Span(span)))
            }
        };
        let failure = Failure::new(cause, self.own, words);
        self.asked = Some(failure.clone());
        Request::End(failure)
    }

    /// The rate limit that an order has set last, or `set` if none has: a session that follows on another begins with it.
    pub fn rate_limit(&self, set: Option<Rate>) -> Option<Rate> {
        self.control.as_ref().and_then(ControlSocket::rate_limit).unwrap_or(set)
    }

    /// What has been said to whoever asked for the end last, if somebody has.
    pub fn asked(&self) -> Option<&Failure> {
        self.asked.as_ref()
    }

    /// Waits for `work`, and has `heed` answer what is asked meanwhile.
    pub async fn during<T>(&mut self, work: impl Future<Output = T>, mut heed: impl FnMut(Request)) -> T {
        let mut work = pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                request = self.next() => heed(request),
            }
        }
    }

    /// Waits for a request to end, and has `report` called whenever that is asked for. Where the end was asked for
    /// already, it waits only as long as saying goodbye takes.
    pub async fn end(&mut self, mut report: impl FnMut()) {
        if self.asked.is_some() {
            return sleep(GOODBYE).await;
        }
        loop {
            match self.next().await {
                Request::End(_) => return,
                Request::Report => report(),
                // There is nothing left that it could be about.
                Request::Order(_) => {}
            }
        }
    }
}

/// The next order; none ever comes where there is no socket.
async fn next_order(control: &mut Option<ControlSocket>) -> Asked {
    match control {
        Some(control) => control.next().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::*;

    /// Signals reach the whole process, so there is one test for all of them.
    #[tokio::test]
    async fn a_lost_terminal_ends_nothing_a_report_is_given_and_a_termination_ends_it() {
        let mut requests = Requests::listen(Party::Sender, None).expect("handlers");
        // Unhandled, either would end the process that runs the tests.
        kill_process(getpid(), Signal::HUP).expect("sent");
        kill_process(getpid(), Signal::USR1).expect("sent");
        assert!(matches!(requests.next().await, Request::Report));
        kill_process(getpid(), Signal::TERM).expect("sent");
        assert_eq!(requests.asked(), None);
        let Request::End(failure) = requests.next().await else { panic!("it is to end") };
        assert_eq!(requests.asked(), Some(&failure));
        assert_eq!((failure.cause, failure.party), (Cause::Terminated, Party::Sender));
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_is_said_once_with_its_value() {
        let mut requests = Requests::listen(Party::Receiver, Some(Duration::from_secs(7200))).expect("handlers");
        let Request::End(failure) = requests.next().await else { panic!("it is to end") };
        assert_eq!(failure.cause, Cause::Deadline);
        assert_eq!(failure.reason, "not done within 2h00m00s (--deadline)");
        assert!(tokio::time::timeout(Duration::from_secs(86_400), requests.next()).await.is_err());
    }
}
