//! A far program while a session runs, and after it.
//!
//! What becomes of the session is not decided here. When ssh is gone before the session has begun, that fails
//! ([`Forsaken`]); when it goes later, the transfer goes on.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::far::{Far, GOODBYE, Heard};
use super::forsaken::{Forsaken, Gone};
use super::orders::Afterwards;
use crate::cli::requests::{Request, Requests};
use crate::failure::Failure;

/// How long the far program may take for its last words, and to end.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// A far program that is attended while a session runs.
#[derive(Debug)]
pub struct Attended {
    over: oneshot::Sender<()>,
    attending: JoinHandle<Far>,
}

/// The far program, if one was started.
#[derive(Debug, Default)]
pub struct Company(Option<Attended>);

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

impl Far {
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

    /// Waits until it has done what it does after the commit, which it begins with the checksum. One that has nothing to do
    /// then, and has not told that soon, will not say more.
    async fn until_done(&mut self, requests: &mut Requests) {
        let deadline = Instant::now() + LAST_WORDS;
        while !self.account.has_ended() {
            let is_at_work = self.account.committed || self.account.afterwards == Afterwards::Work;
            let limit = (!is_at_work).then_some(deadline);
            tokio::select! {
                biased;
                heard = self.hear() => match heard {
                    Heard::Line(said) => self.note(said),
                    Heard::End(_) => return,
                },
                request = requests.next() => match request {
                    Request::End(_) => return,
                    Request::Report => self.reporter.tell(self.account.at_work()),
                    Request::Order(_) => {}
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
}

impl From<Attended> for Company {
    fn from(attended: Attended) -> Company {
        Company(Some(attended))
    }
}

impl Company {
    /// Takes leave of the far program, if there is one; see [`Attended::take_leave`].
    ///
    /// # Errors
    /// The failure of what it did after the commit.
    pub async fn leave(self, leave: Leave<'_>, requests: &mut Requests) -> Result<(), Failure> {
        match self.0 {
            Some(attended) => attended.take_leave(leave, requests).await,
            None => Ok(()),
        }
    }

    /// Takes leave of the far program, if there is one, because of this failure, and gives it back.
    pub async fn give_up(self, failure: Failure, requests: &mut Requests) -> Failure {
        // Of one that has committed nothing, nothing is to be heard.
        let _ = self.leave(Leave::Failed(&failure), requests).await;
        failure
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
        far.end(far.patience(leave, requests), requests).await;
        let (told, result) = match leave {
            Leave::Checked => (Vec::new(), Ok(())),
            Leave::Failed(ours) => (far.account.last_words(Some(ours)), Ok(())),
            Leave::Confirmed => (far.account.last_words(None), far.account.after_commit(requests.asked())),
        };
        told.into_iter().for_each(|event| far.reporter.tell(event));
        result
    }
}

/// Waits for a moment that may never come.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
